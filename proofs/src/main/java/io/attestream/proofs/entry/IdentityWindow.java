// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.SecureRandom;

/**
 * The exact dedup window: which identities are among the last W leaves of a shard, and with which content tag.
 *
 * <p>A ring holds digest and tag of each leaf in the window at {@code index mod capacity}; an open-addressing table of ring
 * positions, at most half full, finds a digest. A leaf that leaves the window is deleted from the table by shifting its
 * followers back, so that there are no tombstones and a probe stays short for ever. Capacity doubles up to W as leaves come,
 * so a young shard is small. Digests are compared whole: no false positive, no false negative.
 *
 * <p>Which leaves count is a function of the leaves and of W alone: index ≥ max(floor, size − W). The floor rises when W
 * shrinks, because what left the window stays out of it. Not thread-safe.
 */
public final class IdentityWindow {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final int MIN_CAPACITY = 256;
    public static final long MAX_WINDOW_LEAVES = 1L << 26;
    /** Bits of a table slot that hold the position; those above tell digests apart. */
    private static final int POSITION_MASK = (1 << 27) - 1;

    private static final SecureRandom RANDOM = new SecureRandom();

    /**
     * Where a digest lies in the table, no more. Producers choose ids and so, by trying, the last bits of digests: without a
     * number they do not know they could fill one stretch of the table and make every probe walk over it.
     */
    private final long seed;

    private long windowLeaves;
    private long floor;
    private long size;

    private int capacity = MIN_CAPACITY;
    private long[] digests = new long[2 * MIN_CAPACITY];
    private long[] tags = new long[2 * MIN_CAPACITY];
    private boolean[] findable = new boolean[MIN_CAPACITY];
    /** Ring position + 1 and a mark of the digest, or 0 for free: most others are passed by without a look at the ring. */
    private int[] table = new int[2 * MIN_CAPACITY];

    private IdentityWindow(long floor, long windowLeaves) {
        this(floor, windowLeaves, RANDOM.nextLong());
    }

    /** For tests: with a known seed. */
    IdentityWindow(long floor, long windowLeaves, long seed) {
        this.seed = seed;
        this.floor = floor;
        this.size = floor;
        this.windowLeaves = requireWindow(windowLeaves);
    }

    /** A window over a shard without leaves. */
    public IdentityWindow(long windowLeaves) {
        this(0, windowLeaves);
    }

    /** A window that knows no leaf before this index and expects it next. */
    public static IdentityWindow startingAt(long firstLeaf, long windowLeaves) {
        return new IdentityWindow(firstLeaf, windowLeaves);
    }

    private static long requireWindow(long windowLeaves) {
        if (windowLeaves < MIN_CAPACITY || windowLeaves > MAX_WINDOW_LEAVES || Long.bitCount(windowLeaves) != 1) {
            throw new IllegalArgumentException(
                    "a dedup window is a power of two between 256 and 2^26 leaves, not " + windowLeaves);
        }
        return windowLeaves;
    }

    /** Number of leaves of the shard. */
    public long size() {
        return size;
    }

    public long windowLeaves() {
        return windowLeaves;
    }

    /** Index of the oldest leaf in the window; equals {@link #size()} when it is empty. */
    public long firstLeaf() {
        return Math.max(floor, size - windowLeaves);
    }

    /** The event leaf in the window with this identity digest at {@code digest[offset, +16)}; -1 if there is none. */
    public long find(byte[] digest, int offset) {
        long high = longAt(digest, offset);
        long low = longAt(digest, offset + 8);
        int mask = table.length - 1;
        int mark = markOf(high);
        for (int slot = slotOf(low, mask); table[slot] != 0; slot = slot + 1 & mask) {
            if (isAt(table[slot], mark, high, low)) {
                return indexAt(positionIn(table[slot]));
            }
        }
        return -1;
    }

    private boolean isAt(int entry, int mark, long high, long low) {
        if ((entry & ~POSITION_MASK) != mark) {
            return false;
        }
        int position = positionIn(entry);
        return digests[2 * position] == high && digests[2 * position + 1] == low;
    }

    /** Bits that say nothing about the slot, which is of the other half of the digest. */
    private static int markOf(long high) {
        return (int) high & ~POSITION_MASK;
    }

    private static int positionIn(int entry) {
        return (entry & POSITION_MASK) - 1;
    }

    /** Whether the leaf has this content tag at {@code tag[offset, +16)}. */
    public boolean hasTag(long leafIndex, byte[] tag, int offset) {
        int position = positionOf(leafIndex);
        return tags[2 * position] == longAt(tag, offset) && tags[2 * position + 1] == longAt(tag, offset + 8);
    }

    /**
     * Copies a leaf of the window out, 16 bytes each; zeros for a leaf that cannot be found.
     *
     * @return whether it can be found, that is whether it is an event leaf
     */
    public boolean copyTo(long leafIndex, byte[] digest, int digestOffset, byte[] tag, int tagOffset) {
        int position = positionOf(leafIndex);
        boolean event = findable[position];
        LONG.set(digest, digestOffset, event ? digests[2 * position] : 0L);
        LONG.set(digest, digestOffset + 8, event ? digests[2 * position + 1] : 0L);
        LONG.set(tag, tagOffset, event ? tags[2 * position] : 0L);
        LONG.set(tag, tagOffset + 8, event ? tags[2 * position + 1] : 0L);
        return event;
    }

    /**
     * Adds the next leaf. Only event leaves can be found; others just move the window.
     *
     * @param digest 16 bytes at {@code digestOffset}; not read for other kinds
     * @param tag 16 bytes at {@code tagOffset}; not read for other kinds
     * @throws IllegalStateException if the identity is in the window already
     */
    public void append(EntryKind kind, byte[] digest, int digestOffset, byte[] tag, int tagOffset) {
        boolean event = kind == EntryKind.EVENT;
        if (event && find(digest, digestOffset) >= 0) {
            throw new IllegalStateException("leaf " + size + " has the identity of a leaf in the window");
        }
        if (size - firstLeaf() == capacity) {
            if (capacity < windowLeaves) {
                grow();
            } else {
                forget(firstLeaf());
            }
        }
        int position = (int) (size & (capacity - 1));
        findable[position] = event;
        if (event) {
            digests[2 * position] = longAt(digest, digestOffset);
            digests[2 * position + 1] = longAt(digest, digestOffset + 8);
            tags[2 * position] = longAt(tag, tagOffset);
            tags[2 * position + 1] = longAt(tag, tagOffset + 8);
            insert(position);
        }
        size++;
    }

    /** Changes W from the next leaf on. What falls out of a smaller window stays out of a later, larger one. */
    public void resize(long newWindowLeaves) {
        requireWindow(newWindowLeaves);
        long oldest = Math.max(firstLeaf(), size - newWindowLeaves);
        for (long index = firstLeaf(); index < oldest; index++) {
            forget(index);
        }
        floor = oldest;
        windowLeaves = newWindowLeaves;
        if (capacity > windowLeaves) {
            rebuild((int) windowLeaves);
        }
    }

    private void forget(long index) {
        int position = positionOf(index);
        if (findable[position]) {
            remove(position);
            findable[position] = false;
        }
    }

    private int positionOf(long index) {
        if (index < firstLeaf() || index >= size) {
            throw new IllegalArgumentException("leaf " + index + " is not in the window");
        }
        return (int) (index & (capacity - 1));
    }

    /** The one index below size and not below size - capacity that has this ring position. */
    private long indexAt(int position) {
        long last = size - 1;
        return last - (last - position & (capacity - 1));
    }

    private void grow() {
        rebuild(2 * capacity);
    }

    private void rebuild(int newCapacity) {
        long[] oldDigests = digests;
        long[] oldTags = tags;
        boolean[] oldFindable = findable;
        int oldMask = capacity - 1;
        digests = new long[2 * newCapacity];
        tags = new long[2 * newCapacity];
        findable = new boolean[newCapacity];
        table = new int[2 * newCapacity];
        capacity = newCapacity;
        for (long index = firstLeaf(); index < size; index++) {
            int from = (int) (index & oldMask);
            int to = (int) (index & (capacity - 1));
            System.arraycopy(oldDigests, 2 * from, digests, 2 * to, 2);
            System.arraycopy(oldTags, 2 * from, tags, 2 * to, 2);
            findable[to] = oldFindable[from];
            if (findable[to]) {
                insert(to);
            }
        }
    }

    private void insert(int position) {
        int mask = table.length - 1;
        int slot = slotOf(digests[2 * position + 1], mask);
        while (table[slot] != 0) {
            slot = slot + 1 & mask;
        }
        table[slot] = markOf(digests[2 * position]) | position + 1;
    }

    private void remove(int position) {
        int mask = table.length - 1;
        int slot = slotOf(digests[2 * position + 1], mask);
        while (positionIn(table[slot]) != position) {
            slot = slot + 1 & mask;
        }
        int free = slot;
        for (int next = free + 1 & mask; table[next] != 0; next = next + 1 & mask) {
            int home = slotOf(digests[2 * positionIn(table[next]) + 1], mask);
            // A follower moves back unless its home lies behind the gap.
            if ((next - home & mask) >= (next - free & mask)) {
                table[free] = table[next];
                free = next;
            }
        }
        table[free] = 0;
    }

    /** As many of the top bits of a product, which depend on all bits below, as the mask has; the whole digest is compared. */
    private int slotOf(long low, long mask) {
        return (int) ((low ^ seed) * 0x9e3779b97f4a7c15L >>> Long.numberOfLeadingZeros(mask));
    }

    /** For tests: most slots in use in a row, which is how far a probe may have to walk. */
    int longestRun() {
        int longest = 0;
        int run = 0;
        for (int slot : table) {
            run = slot == 0 ? 0 : run + 1;
            longest = Math.max(longest, run);
        }
        return longest;
    }

    private static long longAt(byte[] bytes, int at) {
        return (long) LONG.get(bytes, at);
    }

    @Override
    public String toString() {
        return "window of " + windowLeaves + " leaves, [" + firstLeaf() + ", " + size + "), capacity " + capacity;
    }
}
