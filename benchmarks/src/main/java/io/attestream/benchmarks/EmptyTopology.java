// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.PlainEvent;
import io.attestream.schemas.wire.SchemaBook;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;

/**
 * The baseline of the sequencer: an exactly-once topology with the sequencer's settings that reads the same topic, decodes
 * every record if {@code BENCH_READER} says how, and does nothing else.
 */
public final class EmptyTopology {
    /** Before the number of events a task has decoded, in the log. */
    static final String DECODED = "decoded ";

    /** How records are read. */
    enum Reader {
        /** Not at all. */
        NONE,
        /** By the schema's decoder, into an object, as any consumer of the topic does. */
        DECODER,
        /** Where they lie, as the sequencer does. */
        IN_PLACE
    }

    private EmptyTopology() {}

    /** Runs until it is stopped. */
    public static void main(String[] args) throws InvalidFormat, InterruptedException {
        String servers = setting("ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS");
        Topics topics = new Topics(setting("ATTESTREAM_TOPICS_PREFIX"));
        NoteVerifier key = NoteVerifier.parse(setting("ATTESTREAM_LEDGER_VERIFIER_KEY"));
        Reader reader = Reader.valueOf(setting("BENCH_READER"));
        LedgerDefinition ledger = ((GenesisReader.Result.Ready)
                        GenesisReader.read(Map.of("bootstrap.servers", servers), topics, key, Duration.ofSeconds(30)))
                .ledger();
        Topology topology = new Topology();
        topology.addSource(
                "events", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), topics.events());
        topology.addProcessor("nothing", () -> new Nothing(reader(reader, ledger.schemas())), "events");
        CountDownLatch stop = new CountDownLatch(1);
        KafkaStreams streams = new KafkaStreams(topology, settings(servers));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(10));
            stop.countDown();
        }));
        streams.start();
        stop.await();
    }

    private static String setting(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is not set");
        }
        return value;
    }

    /** Those of the sequencer that bear on speed. */
    private static Properties settings(String servers) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, setting("BENCH_APPLICATION_ID"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, setting("BENCH_STATE_DIRECTORY"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 2_000);
        settings.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), 10_000);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        return settings;
    }

    /** Whether a record is an event. */
    private static Predicate<byte[]> reader(Reader reader, SchemaBook schemas) {
        return switch (reader) {
            case NONE -> value -> false;
            case DECODER -> {
                WireDecoder<Event> decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, schemas);
                yield value -> decoder.decode(value) instanceof WireResult.Decoded<Event>;
            }
            case IN_PLACE -> {
                PlainEvent event = new PlainEvent();
                event.use(schemas);
                yield event::read;
            }
        };
    }

    private static final class Nothing implements Processor<byte[], byte[], byte[], byte[]> {
        private final Predicate<byte[]> reader;
        private long decoded;

        Nothing(Predicate<byte[]> reader) {
            this.reader = reader;
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            if (reader.test(record.value())) {
                decoded++;
            }
        }

        @Override
        public void close() {
            System.out.println(DECODED + decoded);
        }
    }
}
