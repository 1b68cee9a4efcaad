// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.proofs.control.Control;
import io.attestream.proofs.entry.EntryKind;
import org.jspecify.annotations.Nullable;

/** What becomes of a record. */
sealed interface Decision {
    /**
     * It becomes a leaf.
     *
     * @param identityDigest 16 bytes, zero for leaves that are no events
     * @param contentTag 16 bytes, zero for leaves that are no events
     * @param control what a control record says
     */
    record Leaf(
            EntryKind kind,
            byte[] leafHash,
            byte[] identityDigest,
            byte[] contentTag,
            @Nullable Control control) implements Decision {}

    /** Its content is in the log already, as the leaf with this index. */
    record Duplicate(long reference) implements Decision {}

    /** No door would have written it. */
    record Rejected(String reason) implements Decision {
        static final String UNDECODABLE = "undecodable";
        static final String MISROUTED = "misrouted";
        static final String INVALID_CONTROL = "invalid-control";
        static final String ENTRY_TOO_LARGE = "entry-too-large";
    }
}
