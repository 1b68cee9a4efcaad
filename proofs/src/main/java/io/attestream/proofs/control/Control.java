// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.control;

import io.attestream.proofs.entry.EntryKind;
import java.util.List;

/** What a control record says. */
public sealed interface Control {
    EntryKind kind();

    /** Rules in force from this record's offset on. */
    Rules rules();

    /** Schemas in force from this record's offset on. */
    List<SchemaText> schemas();

    /**
     * The first record of a shard.
     *
     * @param origin of the ledger log
     * @param vkey the ledger's public key
     * @param incarnation life of the topic, from 1
     * @param clusterId Kafka's
     * @param topic name of the events topic
     * @param topicId Kafka's id of that topic
     * @param partitions N, fixed
     */
    record Genesis(
            String origin,
            String vkey,
            int shard,
            int incarnation,
            String clusterId,
            String topic,
            String topicId,
            int partitions,
            Rules rules,
            List<SchemaText> schemas)
            implements Control {
        public Genesis {
            schemas = List.copyOf(schemas);
            if (partitions < 1 || shard < 0 || shard >= partitions || incarnation < 1) {
                throw new IllegalArgumentException("shard " + shard + " of " + partitions + " in incarnation "
                        + incarnation + " cannot be: 0 <= shard < partitions, incarnation >= 1");
            }
        }

        @Override
        public EntryKind kind() {
            return EntryKind.GENESIS;
        }
    }

    /** A change of the rules: version one more than those in force. */
    record RulesChange(String origin, int shard, Rules rules, List<SchemaText> schemas) implements Control {
        public RulesChange {
            schemas = List.copyOf(schemas);
        }

        @Override
        public EntryKind kind() {
            return EntryKind.RULES;
        }
    }
}
