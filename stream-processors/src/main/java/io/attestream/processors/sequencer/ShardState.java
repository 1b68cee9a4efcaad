// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.IdentityWindow;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.schemas.avro.Head;
import io.attestream.schemas.avro.Root32;
import io.attestream.schemas.avro.Sealed;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The state of one shard and its one transition: take a record, decide, extend the tree, put the state.
 *
 * <p>Free of Kafka: stores come in as {@link Stores}, results go out as values. So a replay can be tested against any other
 * way of feeding the same records. Not thread-safe.
 */
final class ShardState {
    private static final int TILE = WindowTile.LEAVES;

    private final int shard;
    private final Stores stores;
    private final Decider decider;
    private final Edge edge;
    private IdentityWindow window;
    private CompactRange range;

    /** Where the state is kept. A put is part of the transaction of the record being processed. */
    interface Stores {
        byte @Nullable [] edge();

        void putEdge(byte[] edge);

        byte @Nullable [] tile(byte[] key);

        void putTile(byte[] key, byte[] tile);

        void deleteTile(byte[] key);

        /** The control record in force, as it is logged. */
        byte @Nullable [] control();

        void putControl(byte[] control);
    }

    private ShardState(int shard, Stores stores, Decider decider, Edge edge, IdentityWindow window) {
        this.shard = shard;
        this.stores = stores;
        this.decider = decider;
        this.edge = edge;
        this.window = window;
        this.range = edge.range();
    }

    /**
     * Takes up the stored state, or begins a new one.
     *
     * @param changelogs identity of the changelog topics; 32 bytes
     * @throws IntegrityException if parts of the state are not of one life
     */
    static ShardState open(
            int shard,
            int shards,
            int generation,
            int incarnation,
            byte[] changelogs,
            NoteVerifier key,
            Stores stores) {
        Decider decider = new Decider(shard, shards, key);
        byte[] stored = stores.edge();
        byte[] control = stores.control();
        if (stored == null) {
            if (control != null) {
                throw new IntegrityException(
                        "shard " + shard
                                + " has a control record but no edge record: its changelog was lost or truncated; restore the state");
            }
            Edge fresh = Edge.empty(generation, incarnation, changelogs);
            return new ShardState(shard, stores, decider, fresh, new IdentityWindow(TILE));
        }
        Edge edge = Edge.of(stored);
        requireSameLife(shard, edge, generation, incarnation, changelogs);
        if (control == null) {
            throw new IntegrityException("shard " + shard + " has " + edge.size()
                    + " leaves but no control record: its changelog was lost or truncated; restore the state");
        }
        decider.use(read(shard, control, key));
        return new ShardState(shard, stores, decider, edge, rebuildWindow(edge, stores));
    }

    private static void requireSameLife(int shard, Edge edge, int generation, int incarnation, byte[] changelogs) {
        if (edge.generation() != generation || edge.incarnation() != incarnation) {
            throw new IntegrityException("shard " + shard + " has state of generation " + edge.generation()
                    + " incarnation " + edge.incarnation() + ", this process runs generation " + generation
                    + " incarnation " + incarnation + ": it needs a state directory of its own");
        }
        if (!Arrays.equals(edge.changelogs(), changelogs)) {
            throw new IntegrityException("shard " + shard
                    + " has state written to other changelog topics than those there are: a changelog was replaced."
                    + " Going on would mix two states; restore into a new generation");
        }
    }

    private static Control read(int shard, byte[] control, NoteVerifier key) {
        try {
            return ControlRecord.read(control, key);
        } catch (io.attestream.proofs.InvalidFormat e) {
            throw new IntegrityException(
                    "shard " + shard + " has a control record in its state that is not valid: " + e.getMessage(), e);
        }
    }

    private static IdentityWindow rebuildWindow(Edge edge, Stores stores) {
        long windowLeaves = edge.windowLeaves();
        long first = Math.max(edge.windowFloor(), Math.max(0, edge.size() - windowLeaves));
        IdentityWindow window = IdentityWindow.startingAt(first, windowLeaves);
        for (long tile = first / TILE; tile < edge.size() / TILE; tile++) {
            byte[] stored = stores.tile(WindowTile.key(tile, windowLeaves));
            if (stored == null) {
                throw new IntegrityException("the dedup window lacks tile " + tile
                        + ": its changelog was lost or truncated; restore the state");
            }
            WindowTile.appendTo(window, stored, tile);
        }
        for (int i = (int) (window.size() - edge.tailStart()); i < edge.tailLength(); i++) {
            EntryKind kind = edge.kindCode(i) == EntryKind.EVENT.code() ? EntryKind.EVENT : EntryKind.CONFLICT;
            window.append(kind, edge.raw(), edge.digestAt(i), edge.raw(), edge.tagAt(i));
        }
        return window;
    }

    /** Whether the shard has neither leaves nor a position. */
    boolean isNew() {
        return edge.size() == 0;
    }

    long nextOffset() {
        return edge.nextOffset();
    }

    long size() {
        return edge.size();
    }

    IdentityWindow window() {
        return window;
    }

    /**
     * Takes the next record.
     *
     * @return the decision; the delta to forward now if the record completed a tile
     * @throws IntegrityException if the offset goes back
     */
    Step accept(long offset, long timestampMillis, byte @Nullable [] value) {
        if (offset < edge.nextOffset()) {
            throw new IntegrityException(
                    "shard " + shard + " was given offset " + offset + ", its state has accounted for all"
                            + " below " + edge.nextOffset()
                            + ": the group's offsets went back, or the state is of a later time."
                            + " Nothing was changed");
        }
        Decision decision = decider.decide(window, offset, timestampMillis, value);
        Optional<Sealed> delta = Optional.empty();
        if (decision instanceof Decision.Leaf leaf) {
            delta = append(leaf, offset, timestampMillis);
            if (leaf.control() != null && value != null) {
                use(leaf.control(), ControlRecord.ofValue(value));
            }
        } else {
            edge.setNextOffset(offset + 1);
        }
        stores.putEdge(edge.raw());
        return new Step(decision, delta);
    }

    /** What a record led to. */
    record Step(Decision decision, Optional<Sealed> delta) {}

    private Optional<Sealed> append(Decision.Leaf leaf, long offset, long timestampMillis) {
        boolean lastOfTile = edge.isLastOfTile();
        range.append(leaf.leafHash(), 0);
        window.append(leaf.kind(), leaf.identityDigest(), 0, leaf.contentTag(), 0);
        if (!lastOfTile) {
            edge.append(
                    leaf.kind(), leaf.leafHash(), leaf.identityDigest(), leaf.contentTag(), offset, timestampMillis);
            edge.setNextOffset(offset + 1);
            return Optional.empty();
        }
        edge.setNextOffset(offset + 1);
        Sealed delta = delta(new LastLeaf(leaf, offset, timestampMillis));
        long tile = edge.size() / TILE;
        edge.closeTile(range);
        edge.setSealed(edge.size(), edge.nextOffset());
        stores.putTile(WindowTile.key(tile, window.windowLeaves()), WindowTile.encode(tile, window));
        return Optional.of(delta);
    }

    /** The 256th leaf of a tile: forwarded with the others and never stored in the edge. */
    private record LastLeaf(Decision.Leaf leaf, long offset, long timestampMillis) {}

    private void use(Control control, byte[] bytes) {
        long oldSlots = edge.windowLeaves() / TILE;
        long windowLeaves = control.rules().dedupWindowLeaves();
        decider.use(control);
        stores.putControl(bytes);
        if (windowLeaves != window.windowLeaves()) {
            window.resize(windowLeaves);
            moveTiles(oldSlots, windowLeaves);
        }
        edge.setRules(control.rules().version(), windowLeaves, window.firstLeaf());
    }

    /** Puts the tiles of the window where a window of the new length expects them. */
    private void moveTiles(long oldSlots, long windowLeaves) {
        for (long slot = windowLeaves / TILE; slot < oldSlots; slot++) {
            stores.deleteTile(WindowTile.slotKey(slot));
        }
        for (long tile = window.firstLeaf() / TILE; tile < edge.size() / TILE; tile++) {
            stores.putTile(WindowTile.key(tile, windowLeaves), WindowTile.encode(tile, window));
        }
    }

    /** The delta of everything not forwarded yet; empty if nothing is new. */
    Optional<Sealed> seal() {
        if (edge.sealedSize() == edge.size() && edge.sealedNextOffset() == edge.nextOffset()) {
            return Optional.empty();
        }
        Sealed delta = delta(null);
        edge.setSealed(edge.size(), edge.nextOffset());
        stores.putEdge(edge.raw());
        return Optional.of(delta);
    }

    private Sealed delta(@Nullable LastLeaf last) {
        int from = (int) (edge.sealedSize() - edge.tailStart());
        int inEdge = edge.tailLength() - from;
        int count = inEdge + (last == null ? 0 : 1);
        ByteBuffer kinds = ByteBuffer.allocate(count);
        ByteBuffer hashes = ByteBuffer.allocate(32 * count);
        ByteBuffer digests = ByteBuffer.allocate(16 * count);
        List<Long> offsets = new ArrayList<>(count);
        List<Long> timestamps = new ArrayList<>(count);
        for (int i = from; i < edge.tailLength(); i++) {
            kinds.put(edge.kindCode(i));
            hashes.put(edge.raw(), edge.hashAt(i), 32);
            digests.put(edge.raw(), edge.digestAt(i), 16);
            offsets.add(edge.offset(i));
            timestamps.add(edge.timestampMillis(i));
        }
        if (last != null) {
            kinds.put(last.leaf().kind().code());
            hashes.put(last.leaf().leafHash());
            digests.put(last.leaf().identityDigest());
            offsets.add(last.offset());
            timestamps.add(last.timestampMillis());
        }
        Head head = new Head(range.size().value(), new Root32(range.root().bytes()), edge.nextOffset());
        return new Sealed(
                shard,
                edge.incarnation(),
                edge.generation(),
                edge.sealedSize(),
                kinds.flip(),
                hashes.flip(),
                offsets,
                timestamps,
                digests.flip(),
                head);
    }
}
