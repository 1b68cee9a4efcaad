// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.scrub.Scrubber;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * What the checkpointer scrubs, each part on a thread of its own so that a long one holds up no other: the object store, against
 * what was published; topic {@code events}, out of which all heads in {@code checkpoints} must come again. The processors look at their stores.
 */
final class Scrubs {
    private static final Scrubber.Target OBJECTS = new Scrubber.Target(
            "objects",
            "objects",
            "attestream fsck tells all; attestream restore objects makes them again from Kafka. If it names a topic, it is that"
                    + " which is damaged: see to Kafka first");
    private static final Scrubber.Target KAFKA = new Scrubber.Target(
            "kafka",
            "topics events and checkpoints",
            "Another replica of the partition may be whole; if none is, attestream restore kafka goes on from the object store");

    private final List<Scrubber> scrubbers;
    private final List<Thread> threads;

    Scrubs(
            Map<String, Object> connection,
            Topics topics,
            LedgerDefinition definition,
            ObjectStore store,
            CheckpointerConfig.Checkpointer config,
            BooleanSupplier mayBegin,
            Clock clock) {
        Function<Scrubber.Target, Function<Scrubber.Pass, Scrubber>> scrubber =
                target -> pass -> new Scrubber(target, pass, mayBegin, config.scrubIntervalMillis(), clock);
        this.scrubbers = List.of(
                scrubber.apply(OBJECTS)
                        .apply(() -> result(ArchiveCheck.open(
                                        connection,
                                        topics,
                                        definition,
                                        store,
                                        config.scrubBytesPerSecondMax(),
                                        ArchiveCheck.Listener.NONE)
                                .withoutUnreferenced()
                                .run())),
                scrubber.apply(KAFKA)
                        .apply(() -> result(new Rebuild(
                                        connection, topics, definition, Rebuild.Reading.DECODED, Rebuild.Listener.NONE)
                                .withObjects(store)
                                .atMost(config.scrubBytesPerSecondMax())
                                .oneByOne()
                                .run(1))));
        this.threads = scrubbers.stream().map(Scrubs::daemon).toList();
    }

    private static Thread daemon(Scrubber scrubber) {
        Thread thread = new Thread(scrubber, "scrubbing-" + scrubber.label());
        thread.setDaemon(true);
        return thread;
    }

    static Scrubber.Result result(ArchiveCheck.Result result) {
        if (result instanceof ArchiveCheck.Result.Checked checked) {
            return new Scrubber.Result.Looked(
                    checked.report().findings().stream()
                            .map(finding -> finding.object() + ": expected " + finding.expected() + ", found "
                                    + finding.actual())
                            .toList(),
                    checked.report().found());
        }
        return new Scrubber.Result.Undecided(((ArchiveCheck.Result.Undecided) result).detail());
    }

    /** A rebuild tells the first difference of each shard. */
    static Scrubber.Result result(Rebuild.Result result) {
        if (result instanceof Rebuild.Result.Different different) {
            return new Scrubber.Result.Looked(List.of(different.detail()), 1);
        }
        return result instanceof Rebuild.Result.Undecided undecided
                ? new Scrubber.Result.Undecided(undecided.detail())
                : new Scrubber.Result.Looked(List.of(), 0);
    }

    /** For their metrics. */
    List<Scrubber> scrubbers() {
        return scrubbers;
    }

    void start() {
        threads.forEach(Thread::start);
    }

    /** They may be in the middle of a pass, and do not write. */
    void stop() {
        scrubbers.forEach(Scrubber::stop);
        threads.forEach(Thread::interrupt);
    }

    /** Waits until they have ended, so long at most for each. */
    void join(long waitSeconds) throws InterruptedException {
        for (Thread thread : threads) {
            thread.join(TimeUnit.SECONDS.toMillis(waitSeconds));
        }
    }
}
