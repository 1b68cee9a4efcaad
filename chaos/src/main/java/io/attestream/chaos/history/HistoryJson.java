// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tree.Hash;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** The lines of a history as JSON objects, and back. */
final class HistoryJson {
    static final String FORMAT = "attestream.history/v1";

    static final String INVOKE = "invoke";
    static final String OK = "ok";
    static final String FAIL = "fail";
    static final String INFO = "info";
    static final String LEAF = "leaf";

    private static final int REASON_LENGTH_MAX = 1_000;
    private static final String APPEND = "append";
    private static final String READ_RECEIPT = "read-receipt";
    private static final String READ_CHECKPOINT = "read-checkpoint";
    private static final String READ_ALL = "read-all";
    private static final String APPENDED = "appended";
    private static final String RESOLVED = "resolved";
    private static final String HEADS = "heads";

    private HistoryJson() {}

    // ---- writing

    static JsonObject begun(long windowLeaves, Optional<Others> others, long wallMillis) {
        Map<String, JsonValue> members =
                members("format", text(FORMAT), "wall", number(wallMillis), "windowLeaves", number(windowLeaves));
        others.ifPresent(of -> members.put("others", object("tenant", text(of.tenant()), "source", text(of.source()))));
        return new JsonObject(members);
    }

    static JsonObject invoked(long number, String process, long nanos, long wallMillis, Operation<?> operation) {
        return line(INVOKE, number, nanos, wallMillis, "call", call(operation), "process", text(process));
    }

    static JsonObject ok(long number, long nanos, long wallMillis, Result result) {
        return line(OK, number, nanos, wallMillis, "result", result(result));
    }

    static JsonObject failed(long number, long nanos, long wallMillis, String reason) {
        return line(FAIL, number, nanos, wallMillis, "reason", shortened(reason));
    }

    static JsonObject unknown(long number, long nanos, long wallMillis, String reason) {
        return line(INFO, number, nanos, wallMillis, "reason", shortened(reason));
    }

    static JsonObject leaf(long number, Leaf leaf) {
        return object("leaf", leaf(leaf), "op", number(number), "type", text(LEAF));
    }

    private static JsonObject line(String type, long number, long nanos, long wallMillis, Object... more) {
        Map<String, JsonValue> members = new LinkedHashMap<>(object(more).members());
        members.put("type", text(type));
        members.put("op", number(number));
        members.put("at", number(nanos));
        members.put("wall", number(wallMillis));
        return new JsonObject(members);
    }

    private static JsonObject call(Operation<?> operation) {
        if (operation instanceof Operation.Append append) {
            return object(
                    "kind", text(APPEND), "identity", identity(append.identity()), "digest", text(append.digest()));
        }
        if (operation instanceof Operation.ReadReceipt read) {
            return object("kind", text(READ_RECEIPT), "receipt", receipt(read.receipt()));
        }
        return object("kind", text(operation instanceof Operation.ReadAll ? READ_ALL : READ_CHECKPOINT));
    }

    private static JsonObject result(Result result) {
        if (result instanceof Result.Appended appended) {
            Map<String, JsonValue> members = members("kind", text(APPENDED), "receipt", receipt(appended.receipt()));
            appended.leafIndex().ifPresent(index -> members.put("leafIndex", number(index)));
            return new JsonObject(members);
        }
        if (result instanceof Result.Resolved resolved) {
            Map<String, JsonValue> members = members(
                    "kind", text(RESOLVED), "outcome", text(resolved.outcome().word()));
            resolved.leaf().ifPresent(leaf -> members.put("leaf", leaf(leaf)));
            resolved.proven().ifPresent(proven -> {
                members.put("head", head(proven.shard()));
                members.put("log", head(proven.log()));
            });
            putFlaw(members, resolved.flaw());
            return new JsonObject(members);
        }
        Result.Heads heads = (Result.Heads) result;
        List<JsonValue> shards = new ArrayList<>();
        heads.shards().forEach(head -> shards.add(head(head)));
        Map<String, JsonValue> members = members(
                "kind", text(HEADS), "incarnation", number(heads.incarnation()), "shards", new JsonArray(shards));
        heads.log().ifPresent(head -> members.put("log", head(head)));
        heads.timeMillis().ifPresent(time -> members.put("time", number(time)));
        putFlaw(members, heads.flaw());
        return new JsonObject(members);
    }

    private static JsonObject head(Result.ShardHead head) {
        return object(
                "shard",
                number(head.shard()),
                "size",
                number(head.size()),
                "root",
                text(head.root().hex()));
    }

    private static JsonObject head(Result.TreeHead head) {
        return object("size", number(head.size()), "root", text(head.root().hex()));
    }

    private static JsonObject identity(Identity identity) {
        Map<String, JsonValue> members = members(
                "tenant", text(identity.tenant()), "source", text(identity.source()), "id", text(identity.id()));
        identity.partitionKey().ifPresent(key -> members.put("partitionKey", text(key)));
        return new JsonObject(members);
    }

    private static JsonValue receipt(Receipt receipt) {
        return new JsonArray(List.of(number(receipt.incarnation()), number(receipt.shard()), number(receipt.offset())));
    }

    private static JsonObject leaf(Leaf leaf) {
        Map<String, JsonValue> members = members(
                "shard", number(leaf.shard()),
                "index", number(leaf.index()),
                "kind", text(leaf.kind().word()),
                "hash", text(leaf.hash().hex()));
        leaf.identity().ifPresent(identity -> members.put("identity", identity(identity)));
        if (!leaf.digest().isEmpty()) {
            members.put("digest", text(leaf.digest()));
        }
        leaf.receipt().ifPresent(receipt -> members.put("receipt", receipt(receipt)));
        return new JsonObject(members);
    }

    private static void putFlaw(Map<String, JsonValue> members, String flaw) {
        if (!flaw.isEmpty()) {
            members.put("flaw", shortened(flaw));
        }
    }

    private static JsonObject object(Object... namesAndValues) {
        return new JsonObject(members(namesAndValues));
    }

    private static Map<String, JsonValue> members(Object... namesAndValues) {
        Map<String, JsonValue> members = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            members.put((String) namesAndValues[i], (JsonValue) namesAndValues[i + 1]);
        }
        return members;
    }

    /** A reason may be any text, a page of an HTTP proxy too. */
    private static JsonValue shortened(String value) {
        return text(value.length() > REASON_LENGTH_MAX ? value.substring(0, REASON_LENGTH_MAX) : value);
    }

    /** JSON that everybody reads alike has no lone surrogates. */
    private static JsonValue text(String value) {
        StringBuilder text = new StringBuilder(value.length());
        value.codePoints()
                .forEach(point -> text.appendCodePoint(
                        point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE ? '?' : point));
        return new JsonString(text.toString());
    }

    private static JsonValue number(long value) {
        return new JsonInteger(value);
    }

    // ---- reading

    /** The dedup window, if this is the first line of a history. */
    static HistoryEvent.Begun readBegun(JsonObject line) throws InvalidFormat {
        if (!line.string("format").equals(FORMAT)) {
            throw new InvalidFormat("format", "must be " + FORMAT);
        }
        line.allowOnly("format", "others", "wall", "windowLeaves");
        Optional<Others> others = Optional.empty();
        if (line.get("others") != null) {
            JsonObject of = line.object("others");
            of.allowOnly("tenant", "source");
            others = Optional.of(new Others(of.string("tenant"), of.string("source")));
        }
        return new HistoryEvent.Begun(atLeast(1, line, "windowLeaves"), others, line.integer("wall"));
    }

    static Operation<?> readCall(JsonObject call) throws InvalidFormat {
        String kind = call.string("kind");
        switch (kind) {
            case APPEND -> {
                call.allowOnly("kind", "identity", "digest");
                String digest = call.string("digest");
                if (digest.isEmpty()) {
                    throw new InvalidFormat("digest", "must not be empty");
                }
                return new Operation.Append(readIdentity(call.object("identity")), digest);
            }
            case READ_RECEIPT -> {
                call.allowOnly("kind", "receipt");
                return new Operation.ReadReceipt(readReceipt(call));
            }
            case READ_CHECKPOINT, READ_ALL -> {
                call.allowOnly("kind");
                return kind.equals(READ_ALL) ? new Operation.ReadAll() : new Operation.ReadCheckpoint();
            }
            default ->
                throw new InvalidFormat(
                        "kind", "must be one of " + String.join(", ", APPEND, READ_RECEIPT, READ_CHECKPOINT, READ_ALL));
        }
    }

    /** What this operation can be told. */
    static Result readResult(JsonObject result, Operation<?> operation) throws InvalidFormat {
        if (operation instanceof Operation.Append) {
            requireKind(result, APPENDED);
            result.allowOnly("kind", "receipt", "leafIndex");
            OptionalLong index = result.get("leafIndex") == null
                    ? OptionalLong.empty()
                    : OptionalLong.of(atLeast(0, result, "leafIndex"));
            return new Result.Appended(readReceipt(result), index);
        }
        if (operation instanceof Operation.ReadReceipt) {
            requireKind(result, RESOLVED);
            result.allowOnly("kind", "outcome", "leaf", "head", "log", "flaw");
            Result.Outcome outcome = word(result, "outcome", Result.Outcome.values(), Result.Outcome::word);
            Optional<Leaf> leaf =
                    result.get("leaf") == null ? Optional.empty() : Optional.of(readLeaf(result.object("leaf")));
            if (leaf.isPresent() != outcome.hasLeaf()) {
                throw new InvalidFormat("leaf", "does not fit outcome " + outcome.word());
            }
            Optional<Result.Proven> proven = result.get("log") == null
                    ? Optional.empty()
                    : Optional.of(new Result.Proven(
                            readShardHead(result.object("head")), readTreeHead(result.object("log"))));
            return new Result.Resolved(outcome, leaf, proven, optional(result, "flaw"));
        }
        requireKind(result, HEADS);
        return readHeads(result);
    }

    private static Result.Heads readHeads(JsonObject heads) throws InvalidFormat {
        heads.allowOnly("kind", "incarnation", "log", "time", "shards", "flaw");
        List<Result.ShardHead> shards = new ArrayList<>();
        for (JsonValue element : heads.array("shards")) {
            if (!(element instanceof JsonObject head)) {
                throw new InvalidFormat("shards", "must be objects");
            }
            shards.add(readShardHead(head));
        }
        Optional<Result.TreeHead> log =
                heads.get("log") == null ? Optional.empty() : Optional.of(readTreeHead(heads.object("log")));
        OptionalLong time = heads.get("time") == null ? OptionalLong.empty() : OptionalLong.of(heads.integer("time"));
        return new Result.Heads((int) atLeast(1, heads, "incarnation"), log, time, shards, optional(heads, "flaw"));
    }

    private static Result.ShardHead readShardHead(JsonObject head) throws InvalidFormat {
        head.allowOnly("shard", "size", "root");
        return new Result.ShardHead(shard(head), atLeast(0, head, "size"), Hash.ofHex(head.string("root")));
    }

    private static Result.TreeHead readTreeHead(JsonObject head) throws InvalidFormat {
        head.allowOnly("size", "root");
        return new Result.TreeHead(atLeast(0, head, "size"), Hash.ofHex(head.string("root")));
    }

    private static Identity readIdentity(JsonObject identity) throws InvalidFormat {
        identity.allowOnly("tenant", "source", "partitionKey", "id");
        Optional<String> key =
                identity.get("partitionKey") == null ? Optional.empty() : Optional.of(identity.string("partitionKey"));
        return new Identity(identity.string("tenant"), identity.string("source"), key, identity.string("id"));
    }

    private static Receipt readReceipt(JsonObject object) throws InvalidFormat {
        List<JsonValue> numbers = object.array("receipt");
        if (numbers.size() == 3
                && numbers.get(0) instanceof JsonInteger incarnation
                && numbers.get(1) instanceof JsonInteger shard
                && numbers.get(2) instanceof JsonInteger offset) {
            try {
                return new Receipt(
                        Math.toIntExact(incarnation.value()), Math.toIntExact(shard.value()), offset.value());
            } catch (IllegalArgumentException | ArithmeticException e) {
                throw new InvalidFormat("receipt", "has a number that is out of range");
            }
        }
        throw new InvalidFormat("receipt", "must be [incarnation, shard, offset]");
    }

    static Leaf readLeaf(JsonObject leaf) throws InvalidFormat {
        leaf.allowOnly("shard", "index", "kind", "hash", "identity", "digest", "receipt");
        Leaf.Kind kind = word(leaf, "kind", Leaf.Kind.values(), Leaf.Kind::word);
        Optional<Identity> identity =
                leaf.get("identity") == null ? Optional.empty() : Optional.of(readIdentity(leaf.object("identity")));
        if (identity.isPresent() == (kind == Leaf.Kind.CONTROL)) {
            throw new InvalidFormat("identity", "does not fit a leaf that is " + kind.word());
        }
        if (optional(leaf, "digest").isEmpty() == identity.isPresent()) {
            throw new InvalidFormat("digest", "does not fit a leaf that is " + kind.word());
        }
        Optional<Receipt> receipt = leaf.get("receipt") == null ? Optional.empty() : Optional.of(readReceipt(leaf));
        return new Leaf(
                shard(leaf),
                atLeast(0, leaf, "index"),
                kind,
                identity,
                optional(leaf, "digest"),
                Hash.ofHex(leaf.string("hash")),
                receipt);
    }

    private static int shard(JsonObject object) throws InvalidFormat {
        long shard = atLeast(0, object, "shard");
        if (shard > Short.MAX_VALUE) {
            throw new InvalidFormat("shard", "must be at most " + Short.MAX_VALUE);
        }
        return (int) shard;
    }

    private static void requireKind(JsonObject result, String kind) throws InvalidFormat {
        if (!result.string("kind").equals(kind)) {
            throw new InvalidFormat("kind", "must be " + kind + " for this operation");
        }
    }

    private static String optional(JsonObject object, String name) throws InvalidFormat {
        return object.get(name) == null ? "" : object.string(name);
    }

    static long atLeast(long least, JsonObject object, String name) throws InvalidFormat {
        long value = object.integer(name);
        if (value < least) {
            throw new InvalidFormat(name, "must be at least " + least);
        }
        return value;
    }

    private static <T> T word(JsonObject object, String name, T[] values, Function<T, String> word)
            throws InvalidFormat {
        String given = object.string(name);
        for (T value : values) {
            if (word.apply(value).equals(given)) {
                return value;
            }
        }
        throw new InvalidFormat(
                name,
                "must be one of "
                        + String.join(", ", Arrays.stream(values).map(word).toList()));
    }
}
