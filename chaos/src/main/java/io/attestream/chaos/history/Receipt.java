// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

/**
 * Where the record of an event went: what an acknowledgement names. Every append has its own, a retry too.
 *
 * @param incarnation from 1
 * @param shard from 0
 * @param offset from 0, of topic events in that incarnation
 */
public record Receipt(int incarnation, int shard, long offset) {
    /** @throws IllegalArgumentException if a number is below its first */
    public Receipt {
        if (incarnation < 1 || shard < 0 || offset < 0) {
            throw new IllegalArgumentException("no receipt: " + incarnation + "/" + shard + "/" + offset);
        }
    }

    /**
     * Of the path of a receipt, {@code /v1/receipts/<incarnation>/<shard>/<offset>}.
     *
     * @throws IllegalArgumentException if it ends otherwise
     */
    public static Receipt ofPath(String path) {
        String[] parts = path.split("/", -1);
        if (parts.length < 3) {
            throw new IllegalArgumentException("no path of a receipt: " + path);
        }
        int last = parts.length - 1;
        return new Receipt(
                Integer.parseInt(parts[last - 2]), Integer.parseInt(parts[last - 1]), Long.parseLong(parts[last]));
    }

    /** Whether its record was written later than that of another of the same shard. */
    boolean isAfter(Receipt other) {
        return incarnation == other.incarnation ? offset > other.offset : incarnation > other.incarnation;
    }

    @Override
    public String toString() {
        return incarnation + "/" + shard + "/" + offset;
    }
}
