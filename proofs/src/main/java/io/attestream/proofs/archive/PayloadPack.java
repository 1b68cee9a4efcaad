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
import io.attestream.proofs.tree.Hash;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The payloads of a pack's leaves, apart from it so that they can be erased. Blocks of whole rows, each compressed by itself;
 * the header has their digests, and its own before it. That a payload is the right one, its entry's digest says.
 *
 * <p>The layout is described in docs/entry-format.md. Thread-safe as far as its store is.
 */
public final class PayloadPack {
    private static final String MAGIC = "ATPPAK\0\1";
    /** A block ends with the row that reaches it. */
    private static final int BLOCK_SIZE_BYTES = 1 << 20;

    /** Of a pack with erased payloads, which readers of version 1 do not know; all others are of version 1. */
    private static final int VERSION_WITH_ERASED = 2;

    /** What a block has at most before it is compressed: a row of the largest payload there can be, and those before it. */
    private static final int RAW_SIZE_BYTES_MAX = Integer.MAX_VALUE - 8;

    private final ObjectStore store;
    private final PackName name;
    private final BlockCodec codec;
    private final List<RowBlock> blocks;

    /** How blocks are compressed. */
    public interface BlockCodec {
        /** As the header says it. */
        String name();

        byte[] compress(byte[] raw);

        /** @throws InvalidFormat unless exactly so many bytes come out */
        byte[] decompress(byte[] compressed, int rawSizeBytes) throws InvalidFormat;
    }

    private record RowBlock(long first, int count, PackHeader.Block stored, int rawSizeBytes, long at) {
        boolean has(long leafIndex) {
            return leafIndex >= first && leafIndex - first < count;
        }
    }

    private PayloadPack(ObjectStore store, PackName name, BlockCodec codec, List<RowBlock> blocks) {
        this.store = store;
        this.name = name;
        this.codec = codec;
        this.blocks = List.copyOf(blocks);
    }

    /**
     * The payloads of this pack; empty if there is no such object.
     *
     * @throws InvalidFormat if its header is damaged, or none of this format
     * @throws IOException if the store does not answer
     */
    public static Optional<PayloadPack> open(ObjectStore store, PackName name, BlockCodec codec)
            throws IOException, InvalidFormat {
        Optional<PackHeader> header = PackHeader.read(store, name.payloads(), MAGIC);
        return header.isEmpty() ? Optional.empty() : Optional.of(of(store, name, codec, header.get()));
    }

    private static PayloadPack of(ObjectStore store, PackName name, BlockCodec codec, PackHeader header)
            throws InvalidFormat {
        header.json().allowOnly("blocks", "codec", "end", "first", "shard", "v");
        header.requireLeavesOf(name, VERSION_WITH_ERASED);
        if (!header.json().string("codec").equals(codec.name())) {
            throw new InvalidFormat("codec", "must be " + codec.name());
        }
        long at = header.bodyAt();
        long first = name.first();
        List<RowBlock> blocks = new ArrayList<>();
        for (JsonObject block : header.objects("blocks")) {
            block.allowOnly("count", "digest", "rawSize", "size");
            PackHeader.Block stored = new PackHeader.Block(
                    Hash.ofBase64(block.string("digest"), "digest"), PackHeader.positive(block, "size"));
            int count = PackHeader.positive(block, "count");
            blocks.add(new RowBlock(first, count, stored, PackHeader.positive(block, "rawSize"), at));
            first += count;
            at += stored.sizeBytes();
        }
        if (first != name.end()) {
            throw new InvalidFormat("blocks", "must have a row for each leaf of the pack");
        }
        return new PayloadPack(store, name, codec, blocks);
    }

    /**
     * Payloads of consecutive leaves.
     *
     * @param sizeBytes of them all
     */
    public record Rows(long first, List<Payload> payloads, int sizeBytes) {
        public Rows {
            payloads = List.copyOf(payloads);
        }

        public boolean has(long leafIndex) {
            return leafIndex >= first && leafIndex - first < payloads.size();
        }

        public Payload payload(long leafIndex) {
            return payloads.get((int) (leafIndex - first));
        }
    }

    /**
     * Where the payload of a leaf is stored; two blocks that are the same here hold the same.
     *
     * @param first leaf of those stored there
     * @param digest of what is stored
     */
    public record Place(long first, Hash digest) {}

    public Place placeOf(long leafIndex) {
        RowBlock block = blockOf(leafIndex);
        return new Place(block.first(), block.stored().digest());
    }

    /** Whether the other one, as it was opened, holds the same. */
    public boolean isSame(PayloadPack other) {
        return name.equals(other.name) && blocks.equals(other.blocks);
    }

    private RowBlock blockOf(long leafIndex) {
        return blocks.stream()
                .filter(candidate -> candidate.has(leafIndex))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("leaf " + leafIndex + " is not in " + name.payloads()));
    }

    /** The payload of this leaf and those stored in one block with it. */
    public Rows block(long leafIndex) throws IOException, InvalidFormat {
        RowBlock block = blockOf(leafIndex);
        byte[] stored = PackHeader.block(store, name.payloads(), block.at(), block.stored());
        ByteBuffer rows = ByteBuffer.wrap(codec.decompress(stored, block.rawSizeBytes()));
        List<Payload> payloads = new ArrayList<>(block.count());
        for (long index = block.first(); index < block.first() + block.count(); index++) {
            int size = rows.remaining() < 4 ? -1 : rows.getInt();
            if (size < 0 || size > rows.remaining()) {
                throw new InvalidFormat("payload of leaf " + index, "has no whole row in " + name.payloads());
            }
            payloads.add(PayloadRow.parse(rows.slice(rows.position(), size), index));
            rows.position(rows.position() + size);
        }
        if (rows.hasRemaining()) {
            throw new InvalidFormat(name.payloads(), "has bytes behind the last row of a block");
        }
        return new Rows(block.first(), payloads, block.rawSizeBytes());
    }

    /**
     * Reads all of it.
     *
     * @throws InvalidFormat if a block is not as the header says
     */
    public void requireWhole() throws IOException, InvalidFormat {
        for (RowBlock block : blocks) {
            block(block.first());
        }
    }

    public static Builder builder(BlockCodec codec) {
        return new Builder(codec);
    }

    /** Builds a payload pack of payloads in the order of their leaves. Not thread-safe. */
    public static final class Builder {
        private final BlockCodec codec;
        private final List<JsonValue> described = new ArrayList<>();
        private final List<byte[]> blocks = new ArrayList<>();
        private final ByteArrayOutputStream rows = new ByteArrayOutputStream();
        private int rowsInBlock;
        private long count;
        private boolean erased;

        private Builder(BlockCodec codec) {
            this.codec = codec;
        }

        public Builder add(Payload payload) {
            byte[][] parts = PayloadRow.encode(payload);
            long size = 0;
            for (byte[] part : parts) {
                size += part.length;
            }
            if (rows.size() + size + 4 > RAW_SIZE_BYTES_MAX) {
                throw new IllegalArgumentException("a payload of " + size + " bytes is too large for a pack");
            }
            rows.writeBytes(ByteBuffer.allocate(4).putInt((int) size).array());
            for (byte[] part : parts) {
                rows.writeBytes(part);
            }
            rowsInBlock++;
            count++;
            erased |= payload instanceof Payload.Erased;
            if (rows.size() >= BLOCK_SIZE_BYTES) {
                endBlock();
            }
            return this;
        }

        private void endBlock() {
            byte[] raw = rows.toByteArray();
            byte[] block = codec.compress(raw);
            described.add(new JsonObject(Map.of(
                    "count", new JsonInteger(rowsInBlock),
                    "digest", new JsonString(PackHeader.sha256(block).base64()),
                    "rawSize", new JsonInteger(raw.length),
                    "size", new JsonInteger(block.length))));
            blocks.add(block);
            rows.reset();
            rowsInBlock = 0;
        }

        /** @throws IllegalStateException unless there is a payload for each leaf of the pack */
        public byte[] build(PackName name) {
            if (count != name.count()) {
                throw new IllegalStateException(name.payloads() + " needs " + name.count() + " rows, not " + count);
            }
            if (rowsInBlock > 0) {
                endBlock();
            }
            byte[] header = Jcs.encode(new JsonObject(Map.of(
                    "blocks", new JsonArray(described),
                    "codec", new JsonString(codec.name()),
                    "end", IndexText.of(name.end()),
                    "first", IndexText.of(name.first()),
                    "shard", new JsonInteger(name.shard()),
                    "v", new JsonInteger(erased ? VERSION_WITH_ERASED : 1))));
            return PackHeader.join(PackHeader.encode(MAGIC, header), blocks);
        }
    }
}
