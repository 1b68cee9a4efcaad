// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

/** One of the logs: the ledger log, or a shard's. */
public sealed interface LogName {
    /** The log whose leaves are the epochs. */
    record Ledger() implements LogName {}

    /** The log of one shard. */
    record Shard(int number) implements LogName {}

    /** Path below the internal base. */
    default String path() {
        return this instanceof Shard shard ? "shards/" + shard.number() : "ledger";
    }
}
