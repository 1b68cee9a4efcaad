// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

/**
 * How far a group is behind on one partition.
 *
 * @param committedOffset of the group: the next record it will process; {@link #NOT_KNOWN} if it has committed none
 * @param endOffset the high watermark; {@link #NOT_KNOWN} if the partition did not answer
 * @param records offsets from the committed to the end; 0 where nothing but markers of transactions is left; {@link #NOT_KNOWN} as
 *     the end
 * @param deleted records that were deleted before the group processed them
 * @param age of the record at the committed offset, or of the first behind it that is still there
 */
public record PartitionLag(
        String topic, int partition, long committedOffset, long endOffset, long records, long deleted, LagAge age) {
    /** As Kafka has it for offsets. */
    public static final long NOT_KNOWN = -1;

    /** Of a partition that did not answer, as it has no leader, say, or of which nobody knows where the group is. */
    static PartitionLag unread(String topic, int partition, long committedOffset, String reason) {
        return new PartitionLag(topic, partition, committedOffset, NOT_KNOWN, NOT_KNOWN, 0, new LagAge.Unknown(reason));
    }

    /** Whether the partition told where it ends. */
    public boolean isEndKnown() {
        return endOffset != NOT_KNOWN;
    }
}
