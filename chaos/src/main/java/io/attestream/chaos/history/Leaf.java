// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.proofs.tree.Hash;
import java.util.Locale;
import java.util.Optional;

/**
 * A leaf of a shard as it was read.
 *
 * @param shard from 0
 * @param index from 0
 * @param identity of the event; empty for a control leaf
 * @param digest of its content, by the function that {@link Operation.Append} has it from; empty for a control leaf
 * @param hash of the leaf (RFC 6962)
 * @param receipt of the record it was made of; empty if the reader does not know
 */
public record Leaf(
        int shard,
        long index,
        Kind kind,
        Optional<Identity> identity,
        String digest,
        Hash hash,
        Optional<Receipt> receipt) {
    /** What a leaf says. */
    public enum Kind {
        EVENT,
        /** An event whose identity had been taken by other content. */
        CONFLICT,
        /** Genesis and rules: nobody appended them. */
        CONTROL;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @throws IllegalArgumentException if it has no place, or an event or conflict no identity, or a control leaf one */
    public Leaf {
        if (shard < 0 || index < 0) {
            throw new IllegalArgumentException("no place of a leaf: shard " + shard + " index " + index);
        }
        if (identity.isPresent() == (kind == Kind.CONTROL) || digest.isEmpty() == identity.isPresent()) {
            throw new IllegalArgumentException(
                    "events and conflicts have an identity and a digest, control leaves none: " + kind);
        }
    }

    /** A leaf nobody appended. */
    public static Leaf control(int shard, long index, Hash hash) {
        return new Leaf(shard, index, Kind.CONTROL, Optional.empty(), "", hash, Optional.empty());
    }

    /** An event of which the reader knows everything. */
    public static Leaf event(int shard, long index, Identity identity, String digest, Hash hash, Receipt receipt) {
        return new Leaf(shard, index, Kind.EVENT, Optional.of(identity), digest, hash, Optional.of(receipt));
    }

    /** A conflict of which the reader knows everything. */
    public static Leaf conflict(int shard, long index, Identity identity, String digest, Hash hash, Receipt receipt) {
        return new Leaf(shard, index, Kind.CONFLICT, Optional.of(identity), digest, hash, Optional.of(receipt));
    }

    String place() {
        return "shard " + shard + " leaf " + index;
    }
}
