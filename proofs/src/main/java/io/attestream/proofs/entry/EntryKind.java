// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.InvalidFormat;

/** What an entry records. */
public enum EntryKind {
    /** An event; the only kind that takes part in dedup. */
    EVENT(0, "event"),
    /** An event whose identity is that of an earlier one with other content. */
    CONFLICT(1, "conflict"),
    /** The first record of a shard. */
    GENESIS(2, "genesis"),
    /** A change of the rules. */
    RULES(3, "rules");

    private final byte code;
    private final String word;

    EntryKind(int code, String word) {
        this.code = (byte) code;
        this.word = word;
    }

    /** The byte in {@code sealed} deltas and segments. */
    public byte code() {
        return code;
    }

    /** The member {@code kind} of the entry. */
    public String word() {
        return word;
    }

    public boolean isControl() {
        return this == GENESIS || this == RULES;
    }

    public static EntryKind ofCode(byte code) throws InvalidFormat {
        for (EntryKind kind : values()) {
            if (kind.code == code) {
                return kind;
            }
        }
        throw new InvalidFormat("kind", "has unknown code " + code);
    }

    public static EntryKind ofWord(String word) throws InvalidFormat {
        for (EntryKind kind : values()) {
            if (kind.word.equals(word)) {
                return kind;
            }
        }
        throw new InvalidFormat("kind", "must be event, conflict, genesis or rules");
    }
}
