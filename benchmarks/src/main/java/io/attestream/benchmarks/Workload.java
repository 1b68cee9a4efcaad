// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.proofs.entry.ContentTag;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.door.DoorEvent;
import io.attestream.schemas.door.EventFactory;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.ConfluentWire;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Events like those of a webhook relay: seven attributes, one of a thousand sources, a JSON payload of the size asked for. */
final class Workload {
    private static final String TENANT = "demo";
    private static final int SOURCES = 1_000;

    private final int payloadSizeBytes;
    private final Random random;

    Workload(int payloadSizeBytes, long seed) {
        this.payloadSizeBytes = payloadSizeBytes;
        this.random = new Random(seed);
    }

    private Map<String, String> attributes(long number) {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("specversion", "1.0");
        attributes.put("id", String.format("0d9f7c3e-5b1a-4c8e-9a6f-%012d", number));
        attributes.put("source", "https://github.com/octo-org/repo-" + Math.floorMod(number * 7919, SOURCES));
        attributes.put("type", "com.github.push");
        attributes.put("subject", "Codertocat");
        attributes.put("time", "2026-01-05T09:00:00Z");
        attributes.put("datacontenttype", "application/json");
        return attributes;
    }

    private byte[] payload() {
        byte[] payload = new byte[payloadSizeBytes];
        for (int i = 0; i < payload.length; i++) {
            payload[i] = (byte) ('a' + random.nextInt(26));
        }
        byte[] begin = "{\"text\":\"".getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(begin, 0, payload, 0, begin.length);
        payload[payload.length - 2] = '"';
        payload[payload.length - 1] = '}';
        return payload;
    }

    /** An event in one line of NDJSON, with its newline. */
    byte[] line(long number) {
        StringBuilder line = new StringBuilder("{");
        attributes(number)
                .forEach((name, value) -> line.append('"')
                        .append(name)
                        .append("\":\"")
                        .append(value)
                        .append("\","));
        line.append("\"data\":").append(new String(payload(), StandardCharsets.US_ASCII));
        return line.append("}\n").toString().getBytes(StandardCharsets.US_ASCII);
    }

    /** Writes events to topic {@code events} as a door would, and waits for all acknowledgements. */
    void load(String bootstrapServers, String topic, LedgerDefinition ledger, int events, Progress progress) {
        load(bootstrapServers, topic, ledger, 0, events, progress);
    }

    /** As the other, of events from this number on. */
    void load(
            String bootstrapServers, String topic, LedgerDefinition ledger, long first, int events, Progress progress) {
        EventFactory factory =
                EventFactory.of(ledger, new ContentTag(new byte[ContentTag.KEY_SIZE_BYTES]), new SecureRandom());
        ConfluentWire<Event> wire = new ConfluentWire<>(Event.class, SchemaTexts.EVENT, ledger.schemas());
        AtomicReference<Exception> failure = new AtomicReference<>();
        Map<String, Object> config = Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "acks",
                "all",
                "linger.ms",
                20,
                "batch.size",
                256 << 10,
                "max.request.size",
                4 << 20);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < events; i++) {
                CloudEvent event = new CloudEvent(attributes(first + i), payload());
                DoorEvent made = ((EventFactory.Result.Made) factory.make(TENANT, "bench", event)).event();
                byte[] value = wire.encode(made.event());
                var unused =
                        producer.send(new ProducerRecord<>(topic, made.shard(), made.key(), value), (metadata, e) -> {
                            if (e != null) {
                                failure.compareAndSet(null, e);
                            }
                        });
                progress.at("loading the backlog", i + 1, events);
            }
            producer.flush();
        }
        if (failure.get() != null) {
            throw new IllegalStateException("the backlog could not be written", failure.get());
        }
    }
}
