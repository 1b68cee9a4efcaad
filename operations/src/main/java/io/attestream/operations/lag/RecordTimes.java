// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Timestamps of single records. A group that stands still asks for the same one again and again, so they are remembered. Reads
 * also what no transaction has committed: a group may wait for just that. Not thread-safe.
 */
final class RecordTimes implements AutoCloseable {
    /** Of one look; those beyond are not known. */
    static final int PLACES_MAX = 5_000;

    private static final int REMEMBERED_MAX = 20_000;
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int BYTES_MAX = 8 << 20;
    private static final int PARTITION_BYTES_MAX = 256 << 10;

    private final Consumer<byte[], byte[]> consumer;
    private final long limitNanos;
    private final Map<Key, Found.Time> remembered = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Found.Time> eldest) {
            return size() > REMEMBERED_MAX;
        }
    };

    /** With the id of the topic: one that was made again has other records at its offsets. */
    private record Key(Uuid topic, TopicPartition partition, long offset) {}

    /**
     * Where to look.
     *
     * @param topic its id
     * @param end of the partition, behind which nothing is looked for
     */
    record Place(Uuid topic, TopicPartition partition, long offset, long end) {
        private Key key() {
            return new Key(topic, partition, offset);
        }
    }

    /** What is there. */
    sealed interface Found {
        /** @param millis timestamp of the first record at or behind the offset */
        record Time(long millis) implements Found {}

        /** No record up to the end. */
        record Nothing() implements Found {}

        /** It could not be read. */
        record Unread(String reason) implements Found {}
    }

    RecordTimes(Consumer<byte[], byte[]> consumer, Duration limit) {
        this.consumer = consumer;
        this.limitNanos = limit.toNanos();
    }

    static RecordTimes open(Map<String, Object> connection) {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        settings.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest"); // retention may be faster than we are
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_uncommitted");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, BYTES_MAX);
        settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, PARTITION_BYTES_MAX);
        return new RecordTimes(new KafkaConsumer<>(settings), Duration.ofSeconds(5));
    }

    /** Of each place, within a bounded time. */
    Map<Place, Found> read(Set<Place> places) {
        Map<Place, Found> found = new HashMap<>();
        Map<TopicPartition, Queue<Place>> wanted = new HashMap<>();
        int asked = 0;
        for (Place place : places) {
            Found.Time known = remembered.get(place.key());
            if (known != null) {
                found.put(place, known);
            } else if (++asked > PLACES_MAX) {
                found.put(place, new Found.Unread("more than " + PLACES_MAX + " partitions are behind"));
            } else {
                wanted.computeIfAbsent(place.partition(), any -> new ArrayDeque<>())
                        .add(place);
            }
        }
        long deadline = System.nanoTime() + limitNanos;
        // Groups may stand at different places of one partition.
        while (!wanted.isEmpty()) {
            Map<TopicPartition, Place> round = new HashMap<>();
            wanted.forEach((partition, queue) -> round.put(partition, queue.remove()));
            wanted.values().removeIf(Queue::isEmpty);
            readRound(round, found, deadline);
        }
        return found;
    }

    private void readRound(Map<TopicPartition, Place> round, Map<Place, Found> found, long deadline) {
        Map<TopicPartition, Place> open = new HashMap<>(round);
        try {
            consumer.assign(open.keySet());
            consumer.resume(open.keySet()); // of the round before
            open.forEach((partition, place) -> consumer.seek(partition, place.offset()));
            while (!open.isEmpty() && System.nanoTime() < deadline) {
                var records = consumer.poll(POLL);
                for (Place place : List.copyOf(open.values())) {
                    List<ConsumerRecord<byte[], byte[]>> own = records.records(place.partition());
                    if (!own.isEmpty()) {
                        Found.Time time = new Found.Time(own.get(0).timestamp());
                        remembered.put(place.key(), time);
                        close(open, place, time, found);
                    } else if (consumer.position(place.partition()) >= place.end()) {
                        close(open, place, new Found.Nothing(), found);
                    }
                }
            }
            open.values().forEach(place -> found.put(place, new Found.Unread("the record was not read in time")));
        } catch (KafkaException e) {
            open.values().forEach(place -> found.put(place, new Found.Unread(String.valueOf(e.getMessage()))));
        }
    }

    private void close(Map<TopicPartition, Place> open, Place place, Found what, Map<Place, Found> found) {
        found.put(place, what);
        open.remove(place.partition());
        consumer.pause(List.of(place.partition()));
    }

    @Override
    public void close() {
        consumer.close();
    }
}
