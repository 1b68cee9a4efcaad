// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

/**
 * How far a group is behind on one partition.
 *
 * @param committedOffset of the group: the next record it will process
 * @param endOffset the high watermark
 * @param records offsets from the committed to the end; 0 where nothing but markers of transactions is left
 * @param deleted records that were deleted before the group processed them
 * @param age of the record at the committed offset, or of the first behind it that is still there
 */
public record PartitionLag(
        String topic, int partition, long committedOffset, long endOffset, long records, long deleted, LagAge age) {}
