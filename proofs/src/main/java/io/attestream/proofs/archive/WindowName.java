// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tree.Hash;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which leaves a window block holds, and its name: {@code windows/<shard, 5 digits>/<first leaf, 20 digits>-<end, 20
 * digits>-<digest>.window}.
 *
 * @param first its first leaf's index, a multiple of {@link WindowBlock#LEAVES_MAX}
 * @param end the index behind its last leaf
 * @param digest SHA-256 of the whole object
 */
public record WindowName(int shard, long first, long end, Hash digest) {
    /** What the names of all window blocks begin with. */
    public static final String WINDOWS = "windows/";

    private static final int SHARD_MAX = 99_999;
    private static final Pattern NAME =
            Pattern.compile("windows/([0-9]{5})/([0-9]{20})-([0-9]{20})-([0-9a-f]{64})\\.window");

    public WindowName {
        if (shard < 0 || shard > SHARD_MAX) {
            throw new IllegalArgumentException("the shard of a window block is 0 to 99999, not " + shard);
        }
        if (first < 0 || first % WindowBlock.LEAVES_MAX != 0) {
            throw new IllegalArgumentException("a window block begins at a multiple of 65536 leaves, not at " + first);
        }
        if (end <= first || end - first > WindowBlock.LEAVES_MAX) {
            throw new IllegalArgumentException(
                    "a window block that begins at leaf " + first + " ends at most 65536 behind, not at " + end);
        }
    }

    public String name() {
        return WINDOWS + String.format(Locale.ROOT, "%05d/%020d-%020d", shard, first, end) + "-" + digest.hex()
                + ".window";
    }

    /** How many leaves it holds. */
    public int count() {
        return (int) (end - first);
    }

    /** Whether no leaf can be added to it. */
    public boolean isFull() {
        return count() == WindowBlock.LEAVES_MAX;
    }

    public static WindowName parse(String name) throws InvalidFormat {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new InvalidFormat(name, "is not the name of a window block");
        }
        try {
            return new WindowName(
                    Integer.parseInt(matcher.group(1)),
                    Long.parseLong(matcher.group(2)),
                    Long.parseLong(matcher.group(3)),
                    Hash.ofHex(matcher.group(4)));
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat(name, String.valueOf(e.getMessage()));
        }
    }
}
