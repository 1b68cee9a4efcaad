// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tree.Hash;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Of which epoch a snapshot is, and its name: {@code snapshots/<epoch, 20 digits>-<digest>.snapshot}. The objects it names lie
 * beside it: {@code shard-snapshots/<epoch, 20 digits>-<shard, 5 digits>-<digest>.json}.
 *
 * @param digest SHA-256 of the whole object
 */
public record SnapshotName(long epoch, Hash digest) {
    /** What the names of all snapshots begin with. */
    public static final String SNAPSHOTS = "snapshots/";

    /** What the names of all shards' snapshots begin with. */
    public static final String SHARD_SNAPSHOTS = "shard-snapshots/";

    private static final Pattern NAME = Pattern.compile("snapshots/([0-9]{20})-([0-9a-f]{64})\\.snapshot");
    private static final Pattern SHARD_NAME =
            Pattern.compile("shard-snapshots/([0-9]{20})-([0-9]{5})-([0-9a-f]{64})\\.json");

    public SnapshotName {
        if (epoch < 0) {
            throw new IllegalArgumentException("an epoch's number is not negative");
        }
    }

    /** Of an object with these bytes. */
    public static SnapshotName of(long epoch, byte[] object) {
        return new SnapshotName(epoch, PackHeader.sha256(object));
    }

    public String name() {
        return SNAPSHOTS + String.format(Locale.ROOT, "%020d", epoch) + "-" + digest.hex() + ".snapshot";
    }

    /** Whether it is meant to be the name of a snapshot. */
    public static boolean isSnapshot(String name) {
        return name.startsWith(SNAPSHOTS);
    }

    public static SnapshotName parse(String name) throws InvalidFormat {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new InvalidFormat(name, "is not the name of a snapshot");
        }
        try {
            return new SnapshotName(Long.parseLong(matcher.group(1)), Hash.ofHex(matcher.group(2)));
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat(name, String.valueOf(e.getMessage()));
        }
    }

    /** Fails unless the object has the digest of this name. */
    public void requireDigest(byte[] object) throws InvalidFormat {
        requireDigest(name(), digest, object);
    }

    /** The name of one shard's part. */
    public static String ofShard(long epoch, int shard, byte[] object) {
        return SHARD_SNAPSHOTS + String.format(Locale.ROOT, "%020d-%05d", epoch, shard) + "-"
                + PackHeader.sha256(object).hex() + ".json";
    }

    /** Fails unless it can be the name of this shard's part of a snapshot of this epoch. */
    public static void requireOfShard(String name, long epoch, int shard) throws InvalidFormat {
        Matcher matcher = SHARD_NAME.matcher(name);
        if (!matcher.matches()
                || !matcher.group(1).equals(String.format(Locale.ROOT, "%020d", epoch))
                || !matcher.group(2).equals(String.format(Locale.ROOT, "%05d", shard))) {
            throw new InvalidFormat(name, "is not the name of shard " + shard + " in a snapshot of epoch " + epoch);
        }
    }

    /** The epoch in the name of one shard's part. */
    public static long epochOfShard(String name) throws InvalidFormat {
        Matcher matcher = SHARD_NAME.matcher(name);
        if (!matcher.matches()) {
            throw new InvalidFormat(name, "is not the name of a shard's part of a snapshot");
        }
        try {
            return Long.parseLong(matcher.group(1));
        } catch (NumberFormatException e) {
            throw new InvalidFormat(name, "is beyond any epoch");
        }
    }

    /** Fails unless the part of a shard has the digest its name says. */
    public static void requireShardDigest(String name, byte[] object) throws InvalidFormat {
        Matcher matcher = SHARD_NAME.matcher(name);
        if (!matcher.matches()) {
            throw new InvalidFormat(name, "is not the name of a shard's part of a snapshot");
        }
        requireDigest(name, Hash.ofHex(matcher.group(3)), object);
    }

    private static void requireDigest(String name, Hash expected, byte[] object) throws InvalidFormat {
        Hash actual = PackHeader.sha256(object);
        if (!actual.equals(expected)) {
            throw new InvalidFormat(name, "has digest " + actual.hex() + ", its name says " + expected.hex());
        }
    }
}
