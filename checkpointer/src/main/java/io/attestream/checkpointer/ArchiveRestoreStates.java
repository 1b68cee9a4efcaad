// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowBlocks;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;

/**
 * Goes once through the archive up to a published epoch, verifying all of it, and gives the state of every shard there: what a
 * snapshot remembers, and by the way every leaf and outcome, so that others can make their own state of them. Window blocks that the
 * state needs and the store lost are written. For one use.
 */
public final class ArchiveRestoreStates {
    /** Of each shard, in memory; a pack has as many leaves at most. */
    private static final int BLOCKS_KEPT = 2;

    private final NoteVerifier key;
    private final ObjectStore store;
    private final Taker taker;
    private final ArchiveCheck.Listener listener;

    /** Is handed what the archive has, of each shard in its order. Nothing may come of it before the end was found good. */
    public interface Taker {
        void leaf(int shard, LeafRecord leaf);

        /** What became of a record that is no leaf. */
        void outcome(int shard, OutcomeRecord outcome);

        /** A published epoch logged it; all its leaves came before. */
        void pack(PackName pack);
    }

    /** Makes the processors' state of what the archive has. */
    public interface States extends Taker {
        /**
         * Writes it, where the processors of a generation will find it.
         *
         * @throws InvalidFormat if it is not that of what was taken
         */
        void write(Result.Read archive, int incarnation, int generation, Uuid eventsTopicId)
                throws IOException, InvalidFormat;
    }

    /** Makes what takes the state of so many shards. */
    public interface StatesOf {
        States shards(int shards);
    }

    /** What came of it. */
    public sealed interface Result {
        /**
         * All was as published.
         *
         * @param epoch the last one
         * @param generation of the processors whose heads it has
         * @param shards in shard order, as if their claims began at the first records of topics that are still empty
         * @param blocks to read their windows with
         */
        record Read(long epoch, int generation, long leaves, List<ShardSnapshot> shards, WindowBlocks blocks)
                implements Result {
            public Read {
                shards = List.copyOf(shards);
            }

            /** Of an earlier epoch with the same heads. */
            Read asOf(long earlierEpoch) {
                return new Read(earlierEpoch, generation, leaves, shards, blocks);
            }

            /** Of topics whose first claims behind it come at these offsets, or later. */
            Read claimedFrom(List<Long> sealedOffsets, List<Long> outcomesOffsets) {
                List<ShardSnapshot> claimed = new ArrayList<>();
                for (ShardSnapshot state : shards) {
                    int shard = state.head().shard();
                    claimed.add(new ShardSnapshot(
                            state.head(),
                            state.frontier(),
                            state.counts(),
                            state.controls(),
                            state.windowFirst(),
                            state.window(),
                            sealedOffsets.get(shard),
                            outcomesOffsets.get(shard),
                            state.leafSizeBytes()));
                }
                return new Read(epoch, generation, leaves, claimed, blocks);
            }
        }

        /** The archive is not what was published. */
        record Refused(List<ArchiveCheck.Finding> findings, long found) implements Result {
            public Refused {
                findings = List.copyOf(findings);
            }
        }

        /** Nothing can be said. */
        record Undecided(String detail) implements Result {}
    }

    static final Taker NOTHING = new Taker() {
        @Override
        public void leaf(int shard, LeafRecord leaf) {}

        @Override
        public void outcome(int shard, OutcomeRecord outcome) {}

        @Override
        public void pack(PackName pack) {}
    };

    public ArchiveRestoreStates(NoteVerifier key, ObjectStore store, Taker taker, ArchiveCheck.Listener listener) {
        this.key = key;
        this.store = store;
        this.taker = taker;
        this.listener = listener;
    }

    /**
     * @param epoch the last one to be read
     * @param kept a verified ledger checkpoint somebody kept, which must be among those published
     */
    public Result run(long epoch, Optional<Checkpoint> kept) throws InterruptedException {
        LogRecord.Published last;
        try {
            last = new StoredEpochs(store)
                    .get(epoch)
                    .orElseThrow(() -> new IOException("the object store has no epoch " + epoch));
        } catch (IOException e) {
            return new Result.Undecided(String.valueOf(e.getMessage()));
        } catch (FatalDoubtException e) {
            return refused(ObjectNames.epoch(epoch), "an epoch object", String.valueOf(e.getMessage()));
        }
        try {
            return run(last, kept);
        } catch (IOException e) {
            return new Result.Undecided(String.valueOf(e.getMessage()));
        }
    }

    /** As {@link #run}, for whom all of it has to be good. */
    Result.Read requireRead(long epoch, Optional<Checkpoint> kept)
            throws IOException, RefusedException, InterruptedException {
        Result result = run(epoch, kept);
        if (result instanceof Result.Read read) {
            return read;
        }
        if (result instanceof Result.Refused refused) {
            throw new RefusedException(refused.findings().stream()
                    .map(finding -> "object " + finding.object() + ": expected " + finding.expected() + ", found "
                            + finding.actual())
                    .toList());
        }
        throw new IOException(((Result.Undecided) result).detail());
    }

    private static Result refused(String object, String expected, String actual) {
        return new Result.Refused(List.of(new ArchiveCheck.Finding(object, expected, actual)), 1);
    }

    private Result run(LogRecord.Published last, Optional<Checkpoint> kept) throws IOException, InterruptedException {
        int shardCount = last.intent().heads().size();
        new StoredEpochs(store).healKeySteps(new Ledger(key.keyName(), key, shardCount, store));
        Reading reading = new Reading();
        ArchiveCheck check =
                ArchiveCheck.openAlone(key, store, Long.MAX_VALUE, listener).upTo(last.epoch() + 1, reading);
        ArchiveCheck.Result result = check.run(kept);
        if (result instanceof ArchiveCheck.Result.Undecided undecided) {
            return new Result.Undecided(undecided.detail());
        }
        ArchiveCheck.Report report = ((ArchiveCheck.Result.Checked) result).report();
        if (report.found() > 0) {
            return new Result.Refused(report.findings(), report.found());
        }
        List<ShardSnapshot> shards = new ArrayList<>();
        for (ArchivedShard shard : check.shards()) {
            shards.add(state(shard, last.intent().heads().get(shards.size())));
        }
        for (ShardSnapshot shard : shards) {
            for (WindowName block : shard.window()) {
                if (!makeSure(block, reading.kept(block))) {
                    return refused(block.name(), "a window block", "none, or a damaged one, and packs do not give it");
                }
            }
        }
        StoredSnapshots stored = new StoredSnapshots(
                store, new Ledger(key.keyName(), key, last.intent().heads().size(), store));
        return new Result.Read(last.epoch(), last.intent().generation(), report.leaves(), shards, stored::block);
    }

    private ShardSnapshot state(ArchivedShard shard, ShardHead head) throws IOException {
        ShardWindow window = shard.window().orElseThrow(() -> nothingFound(head));
        List<WindowName> blocks = new ArrayList<>(window.fullBlocks());
        Optional<ShardWindow.Block> open =
                window.openBlock().filter(block -> block.name().end() > window.first());
        if (open.isPresent()) {
            put(open.get());
            blocks.add(open.get().name());
        }
        return new ShardSnapshot(
                head,
                shard.range().orElseThrow(() -> nothingFound(head)).hashes(),
                shard.counts().orElseThrow(() -> nothingFound(head)).asMap(),
                window.controls(),
                window.first(),
                blocks,
                0,
                0,
                shard.leafSizeBytes());
    }

    private static IllegalStateException nothingFound(ShardHead head) {
        return new IllegalStateException("nothing was found wrong, and shard " + head.shard() + " is not known");
    }

    private void put(ShardWindow.Block block) throws IOException {
        if (store.putIfAbsent(block.name().name(), block.object()) instanceof ObjectStore.PutResult.DifferentBytes) {
            store.replace(block.name().name(), block.object()); // it has to have the digest in its name
        }
    }

    /** A checkpointer wrote it when it was full; if it is gone since, packs give it, or it is one of the last. */
    private boolean makeSure(WindowName name, Optional<ShardWindow.Block> kept) throws IOException {
        if (isThere(name)) {
            return true;
        }
        if (kept.isPresent()) {
            put(kept.get());
            return true;
        }
        return new WindowRepair(store).repair(name);
    }

    private boolean isThere(WindowName name) throws IOException {
        try {
            Optional<byte[]> object = store.get(name.name());
            return object.isPresent()
                    && WindowBlock.parse(name, object.get()).name().equals(name);
        } catch (InvalidFormat e) {
            return false; // is made again
        }
    }

    /** Hands on, and keeps the newest full window blocks, whose leaves may be in no pack yet. */
    private final class Reading implements ArchiveCheck.Taker {
        private final Map<Integer, Deque<ShardWindow.Block>> newest = new HashMap<>();

        @Override
        public void leaf(int shard, LeafRecord leaf) {
            taker.leaf(shard, leaf);
        }

        @Override
        public void outcome(int shard, OutcomeRecord outcome) {
            taker.outcome(shard, outcome);
        }

        @Override
        public void epoch(LogRecord.Published published) {
            PackChain.logged(published.intent()).forEach(taker::pack);
        }

        @Override
        public void block(ShardWindow.Block block) {
            Deque<ShardWindow.Block> last = newest.computeIfAbsent(block.name().shard(), any -> new ArrayDeque<>());
            last.addLast(block);
            if (last.size() > BLOCKS_KEPT) {
                last.removeFirst();
            }
        }

        Optional<ShardWindow.Block> kept(WindowName name) {
            return newest.getOrDefault(name.shard(), new ArrayDeque<>()).stream()
                    .filter(block -> block.name().equals(name))
                    .findFirst();
        }
    }
}
