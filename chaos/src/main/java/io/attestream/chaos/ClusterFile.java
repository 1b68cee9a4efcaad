// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a data directory says about its cluster: {@code cluster.json}.
 *
 * @param url of the gateway
 * @param ledgerKey vkey
 * @param ports by process, so that a restart keeps addresses
 * @param processes of the last or running life
 * @param chaosAllowed whether faults may be done to it
 * @param toxiproxyUrl of the REST API of the proxies between services and Kafka; null if there are none
 * @param kafkaConfig file with the settings of security of Kafka clients; null if the brokers ask nobody who he is
 */
public record ClusterFile(
        String origin,
        String ledgerKey,
        int shards,
        String url,
        String managementUrl,
        String bootstrapServers,
        String registryUrl,
        String jwksUrl,
        Map<String, Integer> ports,
        List<ProcessEntry> processes,
        boolean chaosAllowed,
        @Nullable String toxiproxyUrl,
        @Nullable String kafkaConfig) {
    private static final String NAME = "cluster.json";
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /**
     * A process of the cluster.
     *
     * @param startedAtMillis tells it from another process that got the same id later: on Linux after the machine's start, so that
     *     it stays the same when the clock is set
     */
    public record ProcessEntry(String name, long pid, long startedAtMillis) {
        private static final int START_FIELD = 22;
        private static final int FIELDS_BEFORE_STATE = 3;
        private static final int TICK_MILLIS = 10;

        /** Of a process that lives. */
        public static ProcessEntry of(String name, ProcessHandle process) {
            return new ProcessEntry(name, process.pid(), startedAtMillis(process));
        }

        /** Empty if it ended, whoever has its id now. */
        public Optional<ProcessHandle> find() {
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .filter(process -> startedAtMillis(process) == startedAtMillis);
        }

        private static long startedAtMillis(ProcessHandle process) {
            try {
                String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
                // The name may hold anything, parentheses and spaces too.
                String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
                return Long.parseLong(fields[START_FIELD - FIELDS_BEFORE_STATE]) * TICK_MILLIS;
            } catch (IOException e) {
                return process.info().startInstant().map(Instant::toEpochMilli).orElse(-1L); // no Linux, or it ended
            }
        }
    }

    /** Reads it; empty if the directory never had a cluster. */
    public static Optional<ClusterFile> read(Path dataDirectory) throws IOException {
        Path file = dataDirectory.resolve(NAME);
        return Files.exists(file) ? Optional.of(JSON.readValue(file.toFile(), ClusterFile.class)) : Optional.empty();
    }

    void write(Path dataDirectory) throws IOException {
        Path temporary = dataDirectory.resolve(NAME + ".tmp");
        Files.write(temporary, JSON.writeValueAsBytes(this));
        Files.move(
                temporary,
                dataDirectory.resolve(NAME),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** The token file of a role: {@code ingester}, {@code auditor} or {@code admin}. */
    public static Path tokenFile(Path dataDirectory, String role) {
        return dataDirectory.resolve("keys").resolve(role + ".jwt");
    }
}
