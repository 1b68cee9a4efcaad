// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import java.util.Optional;

/**
 * Which event one is: of all that carry the same, the ledger has one event leaf.
 *
 * @param partitionKey empty if the event has none, which is not the same as an empty one
 */
public record Identity(String tenant, String source, Optional<String> partitionKey, String id) {
    /** Of an event without partition key. */
    public Identity(String tenant, String source, String id) {
        this(tenant, source, Optional.empty(), id);
    }

    @Override
    public String toString() {
        return tenant + " " + source + partitionKey.map(key -> " [" + key + "]").orElse("") + " " + id;
    }
}
