// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

/** What became of an append. */
public sealed interface AppendResult {
    /** Acknowledged by all in-sync replicas. */
    record Appended(int shard, long offset) implements AppendResult {}

    /** Certainly not written; may be tried again. */
    record NotWritten(String reason) implements AppendResult {}

    /** Certainly not written, and trying again does not help. */
    record TooLarge(String reason) implements AppendResult {}

    /** Sent, but not acknowledged: it may be in the log, now or soon. Safe to send again with the same id. */
    record Unknown(String reason) implements AppendResult {}
}
