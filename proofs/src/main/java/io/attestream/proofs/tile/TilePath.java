// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import io.attestream.proofs.InvalidFormat;

/**
 * Where a tile or an entry bundle is, relative to the log's prefix (C2SP tlog-tiles). A width below 256 makes it partial.
 */
public sealed interface TilePath {
    /** Hashes in a full tile, entries in a full bundle. */
    int FULL_WIDTH = 256;

    /** Index of the tile within its level, or of the bundle. */
    long index();

    /** 1 to 256. */
    int width();

    /** The path, for example {@code tile/0/x001/x234/067.p/8} or {@code tile/entries/000}. */
    String path();

    /** The same tile with all 256. */
    TilePath full();

    default boolean isFull() {
        return width() == FULL_WIDTH;
    }

    /**
     * A tile of hashes.
     *
     * @param level 0 to 63; a tree below 2^64 leaves uses 0 to 7
     */
    record HashTile(int level, long index, int width) implements TilePath {
        public HashTile {
            if (level < 0 || level > 63) {
                throw new IllegalArgumentException("tile level " + level + " is not in 0..63");
            }
            requireValid(index, width);
        }

        @Override
        public String path() {
            return "tile/" + level + "/" + encode(index, width);
        }

        @Override
        public HashTile full() {
            return new HashTile(level, index, FULL_WIDTH);
        }
    }

    /** A bundle of entries. */
    record Entries(long index, int width) implements TilePath {
        public Entries {
            requireValid(index, width);
        }

        @Override
        public String path() {
            return "tile/entries/" + encode(index, width);
        }

        @Override
        public Entries full() {
            return new Entries(index, FULL_WIDTH);
        }
    }

    /**
     * Reads a path and accepts exactly what {@link #path()} writes.
     *
     * @throws InvalidFormat for every other text
     */
    static TilePath parse(String path) throws InvalidFormat {
        if (path.length() > 64 || !path.startsWith("tile/")) {
            throw new InvalidFormat("path", "must begin with tile/ and have at most 64 characters");
        }
        int slash = path.indexOf('/', 5);
        if (slash < 0) {
            throw new InvalidFormat("path", "must have a level and an index");
        }
        String level = path.substring(5, slash);
        String rest = path.substring(slash + 1);
        int width = FULL_WIDTH;
        int partial = rest.indexOf(".p/");
        if (partial >= 0) {
            width = number(rest.substring(partial + 3), 255, "width");
            if (width == 0) {
                throw new InvalidFormat("width", "must be 1 to 255");
            }
            rest = rest.substring(0, partial);
        }
        long index = parseIndex(rest);
        return level.equals("entries")
                ? new Entries(index, width)
                : new HashTile(number(level, 63, "level"), index, width);
    }

    private static void requireValid(long index, int width) {
        if (index < 0) {
            throw new IllegalArgumentException("tile index " + Long.toUnsignedString(index) + " is above 2^63 - 1");
        }
        if (width < 1 || width > FULL_WIDTH) {
            throw new IllegalArgumentException("tile width " + width + " is not in 1..256");
        }
    }

    private static String encode(long index, int width) {
        StringBuilder text = new StringBuilder(32);
        text.append(group(index));
        for (long rest = index / 1000; rest > 0; rest /= 1000) {
            text.insert(0, "x" + group(rest) + "/");
        }
        if (width < FULL_WIDTH) {
            text.append(".p/").append(width);
        }
        return text.toString();
    }

    /** The last three digits; not by String.format, whose digits depend on the locale. */
    private static String group(long index) {
        return Long.toString(1000 + index % 1000).substring(1);
    }

    private static long parseIndex(String text) throws InvalidFormat {
        String[] groups = text.split("/", -1);
        if (groups.length > 7) {
            throw new InvalidFormat("index", "must be below 2^63");
        }
        long index = 0;
        for (int i = 0; i < groups.length; i++) {
            boolean last = i == groups.length - 1;
            String digits = last ? groups[i] : withoutX(groups[i]);
            if (digits.length() != 3) {
                throw new InvalidFormat("index", "must be groups of three digits");
            }
            int group = 0;
            for (int d = 0; d < digits.length(); d++) {
                char c = digits.charAt(d);
                if (c < '0' || c > '9') {
                    throw new InvalidFormat("index", "must be groups of three digits");
                }
                group = group * 10 + (c - '0');
            }
            if (i == 0 && !last && group == 0) {
                throw new InvalidFormat("index", "must not have a leading zero group");
            }
            try {
                index = Math.addExact(Math.multiplyExact(index, 1000L), group);
            } catch (ArithmeticException e) {
                throw new InvalidFormat("index", "must be below 2^63");
            }
        }
        return index;
    }

    private static String withoutX(String group) throws InvalidFormat {
        if (!group.startsWith("x")) {
            throw new InvalidFormat("index", "must have an x before every group but the last");
        }
        return group.substring(1);
    }

    private static int number(String text, int max, String field) throws InvalidFormat {
        boolean digits = !text.isEmpty() && text.length() <= 3 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!digits || (text.length() > 1 && text.charAt(0) == '0') || Integer.parseInt(text) > max) {
            throw new InvalidFormat(field, "must be a decimal from 0 to " + max);
        }
        return Integer.parseInt(text);
    }
}
