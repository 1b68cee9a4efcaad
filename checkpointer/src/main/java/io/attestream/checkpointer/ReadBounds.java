// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.ArrayDeque;

/**
 * Where in a partition of claims one may begin to read to find all that is behind a head: the positions passed on the way.
 * Holds one for each batch that spoke of records not taken yet.
 */
final class ReadBounds {
    /** @param claimedTo all claims before the position are of records below this offset */
    private record Passed(long position, long claimedTo) {}

    private final ArrayDeque<Passed> passed = new ArrayDeque<>();
    private long bound;

    /** @param position where reading begins */
    ReadBounds(long position) {
        bound = position;
    }

    /** Reading has come to this position. */
    void readTo(long position, long claimedTo) {
        Passed last = passed.peekLast();
        if (last != null && last.claimedTo() == claimedTo) {
            passed.removeLast();
        }
        passed.add(new Passed(position, claimedTo));
    }

    /** The newest known position before which no claim speaks of a record from this offset on; offsets never fall. */
    long behind(long nextOffset) {
        while (!passed.isEmpty() && passed.element().claimedTo() <= nextOffset) {
            bound = passed.remove().position();
        }
        return bound;
    }
}
