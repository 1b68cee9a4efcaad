// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tile.TileNodeReader;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.WireDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.StreamsStoppedException;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Answers proof queries from the stores of this instance. Shard stores may be active or standby: tiles never change, so a copy
 * that is behind is right about everything it has. Proofs are given for published sizes only. Thread-safe.
 */
public final class ProofQueries {
    /** Shorter than a caller waits before it asks another instance. */
    private static final long HANDOVER_NANOS = 1_500_000_000;

    private static final long HANDOVER_POLL_NANOS = 10_000_000;
    /** A copy that answered so shortly before is expected back. */
    private static final long RECENT_NANOS = 10_000_000_000L;

    private static final int NO_SHARD = -1;

    private final Stores stores;
    private final LedgerDefinition ledger;
    private final Optional<PackedProofs> packs;
    /** When a copy of a shard was last found here. */
    private final Map<Integer, Long> here = new ConcurrentHashMap<>();
    /** Making one parses every version of the schema, milliseconds for each query; and none may be shared by threads. */
    private final ThreadLocal<WireDecoder<CheckpointRecord>> decoders;

    /**
     * Where the stores are; both throw {@link InvalidStateStoreException} when this instance cannot say, {@link
     * StreamsStoppedException} when it will never again.
     */
    public interface Stores {
        ReadOnlyKeyValueStore<Bytes, byte[]> shard(int shard);

        ReadOnlyKeyValueStore<Bytes, byte[]> ledger();

        /** Whether copies change hands just now, so that one that is not here may be back in a moment. */
        boolean settling();
    }

    /** @param packs to answer with what the stores have let go of; without it they have all */
    public ProofQueries(Stores stores, LedgerDefinition ledger, Optional<PackedProofs> packs) {
        this.packs = packs;
        this.stores = stores;
        this.ledger = ledger;
        this.decoders = ThreadLocal.withInitial(
                () -> new WireDecoder<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, ledger.schemas()));
    }

    private interface Query {
        Answer run() throws IOException;
    }

    /**
     * A store that becomes active from standby is out of reach for some milliseconds, on the only instance that may have it: so
     * it is waited for, shortly. Kafka Streams calls itself running for the first part of that time (seen in 4.1.2), so
     * whether a copy was here just before counts too.
     *
     * @param shard whose copy the query needs; {@link #NO_SHARD} if it needs none
     */
    private Answer guarded(int shard, Query query) {
        long began = System.nanoTime();
        while (true) {
            try {
                return query.run();
            } catch (IOException e) {
                // The store is too far behind to have the tile.
                return new Answer.NotHere();
            } catch (StreamsStoppedException e) {
                return new Answer.NotHere();
            } catch (InvalidStateStoreException e) {
                if (!(stores.settling() || wasHere(shard, began)) || System.nanoTime() - began > HANDOVER_NANOS) {
                    return new Answer.NotHere();
                }
            }
            LockSupport.parkNanos(HANDOVER_POLL_NANOS);
        }
    }

    private boolean wasHere(int shard, long beforeNanos) {
        Long last = here.get(shard);
        return last != null && beforeNanos - last < RECENT_NANOS;
    }

    private ReadOnlyKeyValueStore<Bytes, byte[]> shardStore(int shard) {
        ReadOnlyKeyValueStore<Bytes, byte[]> store = stores.shard(shard);
        here.put(shard, System.nanoTime());
        return store;
    }

    // ---- shards

    /** What became of the record at an offset. */
    public Answer position(int shard, long offset) {
        if (!isShard(shard)) {
            return noShard(shard);
        }
        return guarded(shard, () -> {
            ReadOnlyKeyValueStore<Bytes, byte[]> store = shardStore(shard);
            // First: it is written last, so whatever it accounts for can be read below.
            ShardMeta meta = ShardMeta.of(store.get(Keys.meta()));
            Optional<DeltaIndex> delta = deltaTo(store, offset);
            Optional<DeltaIndex.Found> leaf = delta.flatMap(floor -> floor.find(offset));
            if (leaf.isPresent()) {
                return describe(leaf.get());
            }
            byte[] outcome = store.get(Keys.outcome(offset));
            if (outcome != null) {
                return describe(StoredOutcome.of(outcome));
            }
            // Behind the misses: it is written before anything is removed.
            Compacted compacted = Compacted.of(store.get(Keys.compacted()));
            if (offset < compacted.nextOffset()) {
                return packedPosition(shard, store, offset);
            }
            // Outcomes are read apart from deltas and may come a little later.
            boolean accounted = offset < meta.nextOffset() && offset < meta.lastOutcome();
            if (accounted && delta.isEmpty() && !goesOn(store, offset, compacted.size(), meta)) {
                // A copy that is being restored has removals before it has the mark that tells of them.
                return new Answer.NotHere();
            }
            return accounted ? json("status", "unknown") : json("status", "pending", "nextOffset", meta.nextOffset());
        });
    }

    /** Whether the first delta behind an offset goes on where packs end: nothing is missing between. */
    private static boolean goesOn(
            ReadOnlyKeyValueStore<Bytes, byte[]> store, long offset, long packedTo, ShardMeta meta) {
        try (KeyValueIterator<Bytes, byte[]> behind = store.range(Keys.delta(offset), Keys.delta(Long.MAX_VALUE))) {
            long next = behind.hasNext() ? DeltaIndex.of(behind.next().value).firstIndex() : meta.size();
            return next == packedTo;
        }
    }

    /** The delta that has the leaf of this offset if any has. */
    private static Optional<DeltaIndex> deltaTo(ReadOnlyKeyValueStore<Bytes, byte[]> store, long offset) {
        try (KeyValueIterator<Bytes, byte[]> floor = store.reverseRange(Keys.delta(0), Keys.delta(offset))) {
            return floor.hasNext() ? Optional.of(DeltaIndex.of(floor.next().value)) : Optional.empty();
        }
    }

    private static Answer describe(DeltaIndex.Found leaf) {
        return json("status", "leaf", "kind", leaf.kind().word(), "leafIndex", leaf.leafIndex());
    }

    private static Answer describe(StoredOutcome outcome) {
        return outcome.duplicate()
                ? json("status", "duplicate", "reference", outcome.reference())
                : json("status", "rejected", "reason", outcome.reason());
    }

    // ---- what is in packs

    private Answer packedPosition(int shard, ReadOnlyKeyValueStore<Bytes, byte[]> store, long offset)
            throws IOException {
        PackName pack;
        try (KeyValueIterator<Bytes, byte[]> floor = store.reverseRange(Keys.packed(0), Keys.packed(offset))) {
            if (!floor.hasNext()) {
                throw new IntegrityException("shard " + shard + ": no pack is known for offset " + offset
                        + ", which is no longer in the store");
            }
            pack = packWith(shard, ByteBuffer.wrap(floor.next().value).getLong());
        }
        Optional<DeltaIndex.Found> leaf = required(packs).leafAt(pack, offset);
        if (leaf.isPresent()) {
            return describe(leaf.get());
        }
        return required(packs)
                .outcome(pack, offset)
                .map(outcome -> describe(ShardCompaction.stored(outcome)))
                .orElseGet(() -> json("status", "unknown"));
    }

    /** The logged pack with this leaf. A global store that is behind does not have it yet. */
    private PackName packWith(int shard, long leafIndex) throws IOException {
        return loggedPack(shard, leafIndex)
                .orElseThrow(
                        () -> new IOException("no pack with leaf " + leafIndex + " of shard " + shard + " is known"));
    }

    private Optional<PackName> loggedPack(int shard, long leafIndex) {
        try (KeyValueIterator<Bytes, byte[]> floor =
                stores.ledger().reverseRange(Keys.pack(shard, 0), Keys.pack(shard, leafIndex))) {
            if (!floor.hasNext()) {
                return Optional.empty();
            }
            return Optional.of(PackName.parse(new String(floor.next().value, StandardCharsets.US_ASCII)))
                    .filter(name -> name.has(leafIndex));
        } catch (InvalidFormat e) {
            throw new IntegrityException("the ledger store has the name of a pack that is none: " + e.getMessage(), e);
        }
    }

    private static PackedProofs required(Optional<PackedProofs> packs) throws IOException {
        return packs.orElseThrow(() -> new IOException(
                "the store has let go of what is in packs, and attestream.objects.location is not set"));
    }

    /** The shard's tiles, those the store has let go of out of packs, held against the node above them. */
    private Tiles shardTiles(int shard, ReadOnlyKeyValueStore<Bytes, byte[]> store) {
        return tile -> {
            Optional<byte[]> stored = stored(store, tile);
            long end = (tile.index() + 1) * TilePath.FULL_WIDTH;
            if (stored.isPresent()
                    || tile.level() > 0
                    || end > Compacted.of(store.get(Keys.compacted())).size()) {
                return stored;
            }
            PackName pack = packWith(shard, tile.index() * TilePath.FULL_WIDTH);
            byte[] packed = required(packs).tile(pack, tile.index());
            byte[] above = store.get(Keys.tile(1, tile.index() / TilePath.FULL_WIDTH));
            int at = (int) (tile.index() % TilePath.FULL_WIDTH) * Hash.SIZE_BYTES;
            if (above == null || above.length < at + Hash.SIZE_BYTES) {
                throw new IOException("tile " + tile.index() + " of shard " + shard + " has no node above it yet");
            }
            if (!Tile.node(packed, Tile.HEIGHT, 0).equals(Hash.of(above, at))) {
                throw new IntegrityException("shard " + shard + ": tile " + tile.index() + " in " + pack.name()
                        + " does not give the node above it");
            }
            return Optional.of(Arrays.copyOf(packed, tile.width() * Hash.SIZE_BYTES));
        };
    }

    /** Where the hashes of a tree are read. */
    private interface Tiles {
        /** Empty if there is no such tile, or less of it. */
        Optional<byte[]> get(HashTile tile) throws IOException;
    }

    private static Tiles ledgerTiles(ReadOnlyKeyValueStore<Bytes, byte[]> store) {
        return tile -> stored(store, tile);
    }

    public Answer shardTile(int shard, String path) {
        if (!isShard(shard)) {
            return noShard(shard);
        }
        return guarded(shard, () -> {
            TreeSize published = publishedSize(shard);
            return tile(shardTiles(shard, shardStore(shard)), path, published);
        });
    }

    public Answer shardInclusion(int shard, LeafIndex index, TreeSize size) {
        if (!isShard(shard)) {
            return noShard(shard);
        }
        return guarded(shard, () -> {
            if (!isPublished(shard, size)) {
                return new Answer.BadRequest("size-not-published");
            }
            return inclusion(shardTiles(shard, shardStore(shard)), index, size);
        });
    }

    public Answer shardConsistency(int shard, TreeSize first, TreeSize second) {
        if (!isShard(shard)) {
            return noShard(shard);
        }
        return guarded(shard, () -> {
            if (!isPublished(shard, first) || !isPublished(shard, second)) {
                return new Answer.BadRequest("size-not-published");
            }
            return consistency(shardTiles(shard, shardStore(shard)), first, second);
        });
    }

    public Answer shardCheckpoint(int shard) {
        return guarded(NO_SHARD, () -> {
            byte[] note = stores.ledger().get(Keys.shardNote(shard));
            return note == null ? new Answer.NotFound("not-published") : Answer.Raw.text(note);
        });
    }

    private boolean isPublished(int shard, TreeSize size) {
        return size.isEmpty() || stores.ledger().get(Keys.published(shard, size.value())) != null;
    }

    private TreeSize publishedSize(int shard) {
        try (KeyValueIterator<Bytes, byte[]> newest =
                stores.ledger().reverseRange(Keys.published(shard, 0), Keys.published(shard, Long.MAX_VALUE))) {
            return newest.hasNext() ? new TreeSize(Keys.number(newest.next().key)) : TreeSize.ZERO;
        }
    }

    private boolean isShard(int shard) {
        return shard >= 0 && shard < ledger.shards();
    }

    private Answer noShard(int shard) {
        return new Answer.NotFound("no-shard-" + shard);
    }

    // ---- ledger log

    public Answer ledgerCheckpoint() {
        return guarded(NO_SHARD, () -> {
            TreeSize size = ledgerSize();
            if (size.isEmpty()) {
                return new Answer.NotFound("not-published");
            }
            return published(size.value() - 1)
                    .<Answer>map(epoch -> Answer.Raw.text(epoch.getNote()))
                    .orElseGet(Answer.NotHere::new);
        });
    }

    /** @param epoch its number, or null for the newest */
    public Answer epoch(@Nullable Long epoch) {
        return guarded(NO_SHARD, () -> {
            TreeSize size = ledgerSize();
            long number = epoch == null ? size.value() - 1 : epoch;
            if (number < 0 || number >= size.value()) {
                return new Answer.NotFound("not-published");
            }
            return published(number).map(ProofQueries::describe).orElseGet(Answer.NotHere::new);
        });
    }

    /** The first epoch whose head of that shard has the leaf. */
    public Answer covering(int shard, LeafIndex index) {
        return guarded(NO_SHARD, () -> {
            if (!isShard(shard)) {
                return noShard(shard);
            }
            Long epoch = firstEpochAbove(shard, index);
            if (epoch == null || epoch >= ledgerSize().value()) {
                return new Answer.NotFound("not-published");
            }
            return published(epoch).map(ProofQueries::describe).orElseGet(Answer.NotHere::new);
        });
    }

    private @Nullable Long firstEpochAbove(int shard, LeafIndex index) {
        if (index.value() < 0 || index.value() == Long.MAX_VALUE) {
            return null;
        }
        try (KeyValueIterator<Bytes, byte[]> above = stores.ledger()
                .range(Keys.published(shard, index.value() + 1), Keys.published(shard, Long.MAX_VALUE))) {
            if (!above.hasNext()) {
                return null;
            }
            KeyValue<Bytes, byte[]> first = above.next();
            return ByteBuffer.wrap(first.value).getLong();
        }
    }

    /** The pack that a published epoch logged and that has the leaf. */
    public Answer pack(int shard, LeafIndex index) {
        return guarded(NO_SHARD, () -> {
            if (!isShard(shard)) {
                return noShard(shard);
            }
            if (index.value() < 0) {
                return new Answer.NotFound("not-packed");
            }
            return loggedPack(shard, index.value())
                    .<Answer>map(name -> json("name", name.name()))
                    .orElseGet(() -> new Answer.NotFound("not-packed"));
        });
    }

    public Answer ledgerTile(String path) {
        return guarded(NO_SHARD, () -> tile(ledgerTiles(stores.ledger()), path, ledgerSize()));
    }

    public Answer ledgerInclusion(LeafIndex epoch, TreeSize size) {
        return guarded(
                NO_SHARD,
                () -> size.compareTo(ledgerSize()) > 0
                        ? new Answer.BadRequest("size-not-published")
                        : inclusion(ledgerTiles(stores.ledger()), epoch, size));
    }

    public Answer ledgerConsistency(TreeSize first, TreeSize second) {
        return guarded(
                NO_SHARD,
                () -> second.compareTo(ledgerSize()) > 0
                        ? new Answer.BadRequest("size-not-published")
                        : consistency(ledgerTiles(stores.ledger()), first, second));
    }

    /** Every epoch is published, so every size up to this one is. */
    private TreeSize ledgerSize() {
        byte[] meta = stores.ledger().get(Keys.meta());
        return meta == null ? TreeSize.ZERO : new TreeSize(ByteBuffer.wrap(meta).getLong());
    }

    private Optional<Published> published(long epoch) {
        byte[] value = stores.ledger().get(Keys.epoch(epoch));
        if (value == null) {
            return Optional.empty();
        }
        return Optional.of(
                (Published) ShardProofsProcessor.decode(decoders.get(), value).getBody());
    }

    private static Answer describe(Published epoch) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("epoch", epoch.getEpoch());
        members.put("epochLeaf", base64(epoch.getEpochLeaf()));
        members.put("heads", epoch.getHeads().stream().map(ProofQueries::base64).toList());
        members.put("note", epoch.getNote());
        members.put("segment", epoch.getSegment());
        members.put("payloads", epoch.getPayloads());
        return new Answer.Json(members);
    }

    private static String base64(ByteBuffer bytes) {
        return Base64.getEncoder().encodeToString(ShardProofsProcessor.bytes(bytes));
    }

    // ---- either kind of tree

    private static Answer tile(Tiles tiles, String path, TreeSize published) throws IOException {
        TilePath parsed;
        try {
            parsed = TilePath.parse("tile/" + path);
        } catch (InvalidFormat e) {
            return new Answer.BadRequest("tile-path");
        }
        if (!(parsed instanceof HashTile tile)) {
            return new Answer.BadRequest("tile-path");
        }
        if (!Tile.isWithin(tile, published)) {
            return new Answer.NotFound("not-published");
        }
        return tiles.get(tile).<Answer>map(Answer.Raw::octets).orElseGet(Answer.NotHere::new);
    }

    private static Answer inclusion(Tiles tiles, LeafIndex index, TreeSize size) throws IOException {
        if (!size.contains(index)) {
            return new Answer.BadRequest("index-not-below-size");
        }
        TileNodeReader nodes = new TileNodeReader(tiles::get, size);
        List<Hash> path = Proofs.inclusion(index, size, nodes);
        return json(
                "leafHash", nodes.node(0, index.value()).base64(),
                "path", path.stream().map(Hash::base64).toList(),
                "root", root(nodes, size));
    }

    private static Answer consistency(Tiles tiles, TreeSize first, TreeSize second) throws IOException {
        if (first.compareTo(second) > 0) {
            return new Answer.BadRequest("first-above-second");
        }
        TileNodeReader nodes = new TileNodeReader(tiles::get, second);
        return json(
                "path",
                Proofs.consistency(first, second, nodes).stream()
                        .map(Hash::base64)
                        .toList(),
                "root",
                root(nodes, second));
    }

    private static String root(TileNodeReader nodes, TreeSize size) throws IOException {
        return size.isEmpty()
                ? Rfc6962.EMPTY_ROOT.base64()
                : Proofs.root(size, nodes).base64();
    }

    /** The tile at the width asked for; empty if the store has less of it. */
    private static Optional<byte[]> stored(ReadOnlyKeyValueStore<Bytes, byte[]> store, HashTile tile) {
        byte[] hashes = store.get(Keys.tile(tile.level(), tile.index()));
        int length = tile.width() * Hash.SIZE_BYTES;
        return hashes == null || hashes.length < length ? Optional.empty() : Optional.of(Arrays.copyOf(hashes, length));
    }

    private static Answer.Json json(Object... namesAndValues) {
        Map<String, Object> members = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            members.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return new Answer.Json(members);
    }
}
