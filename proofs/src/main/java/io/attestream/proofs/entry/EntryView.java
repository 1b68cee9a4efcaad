// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.tree.LeafIndex;
import java.util.Map;
import java.util.Optional;

/** What an entry says. */
public sealed interface EntryView {
    EntryKind kind();

    /**
     * An event or a conflict.
     *
     * @param attributes all CloudEvents attributes as their canonical strings
     * @param timeMillis Kafka record timestamp
     * @param dataDigest HMAC-SHA256(salt, payload), 32 bytes
     * @param dataSizeBytes size of the payload
     * @param ref the first leaf with this identity; present for conflicts only
     */
    record Event(
            EntryKind kind,
            Map<String, String> attributes,
            String tenant,
            String actor,
            long timeMillis,
            byte[] dataDigest,
            long dataSizeBytes,
            Optional<LeafIndex> ref)
            implements EntryView {
        public Event {
            attributes = Map.copyOf(attributes);
            dataDigest = dataDigest.clone();
        }

        @Override
        public byte[] dataDigest() {
            return dataDigest.clone();
        }
    }

    /** A control record; read it with {@link io.attestream.proofs.control.ControlRecord}. */
    record Control(EntryKind kind) implements EntryView {}
}
