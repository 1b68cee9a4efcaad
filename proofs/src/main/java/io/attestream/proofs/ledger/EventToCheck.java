// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import java.util.Map;

/**
 * The event an auditor holds and wants to find in the log.
 *
 * @param attributes all CloudEvents attributes the producer sent, as canonical strings
 * @param payload the bytes the producer sent
 */
public record EventToCheck(Map<String, String> attributes, byte[] payload) {
    public EventToCheck {
        attributes = Map.copyOf(attributes);
        payload = payload.clone();
    }

    @Override
    public byte[] payload() {
        return payload.clone();
    }
}
