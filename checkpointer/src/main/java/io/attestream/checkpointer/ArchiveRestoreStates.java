// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.WindowBlocks;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.entry.IdentityWindow;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Goes once through the archive up to a published epoch, verifying all of it, and gives the state of every shard there: what a
 * snapshot remembers, and by the way every leaf and outcome, so that others can make their own state of them. Window blocks that the
 * state needs and the store lost are written. For one use.
 */
public final class ArchiveRestoreStates {
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
        try {
            LogRecord.Published last = new StoredEpochs(store)
                    .get(epoch)
                    .orElseThrow(() -> new IOException("the object store has no epoch " + epoch));
            return run(last, kept);
        } catch (IOException | FatalDoubtException e) {
            return new Result.Undecided(String.valueOf(e.getMessage()));
        }
    }

    private Result run(LogRecord.Published last, Optional<Checkpoint> kept) throws IOException, InterruptedException {
        Reading reading = new Reading(last.intent().heads());
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
        reading.removeUnneeded(shards);
        StoredSnapshots stored = new StoredSnapshots(
                store, new Ledger(key.keyName(), key, last.intent().heads().size()));
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

    /** @return whether it was missing */
    private boolean put(ShardWindow.Block block) throws IOException {
        ObjectStore.PutResult result = store.putIfAbsent(block.name().name(), block.object());
        if (result instanceof ObjectStore.PutResult.DifferentBytes) {
            store.replace(block.name().name(), block.object()); // it has to have the digest in its name
        }
        return result instanceof ObjectStore.PutResult.Created;
    }

    /** Hands on, and keeps full window blocks that may be needed at the end. */
    private final class Reading implements ArchiveCheck.Taker {
        private final List<ShardHead> end;
        private final List<WindowName> made = new ArrayList<>();

        Reading(List<ShardHead> end) {
            this.end = end;
        }

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

        /** Later rules may make the window longer than it is now. */
        @Override
        public void block(ShardWindow.Block block) throws IOException {
            WindowName name = block.name();
            if (name.end() + IdentityWindow.MAX_WINDOW_LEAVES
                            > end.get(name.shard()).size().value()
                    && put(block)) {
                made.add(name);
            }
        }

        void removeUnneeded(List<ShardSnapshot> shards) throws IOException {
            for (WindowName name : made) {
                if (!shards.get(name.shard()).window().contains(name)) {
                    store.delete(name.name());
                }
            }
        }
    }
}
