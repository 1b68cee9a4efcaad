// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

/**
 * Limits at the doors.
 *
 * @param maxPayloadBytes of one event
 * @param maxAttributes number of attributes
 * @param maxAttributeBytes of one value in UTF-8
 * @param maxIdBytes of id, source and partitionkey, which are part of the identity
 * @param maxBatchEvents events in one batch
 */
public record EventLimits(
        int maxPayloadBytes, int maxAttributes, int maxAttributeBytes, int maxIdBytes, int maxBatchEvents) {
    public static final EventLimits DEFAULT = new EventLimits(1 << 20, 64, 8192, 1024, 1000);

    public EventLimits {
        if (maxPayloadBytes < 1 || maxAttributes < 4 || maxAttributeBytes < 1 || maxIdBytes < 1 || maxBatchEvents < 1) {
            throw new IllegalArgumentException("limits at the doors must be at least 1 (4 for attributes, as many are"
                    + " required): payload " + maxPayloadBytes + " bytes, " + maxAttributes + " attributes of "
                    + maxAttributeBytes + " bytes, id " + maxIdBytes + " bytes, " + maxBatchEvents
                    + " events in a batch");
        }
    }

    /** What a structured event may take on the wire: payload in base64, attributes, and what is around them. */
    public long maxStructuredBytes() {
        return maxPayloadBytes * 4L / 3 + (256 << 10);
    }
}
