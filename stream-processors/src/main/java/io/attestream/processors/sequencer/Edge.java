// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The edge record of a shard: everything about the unfinished end of its tree, in one value of fixed layout.
 *
 * <p>It is mutated in place, and the same array is what a caching store holds after every record ({@link EdgeWrites}), so that
 * state, input position and output always agree at a commit, wherever the commit falls. It holds the leaves after the last full tile, which is also
 * what has not been forwarded yet at most, and the compact range of the full tiles before them.
 *
 * <p>Layout, big-endian: a head of {@value #HEAD_SIZE_BYTES} bytes (see the {@code AT_} constants), {@value #FRONTIER_MAX}
 * frontier hashes, 255 leaves of {@value #LEAF_SIZE_BYTES} bytes: kind, hash, identity digest, content tag, offset, time. Not
 * thread-safe.
 */
final class Edge {
    private static final int FORMAT = 1;

    private static final int AT_FORMAT = 0;
    private static final int AT_RULES_VERSION = 4;
    private static final int AT_SIZE = 8;
    private static final int AT_SEALED_SIZE = 16;
    private static final int AT_SEALED_NEXT_OFFSET = 24;
    private static final int AT_NEXT_OFFSET = 32;
    private static final int AT_WINDOW_FLOOR = 40;
    private static final int AT_WINDOW_LEAVES = 48;
    private static final int AT_LIFE = 56;
    private static final int HEAD_SIZE_BYTES = AT_LIFE + StateLife.SIZE_BYTES;

    /** Tiles of 256 leaves below 2^64 leaves: at most 56 bits set. */
    private static final int FRONTIER_MAX = 56;

    private static final int AT_LEAVES = HEAD_SIZE_BYTES + FRONTIER_MAX * Hash.SIZE_BYTES;
    private static final int TILE = 256;

    private static final int LEAF_AT_HASH = 1;
    private static final int LEAF_AT_DIGEST = 33;
    private static final int LEAF_AT_TAG = 49;
    private static final int LEAF_AT_OFFSET = 65;
    private static final int LEAF_AT_TIME = 73;
    private static final int LEAF_SIZE_BYTES = 81;

    static final int SIZE_BYTES = AT_LEAVES + (TILE - 1) * LEAF_SIZE_BYTES;

    private final byte[] bytes;
    private final ByteBuffer view;

    private Edge(byte[] bytes) {
        this.bytes = bytes;
        this.view = ByteBuffer.wrap(bytes);
    }

    /** The edge of a shard without leaves. */
    static Edge empty(StateLife life) {
        Edge edge = new Edge(new byte[SIZE_BYTES]);
        edge.view.putInt(AT_FORMAT, FORMAT);
        life.write(edge.view.duplicate().position(AT_LIFE));
        return edge;
    }

    /** The edge of a shard whose leaves are those of full tiles, to which the others are appended. */
    static Edge behind(StateLife life, CompactRange fullTiles) {
        Edge edge = empty(life);
        edge.putFrontier(fullTiles);
        edge.view.putLong(AT_SIZE, fullTiles.size().value());
        return edge;
    }

    /** A stored edge; a copy, because the store's array may be shared with its cache. */
    static Edge of(byte[] stored) {
        if (stored.length != SIZE_BYTES || ByteBuffer.wrap(stored).getInt(AT_FORMAT) != FORMAT) {
            throw new IntegrityException("the edge record has " + stored.length
                    + " bytes or an unknown format: it was written by another version of this program");
        }
        return new Edge(stored.clone());
    }

    /** The array itself, to be put by reference. */
    byte[] raw() {
        return bytes;
    }

    StateLife life() {
        return StateLife.read(view.duplicate().position(AT_LIFE));
    }

    int rulesVersion() {
        return view.getInt(AT_RULES_VERSION);
    }

    long size() {
        return view.getLong(AT_SIZE);
    }

    /** Leaves forwarded to {@code sealed}. */
    long sealedSize() {
        return view.getLong(AT_SEALED_SIZE);
    }

    /** Next offset of the last forwarded head. */
    long sealedNextOffset() {
        return view.getLong(AT_SEALED_NEXT_OFFSET);
    }

    /** Every committed record below it is accounted for. */
    long nextOffset() {
        return view.getLong(AT_NEXT_OFFSET);
    }

    /** Oldest leaf that dedup may still know, see {@link io.attestream.proofs.entry.IdentityWindow}. */
    long windowFloor() {
        return view.getLong(AT_WINDOW_FLOOR);
    }

    long windowLeaves() {
        return view.getLong(AT_WINDOW_LEAVES);
    }

    void setNextOffset(long nextOffset) {
        view.putLong(AT_NEXT_OFFSET, nextOffset);
    }

    void setRules(int version, long windowLeaves, long windowFloor) {
        view.putInt(AT_RULES_VERSION, version);
        view.putLong(AT_WINDOW_LEAVES, windowLeaves);
        view.putLong(AT_WINDOW_FLOOR, windowFloor);
    }

    void setSealed(long size, long nextOffset) {
        view.putLong(AT_SEALED_SIZE, size);
        view.putLong(AT_SEALED_NEXT_OFFSET, nextOffset);
    }

    /** Index of the first leaf after the last full tile. */
    long tailStart() {
        return size() & -TILE;
    }

    int tailLength() {
        return (int) (size() & (TILE - 1));
    }

    /** Adds a leaf to the tail, which must have room: a full tile is closed by {@link #closeTile}. */
    void append(
            EntryKind kind, byte[] hash, byte[] identityDigest, byte[] contentTag, long offset, long timestampMillis) {
        int at = leafAt(tailLength());
        bytes[at] = kind.code();
        System.arraycopy(hash, 0, bytes, at + LEAF_AT_HASH, Hash.SIZE_BYTES);
        System.arraycopy(identityDigest, 0, bytes, at + LEAF_AT_DIGEST, 16);
        System.arraycopy(contentTag, 0, bytes, at + LEAF_AT_TAG, 16);
        view.putLong(at + LEAF_AT_OFFSET, offset);
        view.putLong(at + LEAF_AT_TIME, timestampMillis);
        view.putLong(AT_SIZE, size() + 1);
    }

    /** The tail is full with the next leaf. */
    boolean isLastOfTile() {
        return tailLength() == TILE - 1;
    }

    /** Makes the last leaf's tile part of the frontier: the range is that of all leaves, a multiple of 256. */
    void closeTile(CompactRange range) {
        long size = size() + 1;
        if ((size & (TILE - 1)) != 0 || range.size().value() != size) {
            throw new IllegalStateException("tile closed at size " + size);
        }
        putFrontier(range);
        view.putLong(AT_SIZE, size);
    }

    private void putFrontier(CompactRange range) {
        int at = HEAD_SIZE_BYTES;
        for (Hash hash : range.hashes()) {
            hash.copyTo(bytes, at);
            at += Hash.SIZE_BYTES;
        }
        Arrays.fill(bytes, at, bytes.length, (byte) 0);
    }

    /** The compact range of all leaves. */
    CompactRange range() {
        TreeSize tailStart = new TreeSize(tailStart());
        List<Hash> frontier = new ArrayList<>();
        for (int i = 0; i < CompactRange.hashCount(tailStart); i++) {
            frontier.add(Hash.of(bytes, HEAD_SIZE_BYTES + i * Hash.SIZE_BYTES));
        }
        CompactRange range = CompactRange.of(tailStart, frontier);
        for (int i = 0; i < tailLength(); i++) {
            range.append(bytes, leafAt(i) + LEAF_AT_HASH);
        }
        return range;
    }

    byte kindCode(int tailIndex) {
        return bytes[leafAt(tailIndex)];
    }

    int hashAt(int tailIndex) {
        return leafAt(tailIndex) + LEAF_AT_HASH;
    }

    int digestAt(int tailIndex) {
        return leafAt(tailIndex) + LEAF_AT_DIGEST;
    }

    int tagAt(int tailIndex) {
        return leafAt(tailIndex) + LEAF_AT_TAG;
    }

    long offset(int tailIndex) {
        return view.getLong(leafAt(tailIndex) + LEAF_AT_OFFSET);
    }

    long timestampMillis(int tailIndex) {
        return view.getLong(leafAt(tailIndex) + LEAF_AT_TIME);
    }

    private static int leafAt(int tailIndex) {
        return AT_LEAVES + tailIndex * LEAF_SIZE_BYTES;
    }
}
