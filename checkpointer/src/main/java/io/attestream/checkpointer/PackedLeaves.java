// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The logged packs of one shard as a check reads them, leaf after leaf: each pack is held against its name, its tiles against its
 * entries, its frontier and boundaries against what was published. One block of each pack in memory. Not thread-safe.
 */
final class PackedLeaves {
    private final int shard;
    private final ArchiveReader reader;
    private final ZstdBlocks codec = new ZstdBlocks();
    private final TreeMap<Long, Named> packs = new TreeMap<>();

    private Optional<PackName> open = Optional.empty();
    /** Whether it was known before the first epoch that covers leaves of it. */
    private boolean fromItsFirst;

    private Optional<Pack> pack = Optional.empty();
    private Optional<PayloadPack> payloadPack = Optional.empty();
    private final List<Pack.Boundary> boundaries = new ArrayList<>();

    private long blockFirst = -1;
    private Optional<List<LeafRecord>> block = Optional.empty();
    private Optional<PayloadPack.Rows> rows = Optional.empty();

    /** The two opened last: outcomes are read from the pack behind before its first leaf is asked for. */
    private final Map<PackName, Optional<Pack>> opened = new LinkedHashMap<>();

    private final PackedOutcomes outcomes;

    PackedLeaves(int shard, ArchiveReader reader) {
        this.shard = shard;
        this.reader = reader;
        this.outcomes = new PackedOutcomes(reader, this::nameOf, this::open);
    }

    /** The names of its objects, which are asked for with every leaf, made once. */
    private record Named(PackName pack, String object, String payloads) {}

    void know(PackName name) {
        packs.put(name.first(), new Named(name, name.name(), name.payloads()));
    }

    /** The outcomes of records below an input position that were not taken yet, as {@link PackedOutcomes#takeTo}. */
    Optional<List<OutcomeRecord>> outcomesTo(long offset, long size) throws IOException {
        return outcomes.takeTo(offset, size);
    }

    /** The pack a leaf is in. */
    Optional<PackName> nameOf(long leafIndex) {
        return named(leafIndex).map(Named::pack);
    }

    /** The name of the pack a leaf is in, which must be in one. */
    String objectOf(long leafIndex) {
        return named(leafIndex).orElseThrow().object();
    }

    /** The name of the payload pack a leaf is in, which must be in one. */
    String payloadsOf(long leafIndex) {
        return named(leafIndex).orElseThrow().payloads();
    }

    private Optional<Named> named(long leafIndex) {
        return Optional.ofNullable(packs.floorEntry(leafIndex))
                .map(Map.Entry::getValue)
                .filter(named -> named.pack().has(leafIndex));
    }

    /** An epoch is about to take the shard from one size to another. */
    void begin(long epoch, long from, long to) {
        if (nameOf(from).isPresent()) {
            boundaries.add(new Pack.Boundary(epoch, to));
        }
    }

    /** All leaves of an epoch that took the shard to this size were asked for. */
    void end(long to) {
        open.filter(name -> to >= name.end()).ifPresent(this::close);
    }

    private void close(PackName name) {
        List<Pack.Boundary> expected = boundaries.stream()
                .filter(boundary -> boundary.size() > name.first())
                .toList();
        if (fromItsFirst && pack.isPresent() && !pack.get().boundaries().equals(expected)) {
            reader.find(
                    name.name(),
                    expected.size() + " epochs that covered its leaves first, from " + expected.get(0),
                    pack.get().boundaries().size() + " epochs, not all the same");
        }
        boundaries.removeIf(boundary -> boundary.size() <= name.end());
        open = Optional.empty();
    }

    /**
     * Takes up the pack this leaf is the first of.
     *
     * @param before the shard's compact range before it; empty if it is not known
     */
    private void open(PackName name, long index, Optional<CompactRange> before) throws IOException {
        open.ifPresent(this::close);
        open = Optional.of(name);
        fromItsFirst = index == name.first();
        blockFirst = -1;
        rows = Optional.empty();
        pack = open(name);
        payloadPack = flatten(reader.part(name.payloads(), store -> openPayloads(store, name)), name.payloads());
        if (pack.isPresent() && before.isPresent() && before.get().size().value() == name.first()) {
            requireFrontier(pack.get(), before.get());
        }
    }

    private Optional<Pack> open(PackName name) throws IOException {
        Optional<Pack> known = opened.get(name);
        if (known != null) {
            return known;
        }
        Optional<Pack> there = flatten(reader.part(name.name(), store -> Pack.open(store, name)), name.name());
        if (opened.size() == 2) {
            opened.remove(opened.keySet().iterator().next());
        }
        opened.put(name, there);
        return there;
    }

    private <T> Optional<T> flatten(Optional<Optional<T>> object, String name) {
        if (object.isPresent() && object.get().isEmpty()) {
            reader.find(name, "a pack an epoch logs", "no object");
        }
        return object.flatMap(there -> there);
    }

    private void requireFrontier(Pack there, CompactRange before) {
        if (!there.frontier().hashes().equals(before.hashes())) {
            reader.find(
                    there.name().name(),
                    "the frontier of root " + before.root().base64() + " at leaf "
                            + there.name().first(),
                    "the frontier of root " + there.frontier().root().base64());
        }
    }

    /**
     * A leaf as its pack has it; empty if it is in none, or in one that is of no use, which was noted then.
     *
     * @param before the shard's compact range before it; empty if it is not known
     */
    Optional<LeafRecord> leaf(long index, Optional<CompactRange> before) throws IOException {
        Optional<PackName> name = nameOf(index);
        if (name.isEmpty()) {
            return Optional.empty();
        }
        if (!name.equals(open)) {
            open(name.get(), index, before);
        }
        long first = index - index % TilePath.FULL_WIDTH;
        if (blockFirst != first) {
            blockFirst = first;
            block = pack.isEmpty() ? Optional.empty() : readBlock(pack.get(), first);
        }
        return block.map(leaves -> leaves.get((int) (index - first)));
    }

    private Optional<List<LeafRecord>> readBlock(Pack from, long first) throws IOException {
        String name = from.name().name();
        Optional<List<LeafRecord>> leaves = reader.part(name, store -> from.block(first));
        Optional<byte[]> tile = reader.part(name, store -> from.tile(first / TilePath.FULL_WIDTH));
        if (leaves.isPresent() && tile.isPresent()) {
            for (int i = 0; i < TilePath.FULL_WIDTH; i++) {
                Hash hash = Rfc6962.leafHash(leaves.get().get(i).entry());
                if (!Hash.of(tile.get(), i * Hash.SIZE_BYTES).equals(hash)) {
                    reader.find(
                            name,
                            "leaf hash " + hash.base64() + " of leaf " + (first + i) + " of shard " + shard,
                            "leaf hash "
                                    + Hash.of(tile.get(), i * Hash.SIZE_BYTES).base64());
                }
            }
        }
        reader.read(tile.map(bytes -> bytes.length).orElse(0)
                + leaves.stream()
                        .flatMap(List::stream)
                        .mapToLong(leaf -> leaf.entry().length)
                        .sum());
        return leaves;
    }

    /** Its header is read in two parts, between which it may have been rewritten. */
    private Optional<PayloadPack> openPayloads(ObjectStore store, PackName name) throws IOException, InvalidFormat {
        try {
            return PayloadPack.open(store, name, codec);
        } catch (InvalidFormat e) {
            return PayloadPack.open(store, name, codec);
        }
    }

    /** It may have been rewritten since it was opened, because payloads were erased. */
    private PayloadPack.Rows block(ObjectStore store, PackName name, long index) throws IOException, InvalidFormat {
        try {
            return payloadPack.orElseThrow().block(index);
        } catch (InvalidFormat e) {
            PayloadPack again = PayloadPack.open(store, name, codec).orElseThrow(() -> e);
            PayloadPack.Rows read = again.block(index);
            payloadPack = Optional.of(again);
            return read;
        }
    }

    /** The payload of a leaf that {@link #leaf} was asked for last; empty as there. */
    Optional<Payload> payload(long index) throws IOException {
        if (payloadPack.isEmpty() || nameOf(index).isEmpty()) {
            return Optional.empty();
        }
        if (rows.filter(there -> there.has(index)).isEmpty()) {
            PackName name = nameOf(index).get();
            rows = reader.part(name.payloads(), store -> block(store, name, index));
            if (rows.isEmpty()) {
                payloadPack = Optional.empty(); // noted once
            }
            reader.read(rows.map(PayloadPack.Rows::sizeBytes).orElse(0));
        }
        return rows.map(there -> there.payload(index));
    }
}
