// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.UUID;

/** Kafka's way to write a random id: 16 bytes in URL-safe base64 without padding, not beginning with a dash. */
final class ClusterId {
    private ClusterId() {}

    static String random() {
        while (true) {
            UUID uuid = UUID.randomUUID();
            byte[] bytes = ByteBuffer.allocate(16)
                    .putLong(uuid.getMostSignificantBits())
                    .putLong(uuid.getLeastSignificantBits())
                    .array();
            String id = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
            if (!id.startsWith("-")) {
                return id;
            }
        }
    }
}
