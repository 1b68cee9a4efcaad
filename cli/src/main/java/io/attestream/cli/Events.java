// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.entry.EntryView;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.attestream.schemas.cloudevents.EventLimits;
import io.attestream.schemas.cloudevents.EventResult;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Events in files. */
final class Events {
    /** Above every limit a gateway can have for an event; a file without line ends is not read into memory. */
    static final int LINE_BYTES_MAX = 64 << 20;

    /** What a ledger takes is for its doors to say: here every event is read that any ledger could hold. */
    private static final CloudEventReader READER = new CloudEventReader(new EventLimits(
            LINE_BYTES_MAX,
            EventLimits.DEFAULT.maxAttributes(),
            EventLimits.DEFAULT.maxAttributeBytes(),
            EventLimits.DEFAULT.maxIdBytes(),
            EventLimits.DEFAULT.maxBatchEvents()));

    private Events() {}

    /** The lines of an NDJSON file, without blank ones; a lone "-" is standard input. */
    static Lines open(Path file) {
        try {
            InputStream in = file.toString().equals("-") ? System.in : Files.newInputStream(file);
            return new Lines(new BufferedInputStream(in, 1 << 16), file);
        } catch (IOException e) {
            throw LocalFiles.failure("read", file, e);
        }
    }

    /** All lines at once, at least one. */
    static List<byte[]> lines(Path file) {
        List<byte[]> all = new ArrayList<>();
        try (Lines lines = open(file)) {
            lines.forEachRemaining(all::add);
        }
        if (all.isEmpty()) {
            throw new CliException(
                    ExitCode.ERROR, file + " has no event", "It must hold one CloudEvent in JSON a line.");
        }
        return all;
    }

    /** Lines one after the other, so that a file need not fit into memory. */
    static final class Lines implements Iterator<byte[]>, AutoCloseable {
        private final InputStream in;
        private final Path file;
        private byte @Nullable [] next;

        private Lines(InputStream in, Path file) {
            this.in = in;
            this.file = file;
        }

        @Override
        public boolean hasNext() {
            try {
                while (next == null) {
                    byte[] line = readLine();
                    if (line == null) {
                        return false;
                    }
                    next = line.length == 0 ? null : line;
                }
                return true;
            } catch (IOException e) {
                throw LocalFiles.failure("read", file, e);
            }
        }

        @Override
        public byte[] next() {
            if (!hasNext() || next == null) {
                throw new NoSuchElementException();
            }
            byte[] line = next;
            next = null;
            return line;
        }

        private byte @Nullable [] readLine() throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream(1024);
            int read = in.read();
            if (read < 0) {
                return null;
            }
            while (read >= 0 && read != '\n') {
                if (line.size() == LINE_BYTES_MAX) {
                    throw new IOException("a line has more than " + LINE_BYTES_MAX + " bytes");
                }
                line.write(read);
                read = in.read();
            }
            return trimmed(line.toByteArray());
        }

        @Override
        public void close() {
            try {
                in.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Without JSON's white space around it; UTF-8's bytes beyond ASCII are negative and stay. */
    private static byte[] trimmed(byte[] bytes) {
        int start = 0;
        int end = bytes.length;
        while (start < end && isBlank(bytes[start])) {
            start++;
        }
        while (end > start && isBlank(bytes[end - 1])) {
            end--;
        }
        return Arrays.copyOfRange(bytes, start, end);
    }

    private static boolean isBlank(byte value) {
        return value == ' ' || value == '\t' || value == '\r' || value == '\n';
    }

    /** A structured event, or what is wrong with it. */
    static EventResult read(byte[] json) {
        return READER.structured(json);
    }

    /**
     * A valid event; fails with what is wrong with it. That is a failed verification: what no ledger could hold is not what
     * was logged, and a changed byte can as well break the form of an event as its content.
     */
    private static CloudEvent required(EventResult result, Path file, String next) {
        if (result instanceof EventResult.Accepted accepted) {
            return accepted.event();
        }
        EventResult.Refused refused = (EventResult.Refused) result;
        throw new CliException(
                ExitCode.VERIFICATION_FAILED,
                file + " is no valid CloudEvent: " + refused.problem().detail(),
                next);
    }

    /** An event that was sent in binary mode. */
    static CloudEvent ofRawPayload(Map<String, String> attributes, Path payload) {
        return required(
                READER.attributes(attributes, LocalFiles.read(payload)),
                payload,
                "Give every attribute that was sent, with --attribute.");
    }

    /**
     * The event in a file that holds one, or the one among many that has the identity of a logged event. It is only looked
     * up by its identity: whether it is the same is for the verification to say.
     */
    static CloudEvent find(Path file, Optional<EntryView.Event> logged) {
        byte[] all = LocalFiles.read(file);
        EventResult whole = READER.structured(all);
        if (whole instanceof EventResult.Accepted) {
            return required(whole, file, "");
        }
        List<byte[]> lines = lines(file);
        if (lines.size() == 1 || logged.isEmpty()) {
            return required(
                    whole, file, "It must be the JSON event that was sent; a raw payload goes with --attribute.");
        }
        Map<String, String> wanted = identity(logged.get().attributes());
        return lines.stream()
                .map(READER::structured)
                .filter(EventResult.Accepted.class::isInstance)
                .map(result -> ((EventResult.Accepted) result).event())
                .filter(event -> identity(event.attributes()).equals(wanted))
                .findFirst()
                .orElseThrow(() -> new CliException(
                        ExitCode.VERIFICATION_FAILED,
                        "none of the " + lines.size() + " events in " + file + " is the one of the bundle: " + wanted,
                        "Give the file that holds the event."));
    }

    private static Map<String, String> identity(Map<String, String> attributes) {
        Map<String, String> identity = new TreeMap<>(attributes);
        identity.keySet().retainAll(Set.of("source", "partitionkey", "id"));
        return identity;
    }
}
