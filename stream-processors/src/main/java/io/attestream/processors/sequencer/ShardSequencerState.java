// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowBlocks;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.IdentityWindow;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;

/**
 * Makes the sequencer's state of one shard out of the shard's leaves and of what a snapshot remembers of them, as if the sequencer
 * had come to its head, or to the first record of a new life of topic {@code events}. Needs the times of all tiles in the longest window there can
 * be, some 2 MB. Not thread-safe.
 */
public final class ShardSequencerState {
    private static final int TILE = WindowTile.LEAVES;

    /** Of full tiles, at their number mod the length. */
    private final long[] tileMillis = new long[(int) (IdentityWindow.MAX_WINDOW_LEAVES / TILE)];

    private final CompactRange range = CompactRange.empty();
    private CompactRange fullTiles = CompactRange.empty();
    private final List<LeafRecord> tail = new ArrayList<>();

    /** Is handed a record of a store. */
    public interface Records {
        void put(String store, byte[] key, byte[] value);
    }

    /** Which life the state is to belong to. */
    public record Life(int generation, int incarnation, Uuid eventsTopicId, byte[] changelogs) {}

    /** Takes the next leaf. */
    public void leaf(LeafRecord leaf) {
        if (tail.isEmpty()) {
            tileMillis[slot(range.size().value() / TILE)] = leaf.timestampMillis();
        }
        tail.add(leaf);
        range.append(Rfc6962.leafHash(leaf.entry()));
        if (tail.size() == TILE) {
            tail.clear();
            fullTiles = range.copy();
        }
    }

    private int slot(long tile) {
        return (int) (tile % tileMillis.length);
    }

    /**
     * Hands over what the stores hold.
     *
     * @param state of the shard at its last leaf; must not be empty
     * @throws InvalidFormat if the state is not that of the leaves, or cannot be used
     */
    public void write(ShardSnapshot state, WindowBlocks blocks, NoteVerifier key, Life life, Records to)
            throws IOException, InvalidFormat {
        if (!state.head().root().equals(range.root()) || !state.head().size().equals(range.size())) {
            throw new InvalidFormat("head", "is not that of the " + range.size() + " leaves there are");
        }
        byte[] control = state.controls().get(state.controls().size() - 1);
        Rules rules = ControlRecord.read(control, key).rules();
        IdentityWindow window = IdentityWindow.startingAt(state.windowFirst(), rules.dedupWindowLeaves());
        Edge edge = Edge.behind(
                new StateLife(life.generation(), life.incarnation(), life.eventsTopicId(), life.changelogs()),
                fullTiles);
        long tailStart = edge.size();
        for (WindowName name : state.window()) {
            WindowBlock block = blocks.read(name);
            for (long index = name.first(); index < name.end(); index++) {
                WindowBlock.Row row = block.row(index);
                if (index >= state.windowFirst()) {
                    window.append(row.kind(), row.identity(), 0, row.contentTag(), 0);
                }
                if (index >= tailStart) {
                    append(edge, tail.get((int) (index - tailStart)), row);
                }
            }
        }
        if (edge.size() != range.size().value()) {
            throw new InvalidFormat("window", "does not reach from the last full tile to the head");
        }
        long nextOffset = Math.max(state.head().nextOffset(), LedgerOffset.first(life.incarnation()));
        edge.setNextOffset(nextOffset);
        edge.setSealed(edge.size(), nextOffset);
        edge.setRules(rules.version(), rules.dedupWindowLeaves(), window.firstLeaf());
        for (long tile = window.firstLeaf() / TILE; tile < edge.size() / TILE; tile++) {
            to.put(
                    SequencerTopology.WINDOW_STORE,
                    WindowTile.key(tile, window.windowLeaves()),
                    WindowTile.encode(tile, tileMillis[slot(tile)], window));
        }
        to.put(SequencerTopology.RULES_STORE, SequencerTopology.CONTROL_KEY, control);
        to.put(SequencerTopology.EDGE_STORE, SequencerTopology.EDGE_KEY, edge.raw());
    }

    /** Of what is no event, the sequencer remembers neither identity nor tag. */
    private static void append(Edge edge, LeafRecord leaf, WindowBlock.Row row) {
        byte[] nothing = new byte[row.identity().length];
        boolean event = leaf.kind() == EntryKind.EVENT;
        edge.append(
                leaf.kind(),
                Rfc6962.leafHash(leaf.entry()).bytes(),
                event ? row.identity() : nothing,
                event ? row.contentTag() : nothing,
                leaf.offset(),
                leaf.timestampMillis());
    }
}
