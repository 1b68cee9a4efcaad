// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything verified and not yet published, of all shards. The reading thread puts in ({@link #feed}), the publishing
 * thread takes out; this lock is the only state they share.
 */
final class Backlog {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<ShardReplica> replicas;
    /** Why the reading thread ended, or null while it runs. */
    private @Nullable Throwable readingFailure;

    private boolean readingEnded;
    private final LongSupplier steadyNanos;
    private volatile long answeredAtNanos;

    Backlog(List<ShardReplica> replicas) {
        this(replicas, System::nanoTime);
    }

    Backlog(List<ShardReplica> replicas, LongSupplier steadyNanos) {
        this.replicas = List.copyOf(replicas);
        this.steadyNanos = steadyNanos;
        this.answeredAtNanos = steadyNanos.getAsLong();
    }

    int shards() {
        return replicas.size();
    }

    // ---- the reading thread

    /** Runs an action on one shard's replica and wakes up who waits for its heads. */
    void feed(int shard, Consumer<ShardReplica> action) {
        lock.lock();
        try {
            action.accept(replicas.get(shard));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** A broker told what there is to read, or that there is nothing. */
    void answered() {
        answeredAtNanos = steadyNanos.getAsLong();
    }

    /** How long the brokers have been silent; before their first answer, since this was made. */
    Duration sinceAnswered() {
        return Duration.ofNanos(steadyNanos.getAsLong() - answeredAtNanos);
    }

    /** Reads one shard's replica. */
    <T> T look(int shard, Function<ShardReplica, T> question) {
        lock.lock();
        try {
            return question.apply(replicas.get(shard));
        } finally {
            lock.unlock();
        }
    }

    /** Nothing will be fed any more; the publishing thread fails with this cause at its next look. */
    void readingEnded(@Nullable Throwable failure) {
        lock.lock();
        try {
            readingEnded = true;
            readingFailure = failure;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ---- the publishing thread

    /**
     * What one epoch adds.
     *
     * @param heads of all shards, in shard order
     * @param added to each shard below its head and not in an earlier epoch, in shard order
     * @param cut whether limits kept newer verified heads out
     */
    record Content(List<VerifiedHead> heads, List<Added> added, boolean cut) {
        List<ShardHead> shardHeads() {
            return heads.stream().map(VerifiedHead::head).toList();
        }

        /** Of what each shard adds. */
        List<Long> sizesBytes() {
            return added.stream().map(Added::sizeBytes).toList();
        }

        Counts counts() {
            return heads.stream().map(VerifiedHead::counts).reduce(Counts.NONE, Counts::plus);
        }
    }

    /**
     * Takes each shard's newest verified head within the limits; never waits for one.
     *
     * @param leavesMax of the epoch, shared evenly by the shards
     * @param bytesMax of the epoch, shared evenly by the shards; a single delta that exceeds its share is taken alone
     * @return empty when no shard has anything new
     */
    Optional<Content> takeNewest(long leavesMax, long bytesMax) {
        lock.lock();
        try {
            requireReading();
            List<VerifiedHead> heads = new ArrayList<>();
            boolean anyNew = false;
            boolean cut = false;
            for (ShardReplica replica : replicas) {
                VerifiedHead head = replica.newestVerified(leavesMax / shards(), bytesMax / shards());
                anyNew |= replica.isNew(head);
                cut |= !head.equals(replica.newestVerified());
                heads.add(head);
            }
            return anyNew ? Optional.of(take(heads, cut)) : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes exactly these heads, waiting until each was recomputed.
     *
     * @param own whether this generation published them: they stand where its sequencer's deltas end
     * @return empty if that took longer than the time given; nothing was taken then
     * @throws FatalDoubtException if what was recomputed differs
     */
    Optional<Content> takeExactly(List<ShardHead> published, boolean own, long waitMillis) throws InterruptedException {
        lock.lock();
        try {
            long remainingNanos = TimeUnit.MILLISECONDS.toNanos(waitMillis);
            while (true) {
                requireReading();
                List<VerifiedHead> heads = new ArrayList<>();
                for (ShardHead head : published) {
                    ShardReplica replica = replicas.get(head.shard());
                    (own ? replica.verified(head) : replica.recomputed(head)).ifPresent(heads::add);
                }
                if (heads.size() == published.size()) {
                    return Optional.of(take(heads, false));
                }
                if (remainingNanos <= 0) {
                    return Optional.empty();
                }
                remainingNanos = changed.awaitNanos(remainingNanos);
            }
        } finally {
            lock.unlock();
        }
    }

    /** No more heads of an older generation are to be met. */
    void follow() {
        for (int shard = 0; shard < replicas.size(); shard++) {
            feed(shard, ShardReplica::follow);
        }
    }

    /** Each shard's compact range at the head taken last, in shard order; copies. */
    List<CompactRange> takenRanges() {
        lock.lock();
        try {
            return replicas.stream().map(ShardReplica::takenRange).toList();
        } finally {
            lock.unlock();
        }
    }

    /** The newest generation of which any shard has seen a delta. */
    int newestGeneration() {
        lock.lock();
        try {
            return replicas.stream()
                    .mapToInt(ShardReplica::newestGeneration)
                    .max()
                    .orElse(0);
        } finally {
            lock.unlock();
        }
    }

    /** Whether each shard can be resumed from the head taken last. */
    boolean canResume() {
        lock.lock();
        try {
            return replicas.stream().allMatch(ShardReplica::canResume);
        } finally {
            lock.unlock();
        }
    }

    /** Of all shards at the heads taken last, in shard order. */
    List<ShardReplica.ResumePoint> resumePoints() {
        lock.lock();
        try {
            return replicas.stream().map(ShardReplica::resumePoint).toList();
        } finally {
            lock.unlock();
        }
    }

    private Content take(List<VerifiedHead> heads, boolean cut) {
        List<Added> added = new ArrayList<>();
        for (VerifiedHead head : heads) {
            added.add(replicas.get(head.head().shard()).take(head));
        }
        return new Content(List.copyOf(heads), added, cut);
    }

    private void requireReading() {
        if (readingFailure instanceof FatalDoubtException doubt) {
            throw doubt;
        }
        if (readingEnded) {
            throw new FatalDoubtException("reading of topics events, sealed and outcomes ended", readingFailure);
        }
    }
}
