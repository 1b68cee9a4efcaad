// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.time.Clock;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the whole archive against what was published, pass after pass, because storage rots where nobody looks. Never in the way
 * of publishing: what it finds is said (log, metrics), and does not stop the process.
 *
 * <p>{@link #run} on a thread of its own; the rest from any thread.
 */
final class Scrubber implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Scrubber.class);
    private static final long LOOK_MILLIS = 1_000;

    private final Pass pass;
    private final BooleanSupplier mayBegin;
    private final long intervalMillis;
    private final Clock clock;
    private final CountDownLatch stop = new CountDownLatch(1);
    /** What was said already, in this process. */
    private final Set<String> told = new HashSet<>();

    private volatile long lastPassMillis;
    private volatile OptionalLong found = OptionalLong.empty();

    /** One pass over everything. */
    interface Pass {
        ArchiveCheck.Result run() throws InterruptedException;
    }

    /**
     * @param mayBegin the first pass waits for it: the replay goes first
     * @param intervalMillis from the begin of a pass to the begin of the next, at least
     */
    Scrubber(Pass pass, BooleanSupplier mayBegin, long intervalMillis, Clock clock) {
        this.pass = pass;
        this.mayBegin = mayBegin;
        this.intervalMillis = intervalMillis;
        this.clock = clock;
        this.lastPassMillis = clock.millis();
    }

    @Override
    public void run() {
        try {
            while (!mayBegin.getAsBoolean()) {
                if (stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
            long begun;
            do {
                begun = clock.millis();
                scrub(begun);
            } while (!stop.await(Math.max(0, begun + intervalMillis - clock.millis()), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void scrub(long begunMillis) throws InterruptedException {
        try {
            ArchiveCheck.Result result = pass.run();
            if (result instanceof ArchiveCheck.Result.Checked checked) {
                tell(checked.report());
                found = OptionalLong.of(checked.report().found());
                lastPassMillis = begunMillis;
            } else if (result instanceof ArchiveCheck.Result.Undecided undecided) {
                LOG.warn("the archive was not scrubbed: {}", undecided.detail());
            }
        } catch (RuntimeException e) {
            LOG.error("the archive was not scrubbed", e); // a bug, which must not end the scrubbing
        }
    }

    private void tell(ArchiveCheck.Report report) {
        Set<String> now = new HashSet<>();
        for (ArchiveCheck.Finding finding : report.findings()) {
            String text = finding.object() + ": expected " + finding.expected() + ", found " + finding.actual();
            now.add(text);
            if (!told.contains(text)) {
                LOG.error(
                        "ALARM: the archive is damaged: {}. attestream fsck tells all; attestream restore objects makes it"
                                + " again from Kafka",
                        text);
            }
        }
        told.clear();
        told.addAll(now);
    }

    /** Ends {@link #run}; who waits for it also interrupts its thread, which may be in the middle of a pass. */
    void stop() {
        stop.countDown();
    }

    /** Since the begin of the last pass that saw everything; before there was one, since this process began. */
    double ageSeconds() {
        return (clock.millis() - lastPassMillis) / 1000.0;
    }

    /** How many things were not as they must be in the last pass that saw everything; NaN before there was one. */
    double found() {
        OptionalLong last = found;
        return last.isPresent() ? last.getAsLong() : Double.NaN;
    }
}
