// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.chaos.history.HistoryEvent.Failed;
import io.attestream.chaos.history.HistoryEvent.Invoked;
import io.attestream.chaos.history.HistoryEvent.LeafRead;
import io.attestream.chaos.history.HistoryEvent.Ok;
import io.attestream.chaos.history.HistoryEvent.Unknown;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Reads a history line by line. What is not exactly as {@link History} writes it is refused with the number of its line, but for a
 * last line without its end: the recorder was killed while it wrote it, so that is left out, and told. For one use.
 */
public final class HistoryReader {
    private static final int LINE_SIZE_BYTES_MAX = 1 << 20;
    private static final int BUFFER_SIZE_BYTES = 1 << 16;

    private final Consumer<HistoryEvent> listener;
    /** Operations that have not ended. */
    private final Map<Long, Invoked> underWay = new HashMap<>();

    private long line;
    private long operations;
    private long nanos;

    private HistoryReader(Consumer<HistoryEvent> listener) {
        this.listener = listener;
    }

    /**
     * How a history ended.
     *
     * @param lines that were read
     * @param torn whether half a line followed them
     */
    public record End(long lines, boolean torn) {}

    /**
     * Reads a file from begin to end.
     *
     * @param listener is given every line, in order
     * @throws IOException if the file cannot be read
     * @throws InvalidHistory if it is no history
     */
    public static End read(Path file, Consumer<HistoryEvent> listener) throws IOException, InvalidHistory {
        try (InputStream in = Files.newInputStream(file)) {
            return new HistoryReader(listener).read(in);
        }
    }

    private End read(InputStream in) throws IOException, InvalidHistory {
        byte[] chunk = new byte[BUFFER_SIZE_BYTES];
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int size = in.read(chunk); size >= 0; size = in.read(chunk)) {
            int from = 0;
            for (int at = 0; at < size; at++) {
                if (chunk[at] == '\n') {
                    text.write(chunk, from, at - from);
                    from = at + 1;
                    line++;
                    listener.accept(event(text.toByteArray()));
                    text.reset();
                }
            }
            text.write(chunk, from, size - from);
            if (text.size() > LINE_SIZE_BYTES_MAX) {
                throw new InvalidHistory(line + 1, "is longer than " + LINE_SIZE_BYTES_MAX + " bytes");
            }
        }
        if (line == 0) {
            throw new InvalidHistory(1, "is missing: a history begins with its format, " + HistoryJson.FORMAT);
        }
        return new End(line, text.size() > 0);
    }

    private HistoryEvent event(byte[] json) throws InvalidHistory {
        try {
            JsonObject object = Json.parseObject(json);
            return line == 1 ? HistoryJson.readBegun(object) : event(object);
        } catch (InvalidFormat e) {
            throw new InvalidHistory(line, String.valueOf(e.getMessage()));
        }
    }

    private HistoryEvent event(JsonObject object) throws InvalidFormat {
        return switch (object.string("type")) {
            case HistoryJson.INVOKE -> invoked(object);
            case HistoryJson.OK -> {
                object.allowOnly("at", "op", "result", "type", "wall");
                Invoked of = ended(object);
                yield new Ok(
                        line,
                        of,
                        nanos(object),
                        object.integer("wall"),
                        HistoryJson.readResult(object.object("result"), of.operation()));
            }
            case HistoryJson.FAIL -> {
                object.allowOnly("at", "op", "reason", "type", "wall");
                yield new Failed(line, ended(object), nanos(object), object.integer("wall"), object.string("reason"));
            }
            case HistoryJson.INFO -> {
                object.allowOnly("at", "op", "reason", "type", "wall");
                yield new Unknown(line, ended(object), nanos(object), object.integer("wall"), object.string("reason"));
            }
            case HistoryJson.LEAF -> {
                object.allowOnly("leaf", "op", "type");
                yield new LeafRead(line, readingAll(object), HistoryJson.readLeaf(object.object("leaf")));
            }
            default -> throw new InvalidFormat("type", "must be one of invoke, ok, fail, info, leaf");
        };
    }

    private Invoked invoked(JsonObject object) throws InvalidFormat {
        object.allowOnly("at", "call", "op", "process", "type", "wall");
        long number = object.integer("op");
        if (number != operations) {
            throw new InvalidFormat("op", "must be " + operations + ": operations are counted as they begin");
        }
        operations++;
        Invoked invoked = new Invoked(
                line,
                number,
                object.string("process"),
                nanos(object),
                object.integer("wall"),
                HistoryJson.readCall(object.object("call")));
        underWay.put(number, invoked);
        return invoked;
    }

    private Invoked ended(JsonObject object) throws InvalidFormat {
        return Optional.ofNullable(underWay.remove(object.integer("op"))).orElseThrow(HistoryReader::notUnderWay);
    }

    private Invoked readingAll(JsonObject object) throws InvalidFormat {
        Invoked invoked =
                Optional.ofNullable(underWay.get(object.integer("op"))).orElseThrow(HistoryReader::notUnderWay);
        if (!(invoked.operation() instanceof Operation.ReadAll)) {
            throw new InvalidFormat("op", "must be that of a read of all leaves");
        }
        return invoked;
    }

    private static InvalidFormat notUnderWay() {
        return new InvalidFormat("op", "must be that of an operation that has begun and has not ended");
    }

    /** The order of lines is the order of time, or nothing can be said of what came before what. */
    private long nanos(JsonObject object) throws InvalidFormat {
        long at = HistoryJson.atLeast(0, object, "at");
        if (at < nanos) {
            throw new InvalidFormat("at", "goes back from " + nanos + " to " + at);
        }
        nanos = at;
        return at;
    }
}
