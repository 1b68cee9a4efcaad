// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.Hash;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which leaves a pack holds, and under which names: {@code packs/<shard, 5 digits>/<first leaf, 20 digits>-<end, 20
 * digits>-<digest>.pack}, and the payloads beside it, whose name is without a digest because they may be rewritten.
 *
 * @param first its first leaf's index, a multiple of 256
 * @param end the index behind its last leaf, a multiple of 256
 * @param digest SHA-256 of the pack's header, which has those of all that follows it
 */
public record PackName(int shard, long first, long end, Hash digest) {
    /** What the names of all packs begin with. */
    public static final String PACKS = "packs/";

    /** What the names of all payload packs begin with. */
    public static final String PAYLOAD_PACKS = "payload-packs/";

    /** Leaves of a full pack. */
    public static final int LEAVES_MAX = 65_536;

    private static final int SHARD_MAX = 99_999;
    private static final Pattern NAME =
            Pattern.compile("packs/([0-9]{5})/([0-9]{20})-([0-9]{20})-([0-9a-f]{64})\\.pack");

    public PackName {
        if (shard < 0 || shard > SHARD_MAX) {
            throw new IllegalArgumentException("the shard of a pack is 0 to 99999, not " + shard);
        }
        if (first < 0 || first % TilePath.FULL_WIDTH != 0) {
            throw new IllegalArgumentException("a pack begins at a multiple of 256 leaves, not at " + first);
        }
        if (end <= first || end - first > LEAVES_MAX || end % TilePath.FULL_WIDTH != 0) {
            throw new IllegalArgumentException("a pack that begins at leaf " + first
                    + " ends at a multiple of 256 at most 65536 behind, not at " + end);
        }
    }

    /** Of the pack. */
    public String name() {
        return PACKS + leaves() + "-" + HexFormat.of().formatHex(digest.bytes()) + ".pack";
    }

    /** Of the pack with the payloads of the same leaves. */
    public String payloads() {
        return PAYLOAD_PACKS + leaves() + ".pay";
    }

    private String leaves() {
        return String.format(Locale.ROOT, "%05d/%020d-%020d", shard, first, end);
    }

    /** How many leaves it holds. */
    public int count() {
        return (int) (end - first);
    }

    public boolean has(long leafIndex) {
        return leafIndex >= first && leafIndex < end;
    }

    /** Whether it is meant to be the name of a pack. */
    public static boolean isPack(String name) {
        return name.startsWith(PACKS);
    }

    public static PackName parse(String name) throws InvalidFormat {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new InvalidFormat(name, "is not the name of a pack");
        }
        try {
            return new PackName(
                    Integer.parseInt(matcher.group(1)),
                    Long.parseLong(matcher.group(2)),
                    Long.parseLong(matcher.group(3)),
                    Hash.ofHex(matcher.group(4)));
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat(name, String.valueOf(e.getMessage()));
        }
    }
}
