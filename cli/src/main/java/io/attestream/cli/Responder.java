// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Does what the one on call does: acknowledges a page, opens the runbook it names, and runs the commands of its mitigation as they
 * stand there. One page after the other; the same runbook once. Thread-safe.
 */
final class Responder implements AutoCloseable {
    private static final long COMMAND_SECONDS_MAX = 300;
    private static final int OUTPUT_LENGTH_MAX = 4_000;

    private final Path home;
    private final Path data;
    private final Path logs;
    private final ByHand byHand;
    private final ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "responder");
        thread.setDaemon(true);
        return thread;
    });
    private final Set<URI> opened = new HashSet<>();
    private final List<Step> steps = new ArrayList<>();
    private @Nullable Instant acknowledgedAt;
    private @Nullable Instant mitigationStartedAt;
    private @Nullable Instant mitigatedAt;

    /**
     * What was done for an alert.
     *
     * @param byHand whether somebody did it where no command can
     * @param command as it stands on the page; by hand, what was done
     * @param exitCode -1 if it did not end in time, or could not begin
     * @param output the end of it
     */
    record Step(String alert, boolean byHand, String command, Instant at, int exitCode, String output) {}

    /** What no command can do, before the first page's commands are run. */
    interface ByHand {
        /** Returns what was done, in order, when it is. */
        List<String> done();
    }

    /**
     * @param home where the runbooks are, and where their commands are run
     * @param data directory of the cluster
     * @param logs directory for what commands say
     * @param byHand for example, to free a disk
     */
    Responder(Path home, Path data, Path logs, ByHand byHand) {
        this.home = home;
        this.data = data;
        this.logs = logs;
        this.byHand = byHand;
    }

    /** Takes a page; returns at once. One without a runbook is a step that failed. */
    void page(Pager.Alert alert) {
        URI runbook = alert.runbook();
        synchronized (this) {
            if (acknowledgedAt == null) {
                acknowledgedAt = Instant.now();
            }
            if (runbook == null) {
                steps.add(failed(alert.name(), "open the runbook", "the alert names none"));
                return;
            }
            if (!opened.add(runbook)) {
                return;
            }
        }
        executor.execute(() -> mitigate(alert.name(), runbook));
    }

    private void mitigate(String alert, URI url) {
        boolean first;
        synchronized (this) {
            first = mitigationStartedAt == null;
            if (first) {
                mitigationStartedAt = Instant.now();
            }
        }
        try {
            if (first) {
                Instant at = Instant.now();
                byHand.done().forEach(what -> add(new Step(alert, true, what, at, 0, "")));
            }
            for (String command : Runbook.read(Runbook.page(home, url)).commands("Mitigation", data)) {
                add(run(alert, command));
            }
        } catch (IOException | RuntimeException e) {
            add(failed(alert, "follow " + url, e.toString()));
        }
        synchronized (this) {
            mitigatedAt = Instant.now();
        }
    }

    private synchronized void add(Step step) {
        steps.add(step);
    }

    private Step run(String alert, String command) throws IOException {
        Instant begun = Instant.now();
        Path log = logs.resolve("responder.log");
        Process shell = new ProcessBuilder("sh", "-euc", command)
                .directory(home.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.to(log.toFile()))
                .start();
        try {
            boolean ended = shell.waitFor(COMMAND_SECONDS_MAX, TimeUnit.SECONDS);
            String output = Files.readString(log);
            return new Step(
                    alert,
                    false,
                    asOnThePage(command),
                    begun,
                    ended ? shell.exitValue() : -1,
                    asOnThePage(output.substring(Math.max(0, output.length() - OUTPUT_LENGTH_MAX))));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return failed(alert, asOnThePage(command), "interrupted");
        } finally {
            shell.descendants().forEach(ProcessHandle::destroyForcibly);
            shell.destroyForcibly();
        }
    }

    private static Step failed(String alert, String what, String why) {
        return new Step(alert, false, what, Instant.now(), -1, why);
    }

    private String asOnThePage(String text) {
        return text.replace(data.toString(), Runbook.DATA);
    }

    /** What was run, in order. */
    synchronized List<Step> steps() {
        return List.copyOf(steps);
    }

    /** Of the first page; null before. */
    synchronized @Nullable Instant acknowledgedAt() {
        return acknowledgedAt;
    }

    synchronized @Nullable Instant mitigationStartedAt() {
        return mitigationStartedAt;
    }

    /** When the commands of the last runbook so far had been run; null before the first. */
    synchronized @Nullable Instant mitigatedAt() {
        return mitigatedAt;
    }

    /** Takes no page any more, and returns when the runbooks that were opened are done; one that takes too long is cut off. */
    void finish() {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(2 * COMMAND_SECONDS_MAX, TimeUnit.SECONDS)) {
                executor.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
