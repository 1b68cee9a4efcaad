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

    /** The largest that is known. */
    public double seconds() {
        return partitions.stream()
                .map(PartitionLag::age)
                .mapToDouble(age -> age instanceof LagAge.Known known ? known.seconds() : 0)
                .max()
                .orElse(0);
    }

    /** Partitions whose age is not known. */
    public long unknown() {
        return partitions.stream()
                .filter(partition -> partition.age() instanceof LagAge.Unknown)
                .count();
    }
}
