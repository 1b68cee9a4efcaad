// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.InvalidFormat;
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
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
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
    private final IdentityWindow window;
    private final CompactRange range;
    /** Time of the first leaf of each full tile in the window, at its slot. */
    private long[] tileMillis;

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
        this.tileMillis = new long[slots(window.windowLeaves())];
    }

    private static int slots(long windowLeaves) {
        return (int) (windowLeaves / TILE);
    }

    /**
     * Takes up the stored state, or begins a new one.
     *
     * @throws IntegrityException if the state is of another life, or parts of it are missing
     */
    static ShardState open(int shard, int shards, StateLife life, NoteVerifier key, Stores stores) {
        Decider decider = new Decider(shard, shards, key);
        byte[] stored = stores.edge();
        byte[] control = stores.control();
        if (stored == null) {
            if (control != null) {
                throw new IntegrityException("shard " + shard + " has a control record but no edge record: a changelog"
                        + " was lost or truncated; restore the state");
            }
            return new ShardState(shard, stores, decider, Edge.empty(life), new IdentityWindow(TILE));
        }
        Edge edge = Edge.of(stored);
        edge.life().requireSame(shard, life);
        if (control == null) {
            throw new IntegrityException("shard " + shard + " has " + edge.size()
                    + " leaves but no control record: a changelog was lost or truncated; restore the state");
        }
        Control inForce = read(shard, control, key);
        if (inForce.rules().version() != edge.rulesVersion()
                || inForce.rules().dedupWindowLeaves() != edge.windowLeaves()) {
            throw new IntegrityException("shard " + shard + " has rules of version "
                    + inForce.rules().version() + " in its state, its edge record is under version "
                    + edge.rulesVersion() + ": a changelog was lost or truncated; restore the state");
        }
        decider.use(inForce);
        long first = Math.max(edge.windowFloor(), Math.max(0, edge.size() - edge.windowLeaves()));
        IdentityWindow window = IdentityWindow.startingAt(first, edge.windowLeaves());
        ShardState state = new ShardState(shard, stores, decider, edge, window);
        state.rebuildWindow();
        return state;
    }

    private static Control read(int shard, byte[] control, NoteVerifier key) {
        try {
            return ControlRecord.read(control, key);
        } catch (InvalidFormat e) {
            throw new IntegrityException(
                    "shard " + shard + " has a control record in its state that is not valid: " + e.getMessage(), e);
        }
    }

    private void rebuildWindow() {
        for (long tile = window.firstLeaf() / TILE; tile < edge.size() / TILE; tile++) {
            byte[] stored = stores.tile(WindowTile.key(tile, window.windowLeaves()));
            if (stored == null) {
                throw new IntegrityException("shard " + shard + ": the dedup window lacks tile " + tile
                        + ": a changelog was lost or truncated; restore the state");
            }
            WindowTile.appendTo(window, stored, tile);
            tileMillis[slot(tile)] = WindowTile.firstMillis(stored);
        }
        for (int i = (int) (window.size() - edge.tailStart()); i < edge.tailLength(); i++) {
            EntryKind kind = edge.kindCode(i) == EntryKind.EVENT.code() ? EntryKind.EVENT : EntryKind.CONFLICT;
            window.append(kind, edge.raw(), edge.digestAt(i), edge.raw(), edge.tagAt(i));
        }
    }

    private int slot(long tile) {
        return (int) (tile % tileMillis.length);
    }

    long nextOffset() {
        return edge.nextOffset();
    }

    long size() {
        return edge.size();
    }

    /**
     * Time of the oldest leaf dedup knows, to the accuracy of a tile; empty as long as it knows every leaf. Says how late a
     * retry may come.
     */
    OptionalLong windowStartMillis() {
        long first = window.firstLeaf();
        if (first == 0) {
            return OptionalLong.empty();
        }
        long tile = first / TILE;
        return OptionalLong.of(tile < edge.size() / TILE ? tileMillis[slot(tile)] : edge.timestampMillis(0));
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
            requirePrior(leaf.control());
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

    /** The genesis of a later incarnation names the tree it is appended to. */
    private void requirePrior(@Nullable Control control) {
        if (control instanceof Control.Genesis genesis
                && genesis.prior().isPresent()
                && !genesis.prior().get().range().root().equals(range.root())) {
            throw new IntegrityException(
                    "shard " + shard + " has root "
                            + range.root().base64() + " at size " + range.size()
                            + ", its genesis of incarnation " + genesis.incarnation() + " goes on from root "
                            + genesis.prior().get().range().root().base64()
                            + ": this state is not the one it was made for. Restore into a new generation; nothing was changed");
        }
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
        tileMillis[slot(tile)] = edge.timestampMillis(0);
        edge.closeTile(range);
        edge.setSealed(edge.size(), edge.nextOffset());
        putTile(tile);
        return Optional.of(delta);
    }

    /** The 256th leaf of a tile: forwarded with the others and never stored in the edge. */
    private record LastLeaf(Decision.Leaf leaf, long offset, long timestampMillis) {}

    private void putTile(long tile) {
        byte[] bytes = WindowTile.encode(tile, tileMillis[slot(tile)], window);
        stores.putTile(WindowTile.key(tile, window.windowLeaves()), bytes);
    }

    private void use(Control control, byte[] bytes) {
        long windowLeaves = control.rules().dedupWindowLeaves();
        decider.use(control);
        stores.putControl(bytes);
        if (windowLeaves != window.windowLeaves()) {
            window.resize(windowLeaves);
            moveTiles();
        }
        edge.setRules(control.rules().version(), windowLeaves, window.firstLeaf());
    }

    /** Puts the tiles of the window where a window of the new length expects them. */
    private void moveTiles() {
        long[] old = tileMillis;
        tileMillis = new long[slots(window.windowLeaves())];
        for (int slot = tileMillis.length; slot < old.length; slot++) {
            stores.deleteTile(WindowTile.slotKey(slot));
        }
        for (long tile = window.firstLeaf() / TILE; tile < edge.size() / TILE; tile++) {
            tileMillis[slot(tile)] = old[(int) (tile % old.length)];
            putTile(tile);
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
        StateLife life = edge.life();
        Head head = new Head(range.size().value(), new Root32(range.root().bytes()), edge.nextOffset());
        return new Sealed(
                shard,
                life.incarnation(),
                life.generation(),
                edge.sealedSize(),
                kinds.flip(),
                hashes.flip(),
                offsets,
                timestamps,
                digests.flip(),
                head);
    }
}
