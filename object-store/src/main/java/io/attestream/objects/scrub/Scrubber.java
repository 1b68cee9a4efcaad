// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.scrub;

import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at all of what is stored, pass after pass, because storage rots where nobody looks. Never in the way of what works: what it
 * finds is said (log, metrics), and does not stop the process.
 *
 * <p>{@link #run} on a thread of its own; the rest from any thread.
 */
public final class Scrubber implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Scrubber.class);
    private static final long LOOK_MILLIS = 1_000;

    private final Target target;
    private final Pass pass;
    private final BooleanSupplier mayBegin;
    private final long intervalMillis;
    private final Clock clock;
    private final CountDownLatch stop = new CountDownLatch(1);
    /** What was said already, in this process. */
    private final Set<String> told = new HashSet<>();

    private volatile long lastPassMillis;
    private volatile OptionalLong found = OptionalLong.empty();

    /**
     * @param label as it stands in metrics, as {@code part}
     * @param name as it stands in a sentence, for several: {@code objects}
     * @param remedy what to do about damage, as a sentence without its end
     */
    public record Target(String label, String name, String remedy) {}

    /** One pass over everything. */
    public interface Pass {
        /** @throws InterruptedException if the process ends meanwhile */
        Result run() throws InterruptedException;
    }

    /** What a pass saw. */
    public sealed interface Result {
        /**
         * Everything was looked at.
         *
         * @param findings what is not as it must be: each names what, what was expected and what was found; perhaps not all
         * @param found how many there are
         */
        record Looked(List<String> findings, long found) implements Result {
            public Looked {
                findings = List.copyOf(findings);
            }
        }

        /** Something could not be read, so nothing can be said. */
        record Undecided(String detail) implements Result {}
    }

    /**
     * @param mayBegin the first pass waits for it: what has to be done at start goes first
     * @param intervalMillis from the begin of a pass to the begin of the next, at least
     */
    public Scrubber(Target target, Pass pass, BooleanSupplier mayBegin, long intervalMillis, Clock clock) {
        this.target = target;
        this.pass = pass;
        this.mayBegin = mayBegin;
        this.intervalMillis = intervalMillis;
        this.clock = clock;
        this.lastPassMillis = clock.millis();
    }

    /** What is scrubbed, for the label of its metrics. */
    public String label() {
        return target.label();
    }

    @Override
    public void run() {
        try {
            while (!mayBegin.getAsBoolean()) {
                if (stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
            long nextNanos;
            do {
                nextNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(intervalMillis);
                scrub(clock.millis());
            } while (!stop.await(Math.max(0, nextNanos - System.nanoTime()), TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void scrub(long begunMillis) throws InterruptedException {
        try {
            Result result = pass.run();
            if (result instanceof Result.Looked looked) {
                tell(looked.findings());
                found = OptionalLong.of(looked.found());
                lastPassMillis = begunMillis;
            } else if (result instanceof Result.Undecided undecided) {
                LOG.warn("{} were not scrubbed: {}", target.name(), undecided.detail());
            }
        } catch (RuntimeException e) {
            LOG.error("{} were not scrubbed", target.name(), e); // a bug, which must not end the scrubbing
        }
    }

    private void tell(List<String> findings) {
        findings.stream()
                .filter(text -> !told.contains(text))
                .forEach(text -> LOG.error("ALARM: {} are damaged: {}. {}", target.name(), text, target.remedy()));
        told.clear();
        told.addAll(findings);
    }

    /** Ends {@link #run}; who waits for it also interrupts its thread, which may be in the middle of a pass. */
    public void stop() {
        stop.countDown();
    }

    /** Since the begin of the last pass that saw everything; before there was one, since this process began. */
    public double ageSeconds() {
        return Math.max(0, clock.millis() - lastPassMillis) / 1000.0;
    }

    /** How many things were not as they must be in the last pass that saw everything; NaN before there was one. */
    public double found() {
        OptionalLong last = found;
        return last.isPresent() ? last.getAsLong() : Double.NaN;
    }
}
