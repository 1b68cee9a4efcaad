// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowBlocks;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.entry.EntryKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * The event leaves among the last W leaves of a shard, by identity. Exact: digests and tags are compared whole.
 *
 * <p>Written apart from the window the sequencer asks ({@code IdentityWindow}): a false duplicate is an acknowledged event that is
 * dropped, and a bug both shared would never show. Here only events are kept, in a ring in the order of their leaves, and found
 * through chains with the newest first. So the oldest event is always the last of its chain. Chains are spread by a secret of
 * this process, so that nobody can choose ids that make one long.
 *
 * <p>Not thread-safe.
 */
final class SeenEvents {
    private static final int CAPACITY_MIN = 256;
    private static final long WINDOW_LEAVES_MAX = 1L << 26;
    /** In a full window, all arrays together. */
    static final int BYTES_PER_LEAF = 44;

    private final long secretHigh;
    private final long secretLow;

    private long windowLeaves;
    private long leaves;
    /** The ring holds events number {@code [oldest, next)}, each at its number mod capacity. */
    private long oldest;

    private long next;
    private long[] digests = new long[2 * CAPACITY_MIN];
    private long[] tags = new long[2 * CAPACITY_MIN];
    /** The low 32 bits of each leaf's index: a window is far smaller. */
    private int[] indexes = new int[CAPACITY_MIN];
    /** Place + 1 of the next older event in the chain, or 0. */
    private int[] older = new int[CAPACITY_MIN];
    /** Place + 1 of the newest event of each chain, or 0. */
    private int[] newest = new int[CAPACITY_MIN];

    /**
     * An event seen before.
     *
     * @param index of its leaf
     */
    record Seen(long index, long tagHigh, long tagLow) {
        boolean hasTag(byte[] tag) {
            ByteBuffer bytes = ByteBuffer.wrap(tag);
            return bytes.getLong() == tagHigh && bytes.getLong() == tagLow;
        }
    }

    /** @param windowLeaves how many leaves back an event is remembered */
    SeenEvents(long windowLeaves) {
        this.windowLeaves = requireWindow(windowLeaves);
        SecureRandom random = new SecureRandom();
        this.secretHigh = random.nextLong();
        this.secretLow = random.nextLong();
    }

    /**
     * As they were at a snapshot.
     *
     * @param state of which {@code windowLeaves} is in force behind its last control record
     */
    static SeenEvents resumed(long windowLeaves, ShardSnapshot state, WindowBlocks blocks)
            throws IOException, InvalidFormat {
        SeenEvents seen = new SeenEvents(windowLeaves);
        seen.leaves = state.window().isEmpty() ? 0 : state.window().get(0).first();
        for (WindowName name : state.window()) {
            WindowBlock block = blocks.read(name);
            for (long index = name.first(); index < name.end(); index++) {
                WindowBlock.Row row = block.row(index);
                if (row.kind() == EntryKind.EVENT && index >= state.windowFirst()) {
                    seen.addEvent(row.identity(), row.contentTag());
                } else {
                    seen.addOther();
                }
            }
        }
        return seen;
    }

    private static long requireWindow(long leaves) {
        if (leaves < 1 || leaves > WINDOW_LEAVES_MAX) {
            throw new IllegalArgumentException("a dedup window has 1 to 2^26 leaves, not " + leaves);
        }
        return leaves;
    }

    /** The event with this identity in the window, or null. */
    @Nullable Seen find(byte[] identity) {
        ByteBuffer bytes = ByteBuffer.wrap(identity);
        long high = bytes.getLong();
        long low = bytes.getLong();
        for (int place = newest[chain(high, low)] - 1; place >= 0; place = older[place] - 1) {
            if (digests[2 * place] == high && digests[2 * place + 1] == low) {
                return new Seen(leaves - age(place), tags[2 * place], tags[2 * place + 1]);
            }
        }
        return null;
    }

    /** The next leaf is this event, whose identity is not in the window. */
    void addEvent(byte[] identity, byte[] tag) {
        int index = (int) leaves;
        addOther();
        if (next - oldest == indexes.length) {
            grow();
        }
        int place = place(next);
        ByteBuffer digestBytes = ByteBuffer.wrap(identity);
        ByteBuffer tagBytes = ByteBuffer.wrap(tag);
        digests[2 * place] = digestBytes.getLong();
        digests[2 * place + 1] = digestBytes.getLong();
        tags[2 * place] = tagBytes.getLong();
        tags[2 * place + 1] = tagBytes.getLong();
        indexes[place] = index;
        link(place);
        next++;
    }

    /** The next leaf is none that can be repeated; it moves the window. */
    void addOther() {
        leaves++;
        forget();
    }

    /** Changes W from the next leaf on. What falls out of a smaller window stays out of a later, larger one. */
    void resize(long newWindowLeaves) {
        windowLeaves = requireWindow(newWindowLeaves);
        forget();
    }

    private void forget() {
        while (oldest < next && age(place(oldest)) > windowLeaves) {
            unlink(place(oldest));
            oldest++;
        }
    }

    /** How many leaves back the event's leaf is; 1 is the last. */
    private long age(int place) {
        return (int) leaves - indexes[place] & 0xffffffffL;
    }

    private void link(int place) {
        int chain = chainOf(place);
        older[place] = newest[chain];
        newest[chain] = place + 1;
    }

    /** Of the oldest event, which ends its chain. */
    private void unlink(int place) {
        int chain = chainOf(place);
        if (newest[chain] == place + 1) {
            newest[chain] = 0;
            return;
        }
        int before = newest[chain] - 1;
        while (older[before] != place + 1) {
            before = older[before] - 1;
        }
        older[before] = 0;
    }

    private void grow() {
        int capacity = indexes.length;
        long[] oldDigests = digests;
        long[] oldTags = tags;
        int[] oldIndexes = indexes;
        digests = new long[4 * capacity];
        tags = new long[4 * capacity];
        indexes = new int[2 * capacity];
        older = new int[2 * capacity];
        newest = new int[2 * capacity];
        for (long number = oldest; number < next; number++) {
            int from = (int) (number & (capacity - 1));
            int to = place(number);
            System.arraycopy(oldDigests, 2 * from, digests, 2 * to, 2);
            System.arraycopy(oldTags, 2 * from, tags, 2 * to, 2);
            indexes[to] = oldIndexes[from];
            link(to);
        }
    }

    private int place(long number) {
        return (int) (number & (indexes.length - 1));
    }

    private int chainOf(int place) {
        return chain(digests[2 * place], digests[2 * place + 1]);
    }

    private int chain(long high, long low) {
        long a = high ^ secretHigh;
        long b = low ^ secretLow;
        long mixed = Math.multiplyHigh(a, b) ^ a * b;
        return (int) (mixed ^ mixed >>> 32) & (newest.length - 1);
    }

    @Override
    public String toString() {
        return (next - oldest) + " events in the last " + windowLeaves + " of " + leaves + " leaves";
    }
}
