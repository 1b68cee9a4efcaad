// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.checkpointer.monitor.MonitorState;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.Hash;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Asks every gateway for its checkpoint again and again, also while something is dead, and keeps all it was shown. */
final class CheckpointWatch implements AutoCloseable {
    private static final long POLL_MILLIS = 200;

    private final NoteVerifier key;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Long, Hash> rootsShown = new ConcurrentHashMap<>();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final Queue<String> falls = new ConcurrentLinkedQueue<>();

    CheckpointWatch(NoteVerifier key, List<Api> gateways) {
        this.key = key;
        for (Api gateway : gateways) {
            threads.add(new Thread(() -> watch(gateway), "watch " + gateway.base()));
        }
        threads.forEach(Thread::start);
    }

    private void watch(Api gateway) {
        long last = 0;
        try {
            while (!stop.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                last = look(gateway, last);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long look(Api gateway, long last) {
        try {
            String note = gateway.require("/v1/checkpoint", "text/plain").text();
            Checkpoint shown = Checkpoints.verified(note, key, "the checkpoint of " + gateway.base());
            long size = shown.size().value();
            Hash before = rootsShown.putIfAbsent(size, shown.root());
            if (before != null && !before.equals(shown.root())) {
                wrong.add("size " + size + " has roots " + before + " and " + shown.root());
            }
            if (size < last) {
                falls.add(gateway.base() + " showed " + last + " and then " + size);
            }
            return size;
        } catch (CliException e) {
            if (e.exitCode() == ExitCode.VERIFICATION_FAILED) {
                wrong.add(String.valueOf(e.getMessage()));
            }
            return last; // nobody there at the moment
        }
    }

    /** The largest size that was shown. */
    long largest() {
        return rootsShown.keySet().stream().mapToLong(Long::longValue).max().orElse(0);
    }

    /** No size had two roots, and all that was shown is in the log the monitor has verified since. */
    void requireOneHistory(MonitorState verified) {
        assertThat(wrong).isEmpty();
        assertThat(rootsShown).isNotEmpty();
        rootsShown.forEach((size, root) -> assertThat(verified.recentRoots())
                .as("a checkpoint that was shown is still the log's")
                .containsEntry(size, root));
    }

    /**
     * What a gateway shows never gets smaller. To be asked only where no proofs instance died: another one may be behind, and
     * what it shows is old but true.
     */
    void requireNoFall() {
        assertThat(falls).isEmpty();
    }

    @Override
    public void close() {
        stop.countDown();
        for (Thread thread : threads) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(60));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
    }
}
