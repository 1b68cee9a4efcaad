// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import java.io.IOException;
import java.util.Optional;

/**
 * Where published checkpoints come from; nothing it returns is believed. An {@link IOException} or an empty answer means
 * that there is no answer now.
 */
public interface CheckpointSource {
    /** The latest ledger checkpoint: a signed note ({@code GET /v1/checkpoint}). */
    Optional<byte[]> checkpoint() throws IOException;

    /**
     * One epoch as JSON ({@code GET /v1/epochs/<epoch>}): {@code epochLeaf} and {@code heads} in base64, {@code note}.
     */
    Optional<byte[]> epoch(long epoch) throws IOException;

    /** The history of the ledger's keys ({@code GET /v1/keys}). */
    Optional<byte[]> keys() throws IOException;

    /**
     * The RFC 6962 consistency proof between two sizes of a shard as JSON
     * ({@code GET /v1/proofs/consistency?shard=&first=&second=}): {@code path} with hashes in base64.
     *
     * @param first at least 1, less than {@code second}
     */
    Optional<byte[]> shardConsistency(int shard, long first, long second) throws IOException;
}
