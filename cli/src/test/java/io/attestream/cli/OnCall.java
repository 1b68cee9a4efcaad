// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.chaos.ClusterControl;
import io.attestream.chaos.ClusterFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Who follows pages of {@code runbooks/}: runs their commands as they stand there, with only the data directory moved. What they
 * start to run on ({@code up}) is ready when the next command is run, and stopped at the end.
 */
final class OnCall implements AutoCloseable {
    private static final String UP = "./attestream up --data-dir ";

    private final Path scratch;
    private final Path data;
    /** Clusters it has started, by their directories. */
    private final Map<Path, Up> running = new HashMap<>();

    /** @param data directory of the cluster the pages are about */
    OnCall(Path scratch, Path data) {
        this.scratch = scratch;
        this.data = data;
    }

    static Path page(String name) {
        return Script.HOME.resolve("runbooks").resolve(name + ".md");
    }

    /** Each block of a section, with at least one command. */
    List<List<String>> blocks(String page, String section) {
        List<List<String>> blocks = Runbook.read(page(page)).blocks(section, data);
        assertThat(blocks).as(page + " " + section).isNotEmpty();
        return blocks;
    }

    List<String> commands(String page, String section) {
        return blocks(page, section).stream().flatMap(List::stream).toList();
    }

    void follow(String page, String section) throws Exception {
        follow(commands(page, section));
    }

    /** Every command has to end well. */
    void follow(List<String> commands) throws Exception {
        for (String command : commands) {
            assertThat(run(command)).as(command).isZero();
        }
    }

    /** @return exit code; of what runs on, 0 once it is ready */
    int run(String command) throws IOException, InterruptedException {
        if (command.startsWith(UP)) {
            List<String> options =
                    new ArrayList<>(List.of(command.substring(UP.length()).split(" ", -1)));
            Path directory = Path.of(options.remove(0));
            running.put(directory, Up.start(scratch, directory, options.toArray(String[]::new)));
            return 0;
        }
        Path log = Files.createTempFile(scratch, "shell", ".log");
        Process shell = new ProcessBuilder("sh", "-euc", command)
                .directory(Script.HOME.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(shell.waitFor(4, TimeUnit.MINUTES)).as(command).isTrue();
            if (shell.exitValue() != 0) {
                System.out.println(command + " ended with " + shell.exitValue() + "\n" + Files.readString(log));
            }
            return shell.exitValue();
        } finally {
            shell.destroyForcibly();
        }
    }

    /** As {@link #run}, for another thread. */
    int runUnchecked(String command) {
        try {
            return run(command);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Ctrl-C of a cluster that was started. */
    void stop(Path directory) throws IOException {
        Up up = running.remove(directory);
        assertThat(up).as(directory.toString()).isNotNull();
        up.close();
    }

    /** SIGKILL of all of it. */
    void kill(Path directory) throws InterruptedException {
        Up up = running.remove(directory);
        assertThat(up).as(directory.toString()).isNotNull();
        up.kill();
    }

    // ---- the cluster the pages are about

    ClusterFile cluster() throws IOException {
        return ClusterFile.read(data).orElseThrow();
    }

    Api api(String role) throws IOException {
        return new Api(URI.create(cluster().url()), token(role));
    }

    String token(String role) {
        return LocalFiles.readText(ClusterFile.tokenFile(data, role)).strip();
    }

    long pid(String name) throws IOException {
        return cluster().processes().stream()
                .filter(process -> process.name().equals(name))
                .findFirst()
                .orElseThrow()
                .pid();
    }

    void signal(String signal, String name) throws Exception {
        assertThat(run("kill -" + signal + " " + pid(name))).isZero();
    }

    boolean isReady(String name) throws IOException {
        return ClusterControl.of(data).processes().stream()
                .anyMatch(process -> process.name().equals(name) && process.ready());
    }

    @Override
    public void close() throws IOException {
        for (Path directory : List.copyOf(running.keySet())) {
            stop(directory);
        }
    }
}
