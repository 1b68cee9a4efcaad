// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.door;

import io.attestream.schemas.avro.Event;

/**
 * An event as a door writes it.
 *
 * @param key record key; Kafka's default partitioner would choose the same shard
 * @param shard partition of the events topic
 */
public record DoorEvent(Event event, byte[] key, int shard) {}
