// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Watches the newest epoch from a thread of its own, from before the first event is sent, so that the time from the
 * acknowledgement to the publication is the one a client sees.
 */
final class PublicationWatch implements AutoCloseable {
    private static final long POLL_MILLIS = 20;

    private final Api api;
    private final CountDownLatch stopped = new CountDownLatch(1);
    /** By shard, lowest offset first. */
    private final Map<Integer, Queue<SentEvent>> waiting = new HashMap<>();

    private long acknowledged;
    private long published;
    private long lastProgressNanos = System.nanoTime();
    private @Nullable RuntimeException failure;

    PublicationWatch(Api api) {
        this.api = api;
        Thread thread = new Thread(this::watch, "publication-watch");
        thread.setDaemon(true);
        thread.start();
    }

    synchronized void acknowledged(SentEvent event) {
        acknowledged++;
        lastProgressNanos = System.nanoTime();
        waiting.computeIfAbsent(
                        event.shard(), shard -> new PriorityQueue<>(Comparator.comparingLong(SentEvent::offset)))
                .add(event);
    }

    private void watch() {
        try {
            do {
                look();
            } while (!stopped.await(POLL_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        try {
            note(NewestEpoch.fetch(api), System.nanoTime());
        } catch (CliException e) {
            // Unavailable for the moment is not the end; that it lasts is seen by who waits.
            if (e.exitCode() != ExitCode.UNAVAILABLE) {
                fail(e);
            }
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    private synchronized void note(NewestEpoch newest, long nowNanos) {
        waiting.forEach((shard, events) -> {
            while (!events.isEmpty() && newest.covers(shard, events.peek().offset())) {
                events.remove().published(nowNanos);
                published++;
                lastProgressNanos = nowNanos;
            }
        });
        notifyAll();
    }

    private synchronized void fail(RuntimeException e) {
        failure = e;
        stopped.countDown();
        notifyAll();
    }

    /**
     * Waits until every acknowledged event is published.
     *
     * @param patience how long nothing may happen
     */
    synchronized void await(Duration patience, Output output, String what) {
        while (published < acknowledged) {
            if (failure != null) {
                throw failure;
            }
            if (System.nanoTime() - lastProgressNanos > patience.toNanos()) {
                throw new CliException(
                        ExitCode.UNAVAILABLE,
                        published + " of " + acknowledged + " events are published, and no further one since "
                                + patience.toSeconds() + " s",
                        "Look into the logs of processors and checkpointer.");
            }
            output.progress(what, published, acknowledged);
            waitForNews();
        }
        output.progress(what, published, acknowledged);
    }

    private void waitForNews() {
        try {
            TimeUnit.MILLISECONDS.timedWait(this, POLL_MILLIS * 5);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.ERROR, "interrupted", "");
        }
    }

    @Override
    public void close() {
        stopped.countDown();
    }
}
