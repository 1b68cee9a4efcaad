// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.chaos.history.History;
import io.attestream.chaos.history.Identity;
import io.attestream.chaos.history.Leaf;
import io.attestream.chaos.history.Operation;
import io.attestream.chaos.history.Receipt;
import io.attestream.chaos.history.Result;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.EventResult;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A client of a ledger all of whose operations are in a {@link History}: what it asks, what it is told, and whether that verifies with
 * the ledger's public key. An answer that does not verify, or cannot be read, is one with a flaw; of what is not answered nobody knows,
 * and that is thrown on. Thread-safe.
 */
final class RecordedClient {
    private static final int READERS = 8;
    private static final long END_SECONDS = 60;

    private final History history;
    private final String process;
    private final String tenant;
    private final NoteVerifier key;
    private final int shards;
    private final Supplier<Api> api;
    private final LogTrail trail = new LogTrail();

    /**
     * A client that has done nothing yet.
     *
     * @param process its name in the history
     * @param tenant whose events it sends
     * @param key what is read has to verify with it
     * @param shards of the ledger
     * @param api asked before each request: the gateway may be another one by then
     */
    RecordedClient(History history, String process, String tenant, NoteVerifier key, int shards, Supplier<Api> api) {
        this.history = history;
        this.process = process;
        this.tenant = tenant;
        this.key = key;
        this.shards = shards;
        this.api = api;
    }

    // ---- appends

    /** As {@link Api#append}. */
    void append(List<byte[]> lines, Consumer<JsonNode> onResult) {
        Api gateway = api.get();
        Deque<History.Call<Result.Appended>> calls = new ArrayDeque<>();
        lines.forEach(line -> calls.add(history.invoke(process, append(line))));
        try {
            gateway.append(lines, result -> {
                if (!calls.isEmpty()) {
                    end(calls.remove(), result);
                }
                onResult.accept(result);
            });
        } catch (RuntimeException e) {
            calls.forEach(call -> call.info(String.valueOf(e.getMessage())));
            calls.clear();
            throw e;
        } finally {
            calls.forEach(call -> call.info("no result"));
        }
    }

    /** Claims that an event was acknowledged that was never sent, with a receipt of its own. */
    void forge(byte[] line, Receipt receipt) {
        history.invoke(process, append(line)).ok(new Result.Appended(receipt));
    }

    private Operation.Append append(byte[] line) {
        CloudEvent event = event(line);
        return new Operation.Append(identity(tenant, event.attributes()), digest(event.attributes(), event.payload()));
    }

    /** Only what the gateway will not take however often it is sent is refused for sure. */
    private static void end(History.Call<Result.Appended> call, JsonNode result) {
        String href = result.path("receipt").path("href").asText();
        if (!href.isEmpty()) {
            call.ok(new Result.Appended(Receipt.ofPath(href)));
        } else if (result.path("retryable").asBoolean(true)) {
            call.info(result.toString());
        } else {
            call.fail(result.toString());
        }
    }

    static CloudEvent event(byte[] line) {
        if (Events.read(line) instanceof EventResult.Accepted accepted) {
            return accepted.event();
        }
        throw new IllegalArgumentException("the event cannot be read");
    }

    private static Identity identity(String tenant, Map<String, String> attributes) {
        return new Identity(
                tenant,
                attributes.getOrDefault("source", ""),
                Optional.ofNullable(attributes.get("partitionkey")),
                attributes.getOrDefault("id", ""));
    }

    /** Of all that a producer sent: every attribute, and the payload. */
    private static String digest(Map<String, String> attributes, byte[] payload) {
        Map<String, JsonValue> members = new HashMap<>();
        attributes.forEach((name, value) -> members.put(name, new JsonString(value)));
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.writeBytes(Jcs.encode(new JsonObject(members)));
        content.writeBytes(payload);
        return History.sha256(content.toByteArray());
    }

    // ---- what became of it

    /**
     * Reads a receipt once.
     *
     * @param line the event as it was sent
     * @throws CliException if nobody answers
     */
    Result.Resolved receipt(String href, byte[] line) {
        Api gateway = api.get();
        History.Call<Result.Resolved> call = history.invoke(process, new Operation.ReadReceipt(Receipt.ofPath(href)));
        try {
            Result.Resolved resolved = resolved(gateway, href, line);
            call.ok(resolved);
            return resolved;
        } catch (RuntimeException e) {
            call.info(String.valueOf(e.getMessage()));
            throw e;
        }
    }

    private Result.Resolved resolved(Api gateway, String href, byte[] line) {
        Api.Reply reply = gateway.get(href, "application/json");
        if (reply.status() == 202) {
            return Result.Resolved.without(Result.Outcome.PENDING);
        }
        if (reply.status() == 404) {
            return Result.Resolved.without(Result.Outcome.LOST); // it was given for a record that is not there any more
        }
        Api.good("GET " + href, reply);
        try {
            return decided(gateway, href, line, reply.json());
        } catch (InvalidFormat | IllegalArgumentException | CliException e) {
            return Result.Resolved.unreadable("it cannot be read: " + e.getMessage());
        }
    }

    private Result.Resolved decided(Api gateway, String href, byte[] line, JsonNode answer) throws InvalidFormat {
        return switch (answer.path("status").asText()) {
            case "leaf" -> proved(gateway, Result.Outcome.LEAF, answer, line, Receipt.ofPath(href));
            case "conflict" -> proved(gateway, Result.Outcome.CONFLICT, answer, line, Receipt.ofPath(href));
            case "duplicate" ->
                proved(
                        gateway,
                        Result.Outcome.DUPLICATE,
                        answer,
                        line,
                        Receipt.ofPath(answer.path("receipt").path("href").asText()));
            case "rejected" -> Result.Resolved.without(Result.Outcome.REJECTED);
            default -> throw new InvalidFormat("status", "is none: " + answer.path("status"));
        };
    }

    private Result.Resolved proved(Api gateway, Result.Outcome outcome, JsonNode answer, byte[] line, Receipt of)
            throws InvalidFormat {
        ProofBundle bundle = ProofBundle.parse(answer.path("bundle").toString().getBytes(StandardCharsets.UTF_8));
        CloudEvent event = event(line);
        BundleReport report = new BundleVerifier(key)
                .expectingShards(shards)
                .verify(bundle, new EventToCheck(event.attributes(), event.payload()));
        ShardHead head = ShardHead.parse(bundle.head());
        Leaf leaf = leaf(head.shard(), bundle.leafIndex().value(), bundle.entry(), event.payload(), of);
        if (!report.ok()) {
            return Result.Resolved.flawed(
                    outcome,
                    leaf,
                    report.firstFailure()
                            .map(failure -> failure.name() + ": " + failure.detail())
                            .orElse("a check of its bundle could not be made"));
        }
        Checkpoint signed = Checkpoint.parse(SignedNote.parse(bundle.note()).text()); // it verified
        Result.Proven proven = new Result.Proven(head(head), head(signed));
        String flaw = trail.flaw(gateway, proven.log(), Rfc6962.leafHash(bundle.epochLeaf()));
        return new Result.Resolved(outcome, Optional.of(leaf), Optional.of(proven), flaw);
    }

    private static Result.ShardHead head(ShardHead head) {
        return new Result.ShardHead(head.shard(), recordable(head.size()), head.root());
    }

    private static Result.TreeHead head(Checkpoint checkpoint) {
        return new Result.TreeHead(recordable(checkpoint.size()), checkpoint.root());
    }

    private static long recordable(TreeSize size) {
        if (size.value() < 0 || size.value() > JsonInteger.MAX) {
            throw new IllegalArgumentException("a size of " + size + " is beyond everything");
        }
        return size.value();
    }

    private static Leaf leaf(int shard, long index, byte[] entry, byte[] payload, Receipt receipt)
            throws InvalidFormat {
        if (!(CanonicalEntry.parse(entry) instanceof EntryView.Event event)) {
            return Leaf.control(shard, index, Rfc6962.leafHash(entry));
        }
        Identity identity = identity(event.tenant(), event.attributes());
        String digest = digest(event.attributes(), payload);
        return event.kind() == EntryKind.CONFLICT
                ? Leaf.conflict(shard, index, identity, digest, Rfc6962.leafHash(entry), receipt)
                : Leaf.event(shard, index, identity, digest, Rfc6962.leafHash(entry), receipt);
    }

    // ---- trees

    /**
     * Reads the newest epoch: the checkpoint, and the heads it binds.
     *
     * @throws CliException if nobody answers, or nothing is published
     */
    Result.Heads checkpoint() {
        Api gateway = api.get();
        History.Call<Result.Heads> call = history.invoke(process, new Operation.ReadCheckpoint());
        try {
            Result.Heads heads = newestHeads(gateway);
            call.ok(heads);
            return heads;
        } catch (RuntimeException e) {
            call.info(String.valueOf(e.getMessage()));
            throw e;
        }
    }

    private Result.Heads newestHeads(Api gateway) {
        Api.Reply reply = gateway.require("/v1/epochs/latest", "application/json");
        try {
            return heads(gateway, reply.json());
        } catch (InvalidFormat | IllegalArgumentException | CliException e) {
            return Result.Heads.unreadable("the newest epoch cannot be believed: " + e.getMessage());
        }
    }

    private Result.Heads heads(Api gateway, JsonNode epoch) throws InvalidFormat {
        Checkpoint checkpoint = Checkpoints.verified(epoch.path("note").asText(), key, "the newest epoch");
        byte[] leafBytes = Base64.getDecoder().decode(epoch.path("epochLeaf").asText());
        EpochLeaf leaf = EpochLeaf.parse(leafBytes);
        List<ShardHead> heads = new ArrayList<>();
        for (JsonNode head : epoch.path("heads")) {
            heads.add(ShardHead.parse(Base64.getDecoder().decode(head.asText())));
        }
        Result.TreeHead log = head(checkpoint);
        String flaw = trail.flaw(gateway, log, Rfc6962.leafHash(leafBytes));
        if (heads.size() != shards || !ShardHead.vectorRoot(heads).equals(leaf.vectorRoot())) {
            flaw = "the heads of epoch " + leaf.epoch() + " are not those its leaf binds";
        } else if (log.size() != leaf.epoch() + 1) {
            flaw = "epoch " + leaf.epoch() + " is the last of a log of size " + log.size();
        }
        return new Result.Heads(
                heads.stream()
                        .mapToInt(head -> LedgerOffset.incarnation(head.nextOffset()))
                        .max()
                        .orElse(1),
                Optional.of(log),
                OptionalLong.of(LogTime.parse(leaf.time(), "time")),
                heads.stream().map(RecordedClient::head).toList(),
                flaw);
    }

    /**
     * Reads every leaf of the newest epoch, one by one. If one of them cannot be read, or a head that was signed before cannot be held
     * against the log, that is no read of all.
     *
     * @throws CliException if something is not answered
     */
    void all() {
        Api gateway = api.get();
        History.Call<Result.Heads> call = history.invoke(process, new Operation.ReadAll());
        try {
            Result.Heads heads = newestHeads(gateway);
            trail.requireNothingOpen();
            call.ok(leaves(gateway, heads, call));
        } catch (RuntimeException e) {
            call.info(String.valueOf(e.getMessage()));
            throw e;
        }
    }

    /** Returns the heads, or what is wrong with a leaf. */
    private static Result.Heads leaves(Api gateway, Result.Heads heads, History.Call<Result.Heads> call) {
        ExecutorService readers = Executors.newFixedThreadPool(READERS);
        try {
            List<Future<?>> reads = new ArrayList<>();
            for (Result.ShardHead head : heads.shards()) {
                for (long index = 0; index < head.size(); index++) {
                    long at = index;
                    reads.add(readers.submit(() -> call.leaf(leaf(gateway, head.shard(), at))));
                }
            }
            for (Future<?> read : reads) {
                read.get();
            }
            return heads;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CliException failure && failure.exitCode() == ExitCode.VERIFICATION_FAILED) {
                return Result.Heads.unreadable(String.valueOf(failure.getMessage()));
            }
            throw e.getCause() instanceof CliException failure ? failure : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            end(readers);
        }
    }

    /** No leaf is told any more when this returns. */
    private static void end(ExecutorService readers) {
        readers.shutdownNow();
        try {
            readers.awaitTermination(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Leaf leaf(Api gateway, int shard, long index) {
        String path = "/v1/events/" + shard + "/" + index;
        Api.Reply reply = gateway.require(path, "application/json");
        try {
            JsonNode leaf = reply.json();
            return leaf(
                    shard,
                    index,
                    Base64.getDecoder().decode(leaf.path("entry").asText()),
                    Base64.getDecoder().decode(leaf.path("payload").asText()),
                    new Receipt(
                            leaf.path("incarnation").asInt(),
                            shard,
                            leaf.path("offset").asLong()));
        } catch (InvalidFormat | IllegalArgumentException | CliException e) {
            throw Checkpoints.failed(path + " cannot be read: " + e.getMessage());
        }
    }
}
