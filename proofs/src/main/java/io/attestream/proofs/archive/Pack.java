// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The merged leaves of one shard, out of the segments of many epochs: entries with kind, offset and time, their hashes as full
 * tiles of level 0, and which epoch covered which leaf first. Immutable; its digest is logged.
 *
 * <p>Reads from the store what is asked for, and verifies it against the header, which has the digest its name says. The layout
 * is described in docs/entry-format.md. Thread-safe as far as its store is.
 */
public final class Pack {
    private static final String MAGIC = "ATPACK\0\1";
    private static final int BLOCK_LEAVES = TilePath.FULL_WIDTH;

    private final ObjectStore store;
    private final PackName name;
    private final CompactRange frontier;
    private final List<Boundary> boundaries;
    private final List<LeafBlock> blocks;

    /** Where block 0 and each that follows begins. */
    private final long tilesAt;

    /**
     * An epoch that covered leaves of this pack first.
     *
     * @param size of the shard in that epoch; in the last one, it may be beyond the pack's end
     */
    public record Boundary(long epoch, long size) {}

    /** @param root of the subtree over the block's 256 leaves */
    private record LeafBlock(Hash root, PackHeader.Block rows, long at) {}

    private Pack(
            ObjectStore store,
            PackName name,
            long tilesAt,
            CompactRange frontier,
            List<Boundary> boundaries,
            List<LeafBlock> blocks) {
        this.store = store;
        this.name = name;
        this.tilesAt = tilesAt;
        this.frontier = frontier;
        this.boundaries = List.copyOf(boundaries);
        this.blocks = List.copyOf(blocks);
    }

    /**
     * Empty if there is no such object.
     *
     * @throws InvalidFormat if its header does not have the digest its name says, or is none of this format
     * @throws IOException if the store does not answer
     */
    public static Optional<Pack> open(ObjectStore store, PackName name) throws IOException, InvalidFormat {
        Optional<PackHeader> header = PackHeader.read(store, name.name(), MAGIC);
        return header.isEmpty() ? Optional.empty() : Optional.of(of(store, name, header.get()));
    }

    private static Pack of(ObjectStore store, PackName name, PackHeader header) throws InvalidFormat {
        if (!header.digest().equals(name.digest())) {
            throw new InvalidFormat(name.name(), "has digest " + header.digest().base64() + ", its name says another");
        }
        header.json().allowOnly("blocks", "boundaries", "end", "first", "frontier", "shard", "v");
        header.requireLeavesOf(name);
        long at = header.bodyAt() + (long) name.count() * Hash.SIZE_BYTES;
        List<LeafBlock> blocks = new ArrayList<>();
        for (JsonObject block : header.objects("blocks")) {
            block.allowOnly("digest", "root", "size");
            PackHeader.Block rows = new PackHeader.Block(
                    Hash.ofBase64(block.string("digest"), "digest"), PackHeader.positive(block, "size"));
            blocks.add(new LeafBlock(Hash.ofBase64(block.string("root"), "root"), rows, at));
            at += rows.sizeBytes();
        }
        if (blocks.size() != name.count() / BLOCK_LEAVES) {
            throw new InvalidFormat("blocks", "must be one for each 256 leaves");
        }
        return new Pack(store, name, header.bodyAt(), frontier(header, name), boundaries(header, name), blocks);
    }

    private static CompactRange frontier(PackHeader header, PackName name) throws InvalidFormat {
        List<Hash> hashes = new ArrayList<>();
        for (JsonValue hash : header.json().array("frontier")) {
            if (!(hash instanceof JsonString text)) {
                throw new InvalidFormat("frontier", "must be strings");
            }
            hashes.add(Hash.ofBase64(text.value(), "frontier"));
        }
        TreeSize size = new TreeSize(name.first());
        if (hashes.size() != CompactRange.hashCount(size)) {
            throw new InvalidFormat("frontier", "must have one hash for each set bit of " + size);
        }
        return CompactRange.of(size, hashes);
    }

    private static List<Boundary> boundaries(PackHeader header, PackName name) throws InvalidFormat {
        List<Boundary> boundaries = new ArrayList<>();
        Boundary last = new Boundary(-1, name.first());
        for (JsonObject element : header.objects("boundaries")) {
            element.allowOnly("epoch", "size");
            Boundary boundary = new Boundary(IndexText.read(element, "epoch"), IndexText.read(element, "size"));
            if (boundary.epoch() <= last.epoch() || boundary.size() <= last.size() || last.size() >= name.end()) {
                throw new InvalidFormat(
                        "boundaries", "must ascend, and end with the first at or behind the pack's end");
            }
            boundaries.add(boundary);
            last = boundary;
        }
        if (last.size() < name.end()) {
            throw new InvalidFormat("boundaries", "must cover all leaves of the pack");
        }
        return boundaries;
    }

    public PackName name() {
        return name;
    }

    /** The shard's compact range before the first leaf of this pack; a copy. */
    public CompactRange frontier() {
        return frontier.copy();
    }

    /** The shard's compact range at the end of this pack, as its header has it. */
    public CompactRange rangeAtEnd() {
        CompactRange range = frontier.copy();
        blocks.forEach(block -> range.appendSubtree(Tile.HEIGHT, block.root().bytes(), 0));
        return range;
    }

    /** The epochs whose leaves are here, ascending. */
    public List<Boundary> boundaries() {
        return boundaries;
    }

    /** The first epoch that covered this leaf. */
    public long epochOf(long leafIndex) {
        requireHas(leafIndex);
        return boundaries.stream()
                .filter(boundary -> leafIndex < boundary.size())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the boundaries cover all leaves"))
                .epoch();
    }

    /** The full tile of level 0 with this index: 256 leaf hashes that give the root in the header. */
    public byte[] tile(long index) throws IOException, InvalidFormat {
        int number = blockOf(index * BLOCK_LEAVES);
        byte[] tile = PackHeader.part(
                store, name.name(), tilesAt + (long) number * Tile.FULL_SIZE_BYTES, Tile.FULL_SIZE_BYTES);
        if (!Tile.node(tile, Tile.HEIGHT, 0).equals(blocks.get(number).root())) {
            throw new InvalidFormat(name.name(), "has a tile " + index + " that does not give the root in its header");
        }
        return tile;
    }

    /** The 256 leaves this one is among, from the multiple of 256 on; digest verified. */
    public List<LeafRecord> block(long leafIndex) throws IOException, InvalidFormat {
        LeafBlock block = blocks.get(blockOf(leafIndex));
        ByteBuffer rows = ByteBuffer.wrap(PackHeader.block(store, name.name(), block.at(), block.rows()));
        long first = leafIndex - leafIndex % BLOCK_LEAVES;
        List<LeafRecord> leaves = new ArrayList<>(BLOCK_LEAVES);
        for (long index = first; index < first + BLOCK_LEAVES; index++) {
            int size = rows.remaining() < 4 ? -1 : rows.getInt();
            if (size < 0 || size > rows.remaining()) {
                throw new InvalidFormat("leaf " + index, "has no whole row in " + name.name());
            }
            leaves.add(LeafRow.parse(rows.slice(rows.position(), size), index));
            rows.position(rows.position() + size);
        }
        if (rows.hasRemaining()) {
            throw new InvalidFormat(name.name(), "has bytes behind the last row of the block of leaf " + first);
        }
        return leaves;
    }

    /**
     * Reads all of it: every block by its digest, every tile by its root and by the entries it is of.
     *
     * @throws InvalidFormat if anything is not as the header says
     */
    public void requireWhole() throws IOException, InvalidFormat {
        for (long first = name.first(); first < name.end(); first += BLOCK_LEAVES) {
            byte[] tile = tile(first / BLOCK_LEAVES);
            List<LeafRecord> leaves = block(first);
            for (int i = 0; i < BLOCK_LEAVES; i++) {
                if (!Rfc6962.leafHash(leaves.get(i).entry()).equals(Hash.of(tile, i * Hash.SIZE_BYTES))) {
                    throw new InvalidFormat(name.name(), "has another entry than hash of leaf " + (first + i));
                }
            }
        }
    }

    public LeafRecord leaf(long leafIndex) throws IOException, InvalidFormat {
        return block(leafIndex).get((int) (leafIndex % BLOCK_LEAVES));
    }

    private int blockOf(long leafIndex) {
        requireHas(leafIndex);
        return (int) ((leafIndex - name.first()) / BLOCK_LEAVES);
    }

    private void requireHas(long leafIndex) {
        if (!name.has(leafIndex)) {
            throw new IllegalArgumentException("leaf " + leafIndex + " is not in " + name.name());
        }
    }

    /** @param frontier the shard's compact range before the first leaf, a multiple of 256 */
    public static Builder builder(int shard, CompactRange frontier) {
        return new Builder(shard, frontier);
    }

    /** A pack's bytes and the name they have to be under. */
    public record Built(PackName name, byte[] object) {}

    /** Builds a pack of leaves in their order. Not thread-safe. */
    public static final class Builder {
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
        private long count;

        private Builder(int shard, CompactRange frontier) {
            this.shard = shard;
            this.frontier = frontier.copy();
            this.range = frontier.copy();
        }

        /** The next epoch that covered leaves first, and the shard's size in it. */
        public Builder boundary(long epoch, long size) {
            boundaries.add(new JsonObject(Map.of("epoch", IndexText.of(epoch), "size", IndexText.of(size))));
            return this;
        }

        public Builder add(LeafRecord leaf) {
            hashes.writeBytes(Rfc6962.leafHash(leaf.entry()).bytes());
            byte[] head = LeafRow.head(leaf);
            rows.writeBytes(ByteBuffer.allocate(4)
                    .putInt(head.length + leaf.entry().length)
                    .array());
            rows.writeBytes(head);
            rows.writeBytes(leaf.entry());
            if (++count % BLOCK_LEAVES == 0) {
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
                    "root", new JsonString(root.base64()),
                    "size", new JsonInteger(block.length))));
            blocks.add(block);
            tiles.writeBytes(tile);
            hashes.reset();
            rows.reset();
        }

        /** @throws IllegalStateException unless so many leaves were added that a pack may end here */
        public Built build() {
            if (count == 0 || count % BLOCK_LEAVES != 0) {
                throw new IllegalStateException("a pack ends at a multiple of 256 leaves, not after " + count);
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
                    "shard", new JsonInteger(shard),
                    "v", new JsonInteger(1))));
            List<byte[]> body = new ArrayList<>();
            body.add(tiles.toByteArray());
            body.addAll(blocks);
            return new Built(
                    new PackName(shard, first, first + count, PackHeader.sha256(header)),
                    PackHeader.join(PackHeader.encode(MAGIC, header), body));
        }
    }
}
