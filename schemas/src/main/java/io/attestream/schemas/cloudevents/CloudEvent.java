// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A valid CloudEvent 1.0.
 *
 * @param attributes all of them as canonical strings, verbatim
 * @param payload the bytes the producer sent; empty if it sent no data
 */
public record CloudEvent(Map<String, String> attributes, byte[] payload) {
    public CloudEvent {
        attributes = Map.copyOf(attributes);
    }

    public String id() {
        return required("id");
    }

    public String source() {
        return required("source");
    }

    public @Nullable String partitionKey() {
        return attributes.get("partitionkey");
    }

    private String required(String name) {
        String value = attributes.get(name);
        if (value == null) {
            throw new IllegalStateException("a CloudEvent has " + name);
        }
        return value;
    }
}
