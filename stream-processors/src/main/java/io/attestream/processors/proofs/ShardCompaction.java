// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.Hash;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets one shard's proof store go of what is in logged packs, so that it does not grow with the log: tiles of level 0, the index of
 * offsets, outcomes. A pack was read whole before, and all it has is held against what the store has. Tiles above level 0, a 256th
 * of them, stay: they are what an answer out of a pack is held against.
 *
 * <p>The order keeps every state a crash can leave readable: first how far the store is compacted and where the pack is found, then,
 * behind a flush, the removals. A removal that was lost is made again. Used by the shard's stream thread only.
 */
final class ShardCompaction {
    private static final Logger LOG = LoggerFactory.getLogger(ShardCompaction.class);

    /** Keys removed in one go. */
    private static final int REMOVALS_MAX = 2_000;

    /** After which a step ends although there is more to remove: the stream thread has records to process. */
    private static final long STEP_NANOS = 100_000_000;

    private final int shard;
    private final KeyValueStore<Bytes, byte[]> store;
    private final KeyValueStore<Bytes, byte[]> ledger;
    private final PackLoader loader;
    /** Whether something below {@link Compacted} may still be in the store. */
    private boolean unswept = true;

    /**
     * @param store of the shard
     * @param ledger the published epochs and their packs; read only
     */
    ShardCompaction(
            int shard, KeyValueStore<Bytes, byte[]> store, KeyValueStore<Bytes, byte[]> ledger, PackLoader loader) {
        this.shard = shard;
        this.store = store;
        this.ledger = ledger;
        this.loader = loader;
    }

    /** One step: some removals, or the next pack if there is one and it has been read. */
    void step() {
        Compacted done = Compacted.of(store.get(Keys.compacted()));
        long begunNanos = System.nanoTime();
        while (unswept) {
            unswept = sweep(done);
            if (unswept && System.nanoTime() - begunNanos > STEP_NANOS) {
                return;
            }
        }
        Optional<PackName> next = next(done);
        if (next.isPresent()
                && ShardMeta.of(store.get(Keys.meta())).size() >= next.get().end()) {
            loader.poll(next.get()).ifPresent(content -> letGo(done, content));
        }
    }

    private Optional<PackName> next(Compacted done) {
        byte[] name = ledger.get(Keys.pack(shard, done.size()));
        try {
            return name == null
                    ? Optional.empty()
                    : Optional.of(PackName.parse(new String(name, StandardCharsets.US_ASCII)));
        } catch (InvalidFormat e) {
            throw new IntegrityException("the ledger store has the name of a pack that is none: " + e.getMessage(), e);
        }
    }

    private void letGo(Compacted done, PackContent pack) {
        requireTiles(pack);
        requireLeaves(done, pack);
        requireOutcomes(done, pack);
        store.put(
                Keys.packed(done.nextOffset()),
                ByteBuffer.allocate(8).putLong(pack.name().first()).array());
        store.put(Keys.compacted(), new Compacted(pack.name().end(), pack.nextOffset()).encode());
        store.flush();
        unswept = true;
        LOG.info(
                "shard {}: proofs of leaves below {} come from packs now",
                shard,
                pack.name().end());
    }

    // ---- what goes has to be in the pack

    private void requireTiles(PackContent pack) {
        long first = pack.name().first() / TilePath.FULL_WIDTH;
        for (int i = 0; i < pack.tileRoots().size(); i++) {
            long tile = first + i;
            byte[] above = store.get(Keys.tile(1, tile / TilePath.FULL_WIDTH));
            int at = (int) (tile % TilePath.FULL_WIDTH) * Hash.SIZE_BYTES;
            Hash packed = pack.tileRoots().get(i);
            boolean isSame = above != null
                    && above.length >= at + Hash.SIZE_BYTES
                    && Hash.of(above, at).equals(packed);
            if (!isSame) {
                throw differs(pack, "tile " + tile + " has root " + packed.base64() + ", the node above it is another");
            }
        }
    }

    private void requireLeaves(Compacted done, PackContent pack) {
        int at = 0;
        try (KeyValueIterator<Bytes, byte[]> deltas =
                store.range(Keys.delta(done.nextOffset()), Keys.delta(pack.nextOffset() - 1))) {
            while (deltas.hasNext()) {
                DeltaIndex delta = DeltaIndex.of(deltas.next().value);
                if (delta.firstIndex() != pack.name().first() + at || at + delta.kinds().length > pack.kinds().length) {
                    throw differs(pack, "its leaf " + (pack.name().first() + at) + " is in no delta that is known");
                }
                for (int i = 0; i < delta.kinds().length; i++, at++) {
                    if (delta.kinds()[i] != pack.kinds()[at] || delta.offsets().get(i) != pack.offsets()[at]) {
                        throw differs(
                                pack,
                                "its leaf " + (pack.name().first() + at) + " has offset " + pack.offsets()[at]
                                        + " and kind " + pack.kinds()[at] + ", known are "
                                        + delta.offsets().get(i) + " and " + delta.kinds()[i]);
                    }
                }
            }
        }
        if (at != pack.kinds().length) {
            throw differs(pack, "its leaf " + (pack.name().first() + at) + " is in no delta that is known");
        }
    }

    /** Outcomes are read apart from deltas: one that has not come yet is not missing. */
    private void requireOutcomes(Compacted done, PackContent pack) {
        try (KeyValueIterator<Bytes, byte[]> known =
                store.range(Keys.outcome(done.nextOffset()), Keys.outcome(pack.nextOffset() - 1))) {
            known.forEachRemaining(entry -> {
                long offset = Keys.number(entry.key);
                byte[] packed = Optional.ofNullable(pack.outcomes().get(offset))
                        .map(ShardCompaction::encode)
                        .orElse(new byte[0]);
                if (!Arrays.equals(packed, entry.value)) {
                    throw differs(pack, "the record at offset " + offset + " has another outcome than is known");
                }
            });
        }
    }

    private static byte[] encode(OutcomeRecord outcome) {
        return stored(outcome).encode();
    }

    static StoredOutcome stored(OutcomeRecord outcome) {
        if (outcome instanceof OutcomeRecord.Duplicate duplicate) {
            return new StoredOutcome(true, duplicate.leafIndex(), "");
        }
        return new StoredOutcome(false, -1, ((OutcomeRecord.Rejected) outcome).reason());
    }

    private IntegrityException differs(PackContent pack, String what) {
        return new IntegrityException("shard " + shard + ": pack " + pack.name().name()
                + " is not what the sequencer sealed: " + what
                + ". Nothing was removed; compare with attestream fsck and"
                + " attestream rebuild");
    }

    // ---- removing

    /** @return whether something may be left */
    private boolean sweep(Compacted done) {
        if (done.size() == 0) {
            return false;
        }
        List<Bytes> keys = new ArrayList<>();
        collect(Keys.tile(0, 0), Keys.tile(0, done.size() / TilePath.FULL_WIDTH - 1), keys);
        collect(Keys.delta(0), Keys.delta(done.nextOffset() - 1), keys);
        collect(Keys.outcome(0), Keys.outcome(done.nextOffset() - 1), keys);
        keys.forEach(store::delete);
        return keys.size() == REMOVALS_MAX;
    }

    private void collect(Bytes from, Bytes to, List<Bytes> keys) {
        try (KeyValueIterator<Bytes, byte[]> range = store.range(from, to)) {
            while (keys.size() < REMOVALS_MAX && range.hasNext()) {
                keys.add(range.next().key);
            }
        }
    }
}
