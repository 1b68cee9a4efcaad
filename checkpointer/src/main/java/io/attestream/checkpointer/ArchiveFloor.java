// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.ledger.ShardHead;
import java.io.IOException;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long the published log is at least, by what else an object store has: segments, packs and snapshots are of what was published,
 * or of the epoch that was to be next. A store whose newest epochs are gone, guards and all, often still has some of them.
 */
final class ArchiveFloor {
    private static final Pattern EPOCH = Pattern.compile("[a-z]+/([0-9]{20})-[0-9a-f]{64}\\.[a-z]+");

    private final ObjectStore store;

    ArchiveFloor(ObjectStore store) {
        this.store = store;
    }

    /**
     * @param lastEpoch of the log that is to be gone on from
     * @param heads of all shards in it
     * @throws FatalDoubtException if there is an object of a longer one
     */
    void require(long lastEpoch, List<ShardHead> heads) throws IOException {
        requireNoneBehind(ObjectNames.SEGMENTS, lastEpoch + 1, lastEpoch);
        requireNoneBehind(ObjectNames.PAYLOADS, lastEpoch + 1, lastEpoch);
        requireNoneBehind(SnapshotName.SNAPSHOTS, lastEpoch, lastEpoch);
        for (String name : store.list(PackName.PACKS)) {
            if (pack(name).filter(pack -> !isPublished(pack, heads)).isPresent()) {
                throw longer(name, lastEpoch);
            }
        }
    }

    private static boolean isPublished(PackName pack, List<ShardHead> heads) {
        return pack.shard() < heads.size()
                && pack.end() <= heads.get(pack.shard()).size().value();
    }

    /** Empty for what somebody else put there. */
    private static Optional<PackName> pack(String name) {
        try {
            return Optional.of(PackName.parse(name));
        } catch (InvalidFormat e) {
            return Optional.empty();
        }
    }

    private void requireNoneBehind(String prefix, long epochMax, long lastEpoch) throws IOException {
        for (String name : store.list(prefix)) {
            Matcher matcher = EPOCH.matcher(name);
            if (matcher.matches() && new BigInteger(matcher.group(1)).compareTo(BigInteger.valueOf(epochMax)) > 0) {
                throw longer(name, lastEpoch);
            }
        }
    }

    private static FatalDoubtException longer(String name, long lastEpoch) {
        return new FatalDoubtException("the object store has " + name + ", its last epoch object is "
                + ObjectNames.epoch(lastEpoch) + ": it lost epochs that were published, or somebody publishes just now."
                + " Is a checkpointer of the lost cluster alive? A log that is shorter than what was published is never"
                + " continued; else restore the objects from a copy of the store");
    }
}
