// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The event an auditor holds and wants to find in the log.
 *
 * @param attributes all CloudEvents attributes the producer sent, as canonical strings
 * @param payload the bytes the producer sent; null if nobody has them any more
 */
// NullAway does not see the nullness of array components in class files of Java 17.
@SuppressWarnings("NullAway")
public record EventToCheck(Map<String, String> attributes, byte @Nullable [] payload) {
    public EventToCheck {
        attributes = Map.copyOf(attributes);
        payload = payload == null ? null : payload.clone();
    }

    /** An event whose payload nobody has any more. */
    public static EventToCheck withoutPayload(Map<String, String> attributes) {
        return new EventToCheck(attributes, null);
    }

    @Override
    public byte @Nullable [] payload() {
        return payload == null ? null : payload.clone();
    }
}
