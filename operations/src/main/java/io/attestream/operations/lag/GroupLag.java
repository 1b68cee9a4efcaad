// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import java.util.List;

/**
 * One consumer group.
 *
 * @param state as Kafka calls it: {@code Stable}, {@code Empty}, …
 * @param members that consume now
 * @param partitions of which it has committed an offset, by topic and partition
 */
public record GroupLag(String group, String state, int members, List<PartitionLag> partitions) {
    public GroupLag {
        partitions = List.copyOf(partitions);
    }

    /** Of all partitions together. */
    public long records() {
        return partitions.stream().mapToLong(PartitionLag::records).sum();
    }

    /** That of the partition furthest behind; not known if that of any partition is not. */
    public LagAge age() {
        double largest = 0;
        for (PartitionLag partition : partitions) {
            if (!(partition.age() instanceof LagAge.Known known)) {
                return partition.age();
            }
            largest = Math.max(largest, known.seconds());
        }
        return new LagAge.Known(largest);
    }
}
