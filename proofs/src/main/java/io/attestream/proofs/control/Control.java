// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.control;

import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.LedgerOffset;
import java.util.List;
import java.util.Optional;

/** What a control record says. */
public sealed interface Control {
    EntryKind kind();

    /** Rules in force from this record's offset on. */
    Rules rules();

    /** Schemas in force from this record's offset on. */
    List<SchemaText> schemas();

    /**
     * The first record of a shard in a life of topic {@code events}.
     *
     * @param origin of the ledger log
     * @param vkey the ledger's public key
     * @param incarnation life of the topic, from 1 to {@link LedgerOffset#INCARNATIONS_MAX}
     * @param clusterId Kafka's
     * @param topic name of the events topic
     * @param topicId Kafka's id of that topic
     * @param partitions N, fixed
     * @param prior what the shard goes on from; empty in the first incarnation, and only there
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
            List<SchemaText> schemas,
            Optional<Prior> prior)
            implements Control {
        public Genesis {
            schemas = List.copyOf(schemas);
            if (partitions < 1
                    || shard < 0
                    || shard >= partitions
                    || incarnation < 1
                    || incarnation > LedgerOffset.INCARNATIONS_MAX) {
                throw new IllegalArgumentException("shard " + shard + " of " + partitions + " in incarnation "
                        + incarnation + " cannot be: 0 <= shard < partitions, 1 <= incarnation <= "
                        + LedgerOffset.INCARNATIONS_MAX);
            }
            if (prior.isPresent() != (incarnation > 1)) {
                throw new IllegalArgumentException("incarnation " + incarnation
                        + (incarnation > 1 ? " goes" : " cannot go") + " on from a prior tree");
            }
        }

        /** Of the first incarnation. */
        public Genesis(
                String origin,
                String vkey,
                int shard,
                String clusterId,
                String topic,
                String topicId,
                int partitions,
                Rules rules,
                List<SchemaText> schemas) {
            this(origin, vkey, shard, 1, clusterId, topic, topicId, partitions, rules, schemas, Optional.empty());
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
