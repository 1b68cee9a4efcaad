// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.ledger.EpochLeaf;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Who answers for the objects whose digests an epoch leaf logs. */
interface LoggedObjects {
    /** Nothing may be logged. */
    LoggedObjects NONE = logged -> {
        if (!logged.isEmpty()) {
            throw new FatalDoubtException(
                    "object " + logged.get(0).name() + " is to be logged, which nobody here has verified");
        }
    };

    /** Packs by one, snapshots by the other. */
    static LoggedObjects of(LoggedObjects packs, LoggedObjects snapshots) {
        return logged -> {
            Map<Boolean, List<EpochLeaf.Logged>> bySnapshot = logged.stream()
                    .collect(Collectors.partitioningBy(object -> SnapshotName.isSnapshot(object.name())));
            snapshots.requireVerified(bySnapshot.getOrDefault(true, List.of()));
            packs.requireVerified(bySnapshot.getOrDefault(false, List.of()));
        };
    }

    /**
     * Returns if each object is in the store, whole, with this digest, and holds what was published.
     *
     * @throws FatalDoubtException if not
     */
    void requireVerified(List<EpochLeaf.Logged> logged);
}
