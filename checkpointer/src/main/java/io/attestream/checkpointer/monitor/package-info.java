// SPDX-License-Identifier: Apache-2.0
/**
 * Follows a ledger's published checkpoints from outside and verifies every transition, with nothing but its public key:
 * the ledger log and each shard may only grow. Knows neither Kafka nor the checkpointer beside it.
 */
@NullMarked
package io.attestream.checkpointer.monitor;

import org.jspecify.annotations.NullMarked;
