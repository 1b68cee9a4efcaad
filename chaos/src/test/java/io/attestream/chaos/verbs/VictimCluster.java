// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.toxiproxy.ToxiproxyServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A data directory that says it has a cluster, whose only process does nothing but be there. */
final class VictimCluster implements AutoCloseable {
    final Path data;
    final ToxiproxyServer toxiproxy = ToxiproxyServer.start(0);
    final Process process;

    VictimCluster(Path data) throws IOException {
        this.data = data;
        toxiproxy.add("kafka-processors", 0, 9);
        process = new ProcessBuilder("sleep", "600").start();
        write(Map.of());
    }

    /** @param other members than those of a cluster that allows faults */
    void write(Map<String, Object> other) throws IOException {
        Map<String, Object> file = new HashMap<>(Map.of(
                "origin",
                "test",
                "ledgerKey",
                "",
                "shards",
                1,
                "url",
                "http://127.0.0.1:1",
                "managementUrl",
                "http://127.0.0.1:1",
                "bootstrapServers",
                "127.0.0.1:1",
                "ports",
                Map.of(),
                "processes",
                List.of(ClusterFile.ProcessEntry.of("processors-0", process.toHandle())),
                "chaosAllowed",
                true,
                "toxiproxyUrl",
                toxiproxy.url().toString()));
        file.putAll(other);
        Files.write(data.resolve("cluster.json"), new ObjectMapper().writeValueAsBytes(file));
    }

    /** As the kernel says: T if it is stopped. */
    char state() throws IOException {
        String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
        return stat.charAt(stat.lastIndexOf(')') + 2);
    }

    /** A signal is sent before it has arrived. */
    void awaitStopped() {
        await().pollInterval(Duration.ofMillis(5)).until(() -> state() == 'T');
    }

    void awaitNotStopped() {
        await().pollInterval(Duration.ofMillis(5)).until(() -> state() != 'T');
    }

    Path journal() {
        return data.resolve("chaos/journal.json");
    }

    @Override
    public void close() {
        process.destroyForcibly();
        toxiproxy.close();
    }
}
