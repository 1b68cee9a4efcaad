// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

/**
 * What goes to Kafka. Not copied: whoever makes it lets go of the arrays.
 *
 * @param shard partition, always explicit
 */
public record LogRecord(int shard, byte[] key, byte[] value) {}
