// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/** Makes the ledger, or finds it made; called when broker and registry are up and before any service is. */
@FunctionalInterface
public interface LedgerBootstrap {
    /** @throws RuntimeException if the ledger cannot be made: the cluster does not start */
    Identity prepare(Environment environment);

    /**
     * Where the ledger is to be made.
     *
     * @param brokers of the cluster
     * @param registryApi base of the registry's Confluent API
     * @param generation of the processors that are started next
     * @param signingKey file for the ledger's key; its parent exists
     * @param objects location of the object store
     * @param kafkaConfig settings of security of clients that may do everything; empty if the brokers ask nobody who he is
     */
    record Environment(
            String bootstrapServers,
            int brokers,
            URI registryApi,
            int shards,
            int generation,
            String origin,
            String tenant,
            Path signingKey,
            String objects,
            Optional<Path> kafkaConfig) {}

    /**
     * The ledger.
     *
     * @param verifierKey vkey
     */
    record Identity(String origin, String verifierKey) {}
}
