// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers from packs what a shard's proof store has let go of. Whatever is read has the digest the ledger log has. A damaged pack
 * and a store that does not answer are the same to who asks: an {@link IOException}; the log tells them apart. Thread-safe.
 */
public final class PackedProofs {
    private static final Logger LOG = LoggerFactory.getLogger(PackedProofs.class);

    /** Headers kept; one of a full pack is some 50 KB. */
    private static final int PACKS_MAX = 64;

    private final ObjectStore store;
    private final Map<PackName, Pack> open = new LinkedHashMap<>(PACKS_MAX, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<PackName, Pack> eldest) {
            return size() > PACKS_MAX;
        }
    };

    public PackedProofs(ObjectStore store) {
        this.store = store;
    }

    private interface Reading<T> {
        T read(Pack pack) throws IOException, InvalidFormat;
    }

    /** The full tile of level 0 with this index. */
    byte[] tile(PackName name, long index) throws IOException {
        return read(name, pack -> pack.tile(index));
    }

    /** The leaf whose record has this offset; empty if it is none, or in another pack. */
    Optional<DeltaIndex.Found> leafAt(PackName name, long offset) throws IOException {
        return read(name, pack -> {
            OptionalLong index = pack.leafAt(offset);
            return index.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new DeltaIndex.Found(
                            index.getAsLong(), pack.leaf(index.getAsLong()).kind()));
        });
    }

    /** What became of the record with this offset if it is no leaf and in this pack. */
    Optional<OutcomeRecord> outcome(PackName name, long offset) throws IOException {
        return read(name, pack -> pack.outcomes(offset, offset + 1).stream().findFirst());
    }

    /** The 256 leaves from the multiple of 256 on that this one is among. */
    List<LeafRecord> block(PackName name, long leafIndex) throws IOException {
        return read(name, pack -> pack.block(leafIndex));
    }

    /** All outcomes of the pack. */
    List<OutcomeRecord> outcomes(PackName name) throws IOException {
        return read(name, pack -> pack.outcomes(0, Long.MAX_VALUE));
    }

    /** Input position behind the pack's last leaf. */
    long nextOffset(PackName name) throws IOException {
        return read(name, Pack::nextOffset);
    }

    private <T> T read(PackName name, Reading<T> reading) throws IOException {
        try {
            return reading.read(pack(name));
        } catch (InvalidFormat e) {
            LOG.error(
                    "ALARM: object {} is damaged: {}. attestream fsck tells what else is", name.name(), e.getMessage());
            throw new IOException("object " + name.name() + " is damaged: " + e.getMessage(), e);
        }
    }

    private Pack pack(PackName name) throws IOException, InvalidFormat {
        synchronized (open) {
            Pack known = open.get(name);
            if (known != null) {
                return known;
            }
        }
        Pack opened = Pack.open(store, name)
                .orElseThrow(() -> new IOException("object " + name.name() + " is missing although an epoch logs it"));
        synchronized (open) {
            open.put(name, opened);
        }
        return opened;
    }
}
