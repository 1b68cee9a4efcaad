// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The publishing thread's life: replay what was published and hold it against our own recomputation, finish what a
 * predecessor left open, then publish an epoch whenever there is something new.
 */
final class Checkpointer {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpointer.class);
    private static final long PROGRESS_MILLIS = 5_000;

    /** An epoch leaf has at most 65,535 bytes, a name and a digest some 200. */
    private static final int LOGGED_MAX = 128;

    /** How often and how much. */
    record Pace(long intervalMillis, long shardNotesIntervalMillis, long epochLeavesMax, long epochSizeBytesMax) {}

    private final Backlog backlog;
    private final Runnable topicCheck;
    private final int generation;
    private final CheckpointLog log;
    private final CheckpointHistory history;
    private final Guard guard;
    private final SigningKeys signingKeys;
    private final PendingKeys pendingKeys;
    private final EpochArchive archive;
    private final Signer signer;
    private final PublishPath path;
    private final Unpacked unpacked;
    private final Packer packer;
    private final Snapshots snapshots;
    /** What this began with, instead of the first records. */
    private final Optional<Snapshot> start;

    private final EpochAssembler assembler;
    private final CheckpointerMetrics metrics;
    private final Pace pace;
    private final Clock clock;
    private final Clock steady;
    private final CountDownLatch stop = new CountDownLatch(1);

    private final Optional<SnapshotName> startName;
    /** Of each shard's leaves, roughly, as the snapshot has them. */
    private final List<Long> leafSizesBytes;

    private List<ShardHead> notedHeads;
    private long shardNotesDueMillis;
    private long progressDueMillis;
    private volatile boolean replayed;
    private volatile long lastRoundMillis;

    /**
     * @param topicCheck run before anything is signed; fails if topic {@code events} is not the ledger's any more
     * @param clock the time that is recorded
     * @param steady what is due, and for how long, is told by: it cannot be set, and nothing waits for a time that was set back
     */
    Checkpointer(
            Ledger ledger,
            int generation,
            Backlog backlog,
            Runnable topicCheck,
            CheckpointLog log,
            EpochArchive archive,
            Guard guard,
            SigningKeys signingKeys,
            PendingKeys pendingKeys,
            Signer signer,
            Unpacked unpacked,
            Packer packer,
            Snapshots snapshots,
            Optional<StoredSnapshots.Stored> start,
            CheckpointerMetrics metrics,
            Pace pace,
            Clock clock,
            Clock steady,
            StepListener steps) {
        this.backlog = backlog;
        this.topicCheck = topicCheck;
        this.log = log;
        this.generation = generation;
        this.history = new CheckpointHistory(ledger, generation);
        this.guard = guard;
        this.signingKeys = signingKeys;
        this.pendingKeys = pendingKeys;
        this.archive = archive;
        this.signer = signer;
        this.unpacked = unpacked;
        this.packer = packer;
        this.snapshots = snapshots;
        this.start = start.map(StoredSnapshots.Stored::manifest);
        this.startName = start.map(StoredSnapshots.Stored::name);
        this.leafSizesBytes = start.map(Checkpointer::leafSizesBytes).orElse(List.of());
        this.assembler = new EpochAssembler(ledger);
        this.metrics = metrics;
        this.pace = pace;
        this.clock = clock;
        this.steady = steady;
        this.notedHeads = ledger.emptyHeads();
        this.lastRoundMillis = steady.millis();
        this.progressDueMillis = steady.millis() + PROGRESS_MILLIS;
        this.path = new PublishPath(archive, log, history, guard, signer, generation, alive(steps));
    }

    /**
     * Runs until {@link #stop}.
     *
     * @throws FatalDoubtException if anything is not as it must be; the process must end then
     */
    void run() throws InterruptedException {
        takeUp();
        long next = steady.millis();
        while (stop.getCount() > 0) {
            boolean more = publishNewest();
            publishShardNotesIfDue();
            takeSnapshotIfDue();
            lastRoundMillis = steady.millis();
            next = Math.max(next + (more ? 0 : pace.intervalMillis()), lastRoundMillis);
            if (stop.await(next - lastRoundMillis, TimeUnit.MILLISECONDS)) {
                return;
            }
        }
    }

    /** Ends {@link #run} after the epoch under way; from any thread. */
    void stop() {
        stop.countDown();
    }

    /** Everything published before this process started was recomputed and agrees. */
    boolean isReplayed() {
        return replayed;
    }

    /** A step that takes long is no round that is stuck. */
    private StepListener alive(StepListener steps) {
        return new StepListener() {
            @Override
            public void reached(PublishStep step, long epoch) {
                lastRoundMillis = steady.millis();
                steps.reached(step, epoch);
            }

            @Override
            public void signed(long epoch, String note) {
                steps.signed(epoch, note);
            }
        };
    }

    /** When the publishing thread last finished a round or a step, or made progress in the replay. */
    long lastRoundMillis() {
        return lastRoundMillis;
    }

    // ---- taking up where a predecessor stopped

    /** Nothing is signed before all that was published has been recomputed and found equal. */
    void takeUp() throws InterruptedException {
        log.readToEnd(this::replay);
        requireStartSigned();
        pendingKeys.begin(history.keys(), history.keysAfterOpen(), signingKeys);
        requireSnapshotPublished();
        guard.requireNoneFrom(history.nextEpoch());
        pendingKeys.write(archive);
        if (history.lastPublished().isPresent()) {
            EpochIntent last = history.lastPublished().get().intent();
            guard.requireEquals(last, history.keys());
            path.requireArchived(history.lastPublished().get());
            signer.resume(history.lastPublished().get(), history.ledgerRange(), backlog.takenRanges(), history.keys());
            LOG.info("replayed to epoch {}: {}", last.epoch(), last.heads());
        } else {
            LOG.info("the ledger has no epoch yet");
        }
        Optional<EpochIntent> open = history.openIntent();
        if (open.isPresent()) {
            LOG.info(
                    "rolling forward epoch {}, whose intent was committed and not published",
                    open.get().epoch());
            Backlog.Content own = requireRecomputed(open.get());
            topicCheck.run();
            metrics.begun(open.get().heads());
            path.rollForward(open.get(), own.added());
            published(open.get(), own);
            metrics.published(history, own.added(), clock.millis());
        }
        backlog.follow();
        metrics.replayed(history);
        replayed = true;
    }

    private void replay(LogRecord record) {
        List<ShardHead> before = history.publishedHeads();
        CompactRange ledgerBefore = history.ledgerRange();
        history.accept(record);
        if (record instanceof LogRecord.Published published) {
            EpochIntent intent = published.intent();
            path.requireKeySteps(published, ledgerBefore);
            if (start.isPresent() && intent.epoch() <= start.get().epoch()) {
                passOver(start.get(), intent, before);
            } else {
                published(intent, requireRecomputed(intent));
            }
            metrics.replayed(history);
            logProgress(intent);
        }
    }

    private void published(EpochIntent intent, Backlog.Content content) {
        unpacked.published(intent, content.sizesBytes(), steady.millis(), clock.millis());
        snapshots.published(intent, content.added());
    }

    /** It was recomputed before the snapshot was signed, whose heads have to be those published. */
    private void passOver(Snapshot snapshot, EpochIntent intent, List<ShardHead> before) {
        if (intent.epoch() == snapshot.epoch()
                && !(intent.heads().equals(snapshot.heads())
                        && history.ledgerRange().hashes().equals(snapshot.ledgerFrontier()))) {
            throw new FatalDoubtException("snapshot of epoch " + snapshot.epoch() + " has heads " + snapshot.heads()
                    + ", published were " + intent.heads()
                    + ": topic checkpoints was rewritten. Nothing was signed; compare it with its backup");
        }
        List<Long> sizesBytes = new ArrayList<>();
        for (ShardHead head : intent.heads()) {
            long leaves = head.size().value() - before.get(head.shard()).size().value();
            sizesBytes.add(leaves * leafSizesBytes.get(head.shard()));
        }
        unpacked.published(intent, sizesBytes, steady.millis(), clock.millis());
    }

    private static List<Long> leafSizesBytes(StoredSnapshots.Stored snapshot) {
        return snapshot.shards().stream()
                .map(shard -> shard.state().leafSizeBytes())
                .toList();
    }

    /** It was chosen by the keys the object store proves, which may have lost some: now all that were logged are known. */
    private void requireStartSigned() {
        if (startName.isEmpty()) {
            return;
        }
        try {
            snapshots.requireSigned(startName.get(), history.keys());
        } catch (IOException | InvalidFormat e) {
            throw new FatalDoubtException(
                    "the snapshot this began with, " + startName.get().name() + ", does not hold: " + e.getMessage()
                            + ". Nothing was signed; find out who wrote it, and begin without snapshots"
                            + " (attestream.snapshots.ignored)",
                    e);
        }
    }

    /** Nothing that was published may be gone from the topic, nor a written snapshot stay unlogged. */
    private void requireSnapshotPublished() {
        if (start.isEmpty()) {
            return;
        }
        long epoch = start.get().epoch();
        if (history.nextEpoch() <= epoch) {
            throw new FatalDoubtException("there is a snapshot of epoch " + epoch
                    + ", topic checkpoints ends before it at epoch " + (history.nextEpoch() - 1)
                    + ": it lost records. Nothing was signed; restore it");
        }
        if (history.newestSnapshot().map(SnapshotName::epoch).orElse(-1L) < epoch) {
            startName.ifPresent(snapshots::log);
        }
    }

    private void logProgress(EpochIntent done) {
        long now = steady.millis();
        if (now >= progressDueMillis) {
            progressDueMillis = now + PROGRESS_MILLIS;
            LOG.info("replaying: epoch {} agrees, {}", done.epoch(), done.heads());
        }
    }

    /** Waits until our own recomputation has reached an epoch's heads, and demands the same roots and counts. */
    private Backlog.Content requireRecomputed(EpochIntent intent) {
        Backlog.Content own = awaitHeads(intent);
        EpochLeaf leaf = EpochObjects.leaf(intent);
        if (!leaf.counts().equals(own.counts().asMap())) {
            throw new FatalDoubtException("epoch " + intent.epoch() + " was published with counts " + leaf.counts()
                    + ", recomputed are " + own.counts().asMap());
        }
        return own;
    }

    private Backlog.Content awaitHeads(EpochIntent intent) {
        boolean own = intent.generation() == generation;
        if (own) {
            backlog.follow();
        }
        try {
            while (true) {
                Optional<Backlog.Content> content = backlog.takeExactly(intent.heads(), own, PROGRESS_MILLIS);
                lastRoundMillis = steady.millis();
                if (content.isPresent()) {
                    return content.get();
                }
                if (stop.getCount() == 0) {
                    throw new FatalDoubtException("told to stop during the replay; nothing was signed");
                }
                logReplay(intent);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new FatalDoubtException("interrupted during the replay; nothing was signed", e);
        }
    }

    private void logReplay(EpochIntent waitedFor) {
        for (ShardHead head : waitedFor.heads()) {
            long decided = backlog.look(head.shard(), ShardReplica::decidedTo);
            if (decided < head.nextOffset()) {
                LOG.info(
                        "replaying: epoch {} needs shard {} up to offset {}, read up to {}",
                        waitedFor.epoch(),
                        head.shard(),
                        head.nextOffset(),
                        decided);
            } else if (backlog.look(head.shard(), replica -> !replica.hasMatched(head.nextOffset()))) {
                LOG.info(
                        "replaying: epoch {} needs shard {} up to offset {}, which the processors of this generation"
                                + " have not sealed: are they running?",
                        waitedFor.epoch(),
                        head.shard(),
                        head.nextOffset());
            }
        }
    }

    // ---- going on

    /**
     * One round: publishes an epoch if any shard has something new.
     *
     * @return whether limits kept something back that could be published at once
     */
    boolean publishNewest() {
        Optional<Backlog.Content> content = backlog.takeNewest(pace.epochLeavesMax(), pace.epochSizeBytesMax());
        if (content.isEmpty()) {
            return false;
        }
        topicCheck.run();
        EpochAssembler.Epoch epoch = assembler.assemble(history.ledgerRange(), content.get(), logged(), clock.millis());
        metrics.begun(epoch.heads());
        EpochIntent intent = path.publish(epoch);
        published(intent, content.get());
        metrics.published(history, content.get().added(), clock.millis());
        return content.get().cut();
    }

    private List<EpochLeaf.Logged> logged() {
        List<EpochLeaf.Logged> changes = pendingKeys.ready(history.keys());
        if (!changes.isEmpty()) {
            return changes; // alone, so that the published history of keys stays small
        }
        List<EpochLeaf.Logged> logged = new ArrayList<>(snapshots.ready());
        logged.addAll(packer.ready(LOGGED_MAX));
        return logged;
    }

    void takeSnapshotIfDue() {
        history.lastPublished()
                .ifPresent(last -> snapshots.takeIfDue(last.intent(), history.ledgerRange(), backlog, signer));
    }

    private void publishShardNotesIfDue() {
        long now = steady.millis();
        if (now < shardNotesDueMillis) {
            return;
        }
        List<Integer> grown = new ArrayList<>();
        for (ShardHead head : history.publishedHeads()) {
            if (!head.size().equals(notedHeads.get(head.shard()).size())) {
                grown.add(head.shard());
            }
        }
        if (!grown.isEmpty()) {
            path.publishShardNotes(grown);
            notedHeads = history.publishedHeads();
            shardNotesDueMillis = now + pace.shardNotesIntervalMillis();
        }
    }
}
