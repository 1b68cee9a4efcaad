// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One consumer group.
 *
 * @param state as Kafka calls it: {@code Stable}, {@code Empty}, …
 * @param members that consume now; {@link #NOT_KNOWN} if nobody could say: its coordinator does not answer, or it has a protocol
 *     of its own
 * @param partitions of which it has committed an offset, by topic and partition
 * @param unread why nobody could say what it has committed; empty if that is known
 */
public record GroupLag(
        String group, String state, int members, List<PartitionLag> partitions, Optional<String> unread) {
    public static final int NOT_KNOWN = -1;

    public GroupLag {
        partitions = List.copyOf(partitions);
    }

    /** One of which it is known what it has committed. */
    public GroupLag(String group, String state, int members, List<PartitionLag> partitions) {
        this(group, state, members, partitions, Optional.empty());
    }

    /** Whether there is a lag to speak of: some groups only settle who works, or keep their offsets elsewhere. */
    public boolean hasLag() {
        return unread.isPresent() || !partitions.isEmpty();
    }

    /** Of all partitions together; empty if it is not known of one of them, or there is none. */
    public OptionalLong records() {
        boolean isKnown = !partitions.isEmpty() && partitions.stream().allMatch(PartitionLag::isEndKnown);
        return isKnown
                ? OptionalLong.of(
                        partitions.stream().mapToLong(PartitionLag::records).sum())
                : OptionalLong.empty();
    }

    /** That of the partition furthest behind; not known if that of any partition is not, or there is none. */
    public LagAge age() {
        if (partitions.isEmpty()) {
            return new LagAge.Unknown(unread.orElse("it has committed no offset of a topic that is there"));
        }
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
