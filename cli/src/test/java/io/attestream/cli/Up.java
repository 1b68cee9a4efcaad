// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.awaitility.Awaitility.await;

import io.attestream.chaos.ClusterFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@code attestream up} in a process of its own, for tests. */
final class Up implements AutoCloseable {
    private final Script script;
    private final Path data;

    private Up(Script script, Path data) {
        this.script = script;
        this.data = data;
    }

    /**
     * Returns when everything is ready.
     *
     * @param options beside the data directory
     */
    static Up start(Path scratch, Path data, String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("up", "--data-dir", data.toString()));
        arguments.addAll(List.of(options));
        Script script = Script.start(scratch, arguments.toArray(String[]::new));
        Up up = new Up(script, data);
        try {
            await().atMost(3, TimeUnit.MINUTES)
                    .failFast(() -> !script.isAlive())
                    .until(() -> script.err().contains("Ctrl-C stops everything"));
        } catch (RuntimeException e) {
            String err = script.err();
            up.close();
            throw new IllegalStateException("it does not start: " + err, e);
        }
        return up;
    }

    ClusterFile cluster() throws IOException {
        return ClusterFile.read(data).orElseThrow();
    }

    /** SIGKILL of the launcher alone. */
    void kill() throws InterruptedException {
        script.kill();
    }

    /** SIGTERM, and waits for everything to be stopped. */
    @Override
    public void close() throws IOException {
        script.terminate();
        try {
            script.await(Duration.ofSeconds(90));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Processes of the cluster in this data directory that still live. */
    static List<String> livingProcesses(Path data) throws IOException {
        return ClusterFile.read(data).orElseThrow().processes().stream()
                .filter(entry -> entry.find().isPresent())
                .map(ClusterFile.ProcessEntry::name)
                .toList();
    }
}
