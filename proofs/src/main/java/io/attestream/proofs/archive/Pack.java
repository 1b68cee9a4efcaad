// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What became of one shard's records, merged out of the segments of many epochs: entries with kind, offset and time, their hashes
 * as full tiles of level 0, which epoch covered which leaf first, and the outcomes of records that are no leaves. Holds every
 * record from the one behind the last leaf before it to its own last leaf. Immutable; its digest is logged.
 *
 * <p>Reads from the store what is asked for, and verifies it against the header, which has the digest its name says. The layout
 * is described in docs/entry-format.md. Thread-safe as far as its store is.
 */
public final class Pack {
    static final String MAGIC = "ATPACK\0\1";
    static final int BLOCK_LEAVES = TilePath.FULL_WIDTH;
    static final int BLOCK_OUTCOMES = 4_096;

    private final ObjectStore store;
    private final PackName name;
    private final CompactRange frontier;
    private final List<Boundary> boundaries;
    private final List<LeafBlock> blocks;
    private final List<OutcomeBlock> outcomes;
    private final long nextOffset;

    /** Where block 0 and each that follows begins. */
    private final long tilesAt;

    /**
     * An epoch that covered leaves of this pack first.
     *
     * @param size of the shard in that epoch; in the last one, it may be beyond the pack's end
     */
    public record Boundary(long epoch, long size) {}

    /**
     * @param root of the subtree over the block's 256 leaves
     * @param offset of its first leaf
     */
    private record LeafBlock(Hash root, long offset, PackHeader.Block rows, long at) {}

    /** @param offset of its first outcome */
    private record OutcomeBlock(long offset, PackHeader.Block rows, long at) {}

    private Pack(
            ObjectStore store,
            PackName name,
            long tilesAt,
            CompactRange frontier,
            List<Boundary> boundaries,
            List<LeafBlock> blocks,
            List<OutcomeBlock> outcomes,
            long nextOffset) {
        this.store = store;
        this.name = name;
        this.tilesAt = tilesAt;
        this.frontier = frontier;
        this.boundaries = List.copyOf(boundaries);
        this.blocks = List.copyOf(blocks);
        this.outcomes = List.copyOf(outcomes);
        this.nextOffset = nextOffset;
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
        header.json()
                .allowOnly("blocks", "boundaries", "end", "first", "frontier", "nextOffset", "outcomes", "shard", "v");
        header.requireLeavesOf(name, 1);
        long nextOffset = IndexText.read(header.json(), "nextOffset");
        List<LeafBlock> blocks = leafBlocks(header, name, nextOffset);
        LeafBlock last = blocks.get(blocks.size() - 1);
        return new Pack(
                store,
                name,
                header.bodyAt(),
                frontier(header, name),
                boundaries(header, name),
                blocks,
                outcomeBlocks(header, last.at() + last.rows().sizeBytes(), nextOffset),
                nextOffset);
    }

    private static List<LeafBlock> leafBlocks(PackHeader header, PackName name, long nextOffset) throws InvalidFormat {
        long at = header.bodyAt() + (long) name.count() * Hash.SIZE_BYTES;
        List<LeafBlock> blocks = new ArrayList<>();
        long lastOffset = -1;
        for (JsonObject block : header.objects("blocks")) {
            block.allowOnly("digest", "offset", "root", "size");
            LeafBlock next = new LeafBlock(
                    Hash.ofBase64(block.string("root"), "root"), IndexText.read(block, "offset"), rows(block), at);
            requireAscends(lastOffset, next.offset(), nextOffset);
            lastOffset = next.offset();
            blocks.add(next);
            at += next.rows().sizeBytes();
        }
        if (blocks.size() != name.count() / BLOCK_LEAVES) {
            throw new InvalidFormat("blocks", "must be one for each 256 leaves");
        }
        return blocks;
    }

    private static List<OutcomeBlock> outcomeBlocks(PackHeader header, long firstAt, long nextOffset)
            throws InvalidFormat {
        long at = firstAt;
        List<OutcomeBlock> blocks = new ArrayList<>();
        long lastOffset = -1;
        for (JsonObject block : header.objects("outcomes")) {
            block.allowOnly("digest", "offset", "size");
            OutcomeBlock next = new OutcomeBlock(IndexText.read(block, "offset"), rows(block), at);
            if (next.rows().sizeBytes() > BLOCK_OUTCOMES * OutcomeRow.MAX_SIZE_BYTES) {
                throw new InvalidFormat("size", "must be that of at most 4,096 outcomes");
            }
            requireAscends(lastOffset, next.offset(), nextOffset);
            lastOffset = next.offset();
            blocks.add(next);
            at += next.rows().sizeBytes();
        }
        return blocks;
    }

    private static PackHeader.Block rows(JsonObject block) throws InvalidFormat {
        return new PackHeader.Block(
                Hash.ofBase64(block.string("digest"), "digest"), PackHeader.positive(block, "size"));
    }

    private static void requireAscends(long lastOffset, long offset, long nextOffset) throws InvalidFormat {
        if (offset <= lastOffset || offset >= nextOffset) {
            throw new InvalidFormat("offset", "must ascend from block to block, and be below nextOffset");
        }
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

    /** Input position behind the last leaf: what became of the records from here on is in the next pack. */
    public long nextOffset() {
        return nextOffset;
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

    /**
     * What became of the records from one offset on up to another that are in this pack and no leaves, in the order of their
     * offsets; digests verified.
     */
    public List<OutcomeRecord> outcomes(long fromOffset, long toOffset) throws IOException, InvalidFormat {
        List<OutcomeRecord> found = new ArrayList<>();
        for (int number = 0; number < outcomes.size(); number++) {
            boolean ends =
                    number + 1 < outcomes.size() && outcomes.get(number + 1).offset() <= fromOffset;
            if (!ends && outcomes.get(number).offset() < toOffset) {
                outcomeBlock(number).stream()
                        .filter(outcome -> outcome.offset() >= fromOffset && outcome.offset() < toOffset)
                        .forEach(found::add);
            }
        }
        return found;
    }

    private List<OutcomeRecord> outcomeBlock(int number) throws IOException, InvalidFormat {
        OutcomeBlock block = outcomes.get(number);
        List<OutcomeRecord> rows =
                OutcomeRow.parseAll(ByteBuffer.wrap(PackHeader.block(store, name.name(), block.at(), block.rows())));
        long end = number + 1 < outcomes.size() ? outcomes.get(number + 1).offset() : nextOffset;
        if (rows.get(0).offset() != block.offset() || rows.get(rows.size() - 1).offset() >= end) {
            throw new InvalidFormat(
                    name.name(), "has other offsets in its block of outcomes " + number + " than its header says");
        }
        return rows;
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
        requireOffsets(leaves, first);
        return leaves;
    }

    private void requireOffsets(List<LeafRecord> leaves, long first) throws InvalidFormat {
        int number = blockOf(first);
        long end = number + 1 < blocks.size() ? blocks.get(number + 1).offset() : nextOffset;
        long last = -1;
        for (LeafRecord leaf : leaves) {
            if (leaf.offset() <= last || leaf.offset() >= end) {
                throw otherOffsets(first);
            }
            last = leaf.offset();
        }
        if (leaves.get(0).offset() != blocks.get(number).offset()) {
            throw otherOffsets(first);
        }
        if (number + 1 == blocks.size() && last + 1 != nextOffset) {
            throw new InvalidFormat(name.name(), "has another nextOffset than behind its last leaf");
        }
    }

    private InvalidFormat otherOffsets(long first) {
        return new InvalidFormat(
                name.name(), "has other offsets in its block of leaf " + first + " than its header says");
    }

    /**
     * The leaf whose record has this offset.
     *
     * @return empty if the record is no leaf, or not in this pack
     */
    public OptionalLong leafAt(long offset) throws IOException, InvalidFormat {
        int number = blocks.size() - 1;
        while (number >= 0 && blocks.get(number).offset() > offset) {
            number--;
        }
        if (number < 0) {
            return OptionalLong.empty();
        }
        long first = name.first() + (long) number * BLOCK_LEAVES;
        List<LeafRecord> leaves = block(first);
        for (int i = 0; i < BLOCK_LEAVES; i++) {
            if (leaves.get(i).offset() == offset) {
                return OptionalLong.of(first + i);
            }
        }
        return OptionalLong.empty();
    }

    /**
     * Reads all of it: every block by its digest, every tile by its root and by the entries it is of, no offset twice.
     *
     * @throws InvalidFormat if anything is not as the header says
     */
    public void requireWhole() throws IOException, InvalidFormat {
        Set<Long> offsets = new HashSet<>();
        for (int number = 0; number < outcomes.size(); number++) {
            outcomeBlock(number).forEach(outcome -> offsets.add(outcome.offset()));
        }
        for (long first = name.first(); first < name.end(); first += BLOCK_LEAVES) {
            byte[] tile = tile(first / BLOCK_LEAVES);
            List<LeafRecord> leaves = block(first);
            for (int i = 0; i < BLOCK_LEAVES; i++) {
                if (!Rfc6962.leafHash(leaves.get(i).entry()).equals(Hash.of(tile, i * Hash.SIZE_BYTES))) {
                    throw new InvalidFormat(name.name(), "has another entry than hash of leaf " + (first + i));
                }
                if (offsets.contains(leaves.get(i).offset())) {
                    throw new InvalidFormat(name.name(), "has an outcome of the offset of leaf " + (first + i));
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
    public static PackBuilder builder(int shard, CompactRange frontier) {
        return new PackBuilder(shard, frontier);
    }

    /** A pack's bytes and the name they have to be under. */
    public record Built(PackName name, byte[] object) {}
}
