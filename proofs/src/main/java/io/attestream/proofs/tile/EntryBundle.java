// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import io.attestream.proofs.InvalidFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Entry bundles of C2SP tlog-tiles: for each entry its length as a big-endian 16-bit number, then its bytes. */
public final class EntryBundle {
    public static final int MAX_ENTRY_SIZE_BYTES = 65_535;

    private EntryBundle() {}

    /**
     * @param entries 1 to 256
     * @throws IllegalArgumentException if there are more or none, or one is longer than 65,535 bytes
     */
    public static byte[] encode(List<byte[]> entries) {
        if (entries.isEmpty() || entries.size() > TilePath.FULL_WIDTH) {
            throw new IllegalArgumentException("a bundle has 1 to 256 entries, not " + entries.size());
        }
        int size = 0;
        for (byte[] entry : entries) {
            if (entry.length > MAX_ENTRY_SIZE_BYTES) {
                throw new IllegalArgumentException("an entry has at most 65,535 bytes, not " + entry.length);
            }
            size += 2 + entry.length;
        }
        byte[] bundle = new byte[size];
        int at = 0;
        for (byte[] entry : entries) {
            bundle[at++] = (byte) (entry.length >>> 8);
            bundle[at++] = (byte) entry.length;
            System.arraycopy(entry, 0, bundle, at, entry.length);
            at += entry.length;
        }
        return bundle;
    }

    /** The entries of a bundle, 1 to 256. */
    public static List<byte[]> decode(byte[] bundle) throws InvalidFormat {
        List<byte[]> entries = new ArrayList<>();
        int at = 0;
        while (at < bundle.length) {
            if (entries.size() == TilePath.FULL_WIDTH) {
                throw new InvalidFormat("bundle", "has more than 256 entries");
            }
            if (bundle.length - at < 2) {
                throw new InvalidFormat("bundle", "ends within the length of entry " + entries.size());
            }
            int length = (bundle[at] & 0xff) << 8 | (bundle[at + 1] & 0xff);
            at += 2;
            if (bundle.length - at < length) {
                throw new InvalidFormat("bundle", "ends within entry " + entries.size());
            }
            entries.add(Arrays.copyOfRange(bundle, at, at + length));
            at += length;
        }
        if (entries.isEmpty()) {
            throw new InvalidFormat("bundle", "has no entry");
        }
        return entries;
    }
}
