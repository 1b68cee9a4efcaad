// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.replicas;

import java.util.Collection;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartitionInfo;

/**
 * Partitions by how they are replicated; each is counted once.
 *
 * @param whole every replica is in sync
 * @param underReplicated there is a leader, and some replica is not in sync
 * @param offline there is no leader: nobody can read or write
 */
public record ReplicaHealth(int whole, int underReplicated, int offline) {
    static ReplicaHealth of(Collection<TopicDescription> topics) {
        int whole = 0;
        int underReplicated = 0;
        int offline = 0;
        for (TopicDescription topic : topics) {
            for (TopicPartitionInfo partition : topic.partitions()) {
                if (partition.leader() == null || partition.leader().isEmpty()) {
                    offline++;
                } else if (partition.isr().size() < partition.replicas().size()) {
                    underReplicated++;
                } else {
                    whole++;
                }
            }
        }
        return new ReplicaHealth(whole, underReplicated, offline);
    }
}
