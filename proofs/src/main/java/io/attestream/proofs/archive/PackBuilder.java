// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Builds a {@link Pack} of leaves and outcomes in the order of their offsets, in memory. Not thread-safe. */
public final class PackBuilder {
    private final int shard;
    private final CompactRange frontier;
    /** Up to the last whole block. */
    private final CompactRange range;

    private final List<JsonValue> boundaries = new ArrayList<>();
    private final List<JsonValue> described = new ArrayList<>();
    private final ByteArrayOutputStream tiles = new ByteArrayOutputStream();
    private final List<byte[]> blocks = new ArrayList<>();
    /** Of the block that is not whole yet, as the rows. */
    private final ByteArrayOutputStream hashes = new ByteArrayOutputStream();

    private final ByteArrayOutputStream rows = new ByteArrayOutputStream();
    private final List<JsonValue> outcomesDescribed = new ArrayList<>();
    private final List<byte[]> outcomeBlocks = new ArrayList<>();
    private final ByteArrayOutputStream outcomes = new ByteArrayOutputStream();
    private int outcomesInBlock;
    private long outcomesFirst;
    private long blockOffset;
    /** Of what was added last. */
    private long lastOffset = -1;

    private boolean endsWithLeaf;
    private long count;

    PackBuilder(int shard, CompactRange frontier) {
        this.shard = shard;
        this.frontier = frontier.copy();
        this.range = frontier.copy();
    }

    /** The next epoch that covered leaves first, and the shard's size in it. */
    public PackBuilder boundary(long epoch, long size) {
        boundaries.add(new JsonObject(Map.of("epoch", IndexText.of(epoch), "size", IndexText.of(size))));
        return this;
    }

    /** What became of a record. Leaves and outcomes come in the order of their offsets. */
    public PackBuilder add(OutcomeRecord outcome) {
        requireAscends(outcome.offset());
        endsWithLeaf = false;
        if (outcomesInBlock == 0) {
            outcomesFirst = outcome.offset();
        }
        outcomes.writeBytes(OutcomeRow.encode(outcome));
        if (++outcomesInBlock == Pack.BLOCK_OUTCOMES) {
            endOutcomes();
        }
        return this;
    }

    private void requireAscends(long offset) {
        if (offset <= lastOffset) {
            throw new IllegalArgumentException("offset " + offset + " does not come behind " + lastOffset);
        }
        lastOffset = offset;
    }

    private void endOutcomes() {
        byte[] block = outcomes.toByteArray();
        outcomesDescribed.add(new JsonObject(Map.of(
                "digest", new JsonString(PackHeader.sha256(block).base64()),
                "offset", IndexText.of(outcomesFirst),
                "size", new JsonInteger(block.length))));
        outcomeBlocks.add(block);
        outcomes.reset();
        outcomesInBlock = 0;
    }

    public PackBuilder add(LeafRecord leaf) {
        requireAscends(leaf.offset());
        endsWithLeaf = true;
        if (count % Pack.BLOCK_LEAVES == 0) {
            blockOffset = leaf.offset();
        }
        hashes.writeBytes(Rfc6962.leafHash(leaf.entry()).bytes());
        byte[] head = LeafRow.head(leaf);
        rows.writeBytes(
                ByteBuffer.allocate(4).putInt(head.length + leaf.entry().length).array());
        rows.writeBytes(head);
        rows.writeBytes(leaf.entry());
        if (++count % Pack.BLOCK_LEAVES == 0) {
            endBlock();
        }
        return this;
    }

    /** The shard's compact range behind the leaf added last; a copy. */
    public CompactRange range() {
        CompactRange now = range.copy();
        byte[] behind = hashes.toByteArray();
        for (int at = 0; at < behind.length; at += Hash.SIZE_BYTES) {
            now.append(behind, at);
        }
        return now;
    }

    private void endBlock() {
        byte[] tile = hashes.toByteArray();
        Hash root = Tile.node(tile, Tile.HEIGHT, 0);
        range.appendSubtree(Tile.HEIGHT, root.bytes(), 0);
        byte[] block = rows.toByteArray();
        described.add(new JsonObject(Map.of(
                "digest", new JsonString(PackHeader.sha256(block).base64()),
                "offset", IndexText.of(blockOffset),
                "root", new JsonString(root.base64()),
                "size", new JsonInteger(block.length))));
        blocks.add(block);
        tiles.writeBytes(tile);
        hashes.reset();
        rows.reset();
    }

    /** @throws IllegalStateException unless so many leaves were added that a pack may end here */
    public Pack.Built build() {
        if (count == 0 || count % Pack.BLOCK_LEAVES != 0 || !endsWithLeaf) {
            throw new IllegalStateException("a pack ends at a multiple of 256 leaves, not after " + count);
        }
        if (outcomesInBlock > 0) {
            endOutcomes();
        }
        long first = frontier.size().value();
        List<JsonValue> hashes = new ArrayList<>();
        frontier.hashes().forEach(hash -> hashes.add(new JsonString(hash.base64())));
        byte[] header = Jcs.encode(new JsonObject(Map.of(
                "blocks", new JsonArray(described),
                "boundaries", new JsonArray(boundaries),
                "end", IndexText.of(first + count),
                "first", IndexText.of(first),
                "frontier", new JsonArray(hashes),
                "nextOffset", IndexText.of(lastOffset + 1),
                "outcomes", new JsonArray(outcomesDescribed),
                "shard", new JsonInteger(shard),
                "v", new JsonInteger(1))));
        List<byte[]> body = new ArrayList<>();
        body.add(tiles.toByteArray());
        body.addAll(blocks);
        body.addAll(outcomeBlocks);
        return new Pack.Built(
                new PackName(shard, first, first + count, PackHeader.sha256(header)),
                PackHeader.join(PackHeader.encode(Pack.MAGIC, header), body));
    }
}
