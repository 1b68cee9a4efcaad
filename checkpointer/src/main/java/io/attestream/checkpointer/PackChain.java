// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.ShardHead;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The newest pack of each shard that a published epoch logged. Packs of a shard follow each other without a gap. */
final class PackChain {
    private final Map<Integer, PackName> newest = new HashMap<>();

    /** The index behind the last leaf that is in a logged pack. */
    long end(int shard) {
        return newest(shard).map(PackName::end).orElse(0L);
    }

    Optional<PackName> newest(int shard) {
        return Optional.ofNullable(newest.get(shard));
    }

    /**
     * Takes what an epoch logs.
     *
     * @param published the heads of the epoch before it: an epoch logs only packs of what was published already
     * @return the packs it logs, in their order
     * @throws InvalidFormat if it logs something else, or a pack that does not follow; nothing was taken then
     */
    List<PackName> accept(List<EpochLeaf.Logged> logged, List<ShardHead> published) throws InvalidFormat {
        Map<Integer, Long> ends = new HashMap<>();
        List<PackName> packs = new ArrayList<>();
        for (EpochLeaf.Logged object : logged) {
            if (SnapshotName.isSnapshot(object.name()) || KeyChange.isName(object.name())) {
                continue; // CheckpointHistory looks at them
            }
            PackName pack = PackName.parse(object.name());
            if (!pack.digest().equals(object.digest())) {
                throw new InvalidFormat(object.name(), "is logged with another digest than its name has");
            }
            if (pack.shard() >= published.size()) {
                throw new InvalidFormat(object.name(), "is of a shard the ledger does not have");
            }
            long end = ends.getOrDefault(pack.shard(), end(pack.shard()));
            if (pack.first() != end) {
                throw new InvalidFormat(object.name(), "does not follow the packs before it, which end at leaf " + end);
            }
            if (Long.compareUnsigned(
                            pack.end(), published.get(pack.shard()).size().value())
                    > 0) {
                throw new InvalidFormat(object.name(), "has leaves that were not published before");
            }
            ends.put(pack.shard(), pack.end());
            packs.add(pack);
        }
        packs.forEach(pack -> newest.put(pack.shard(), pack));
        return packs;
    }

    /** The packs an epoch logs whose intent was accepted before. */
    static List<PackName> logged(EpochIntent accepted) {
        try {
            List<PackName> packs = new ArrayList<>();
            for (EpochLeaf.Logged object : EpochLeaf.parse(accepted.epochLeaf()).logged()) {
                if (PackName.isPack(object.name())) {
                    packs.add(PackName.parse(object.name()));
                }
            }
            return packs;
        } catch (InvalidFormat e) {
            throw new IllegalStateException("it was read before", e);
        }
    }

    PackChain copy() {
        PackChain copy = new PackChain();
        copy.newest.putAll(newest);
        return copy;
    }
}
