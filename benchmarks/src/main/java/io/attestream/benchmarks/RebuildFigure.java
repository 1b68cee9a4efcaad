// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.ManagedProcess;
import io.attestream.checkpointer.Rebuild;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The independent rebuild of all trees from offset 0, beside a plain consumer that reads the same topic and drops it. */
final class RebuildFigure {
    static final String NAME = "rebuild";
    static final String CONSUMER = "plain consumer";
    static final String REBUILD = "independent rebuild from offset 0";
    static final String IN_PLACE = "the same, plain events read in place";

    private static final Duration TIMEOUT = Duration.ofMinutes(10);

    private final BenchLedger ledger;
    private final int payloadSizeBytes;
    private final Report report;
    private final Progress progress;

    RebuildFigure(BenchLedger ledger, int payloadSizeBytes, Report report, Progress progress) {
        this.ledger = ledger;
        this.payloadSizeBytes = payloadSizeBytes;
        this.report = report;
        this.progress = progress;
    }

    static void declare(Report report, int payloadSizeBytes) {
        report.row(NAME, payloadSizeBytes, CONSUMER, "records/s", "", "");
        report.row(NAME, payloadSizeBytes, REBUILD, "records/s", CONSUMER, ">= 0.6");
        report.row(NAME, payloadSizeBytes, IN_PLACE, "records/s", CONSUMER, "");
    }

    /** On a ledger that is published to its end. */
    void round(int number) {
        List<Runnable> variants = new ArrayList<>(List.of(
                () -> variant(CONSUMER, Plain.class, "plain"),
                () -> variant(REBUILD, Rebuilding.class, Rebuild.Reading.DECODED.name()),
                () -> variant(IN_PLACE, Rebuilding.class, Rebuild.Reading.IN_PLACE.name())));
        if (number % 2 == 1) {
            Collections.reverse(variants);
        }
        variants.forEach(Runnable::run);
    }

    private void variant(String variant, Class<?> main, String reading) {
        String name = "rebuild-" + reading;
        try (ManagedProcess process =
                ledger.baseline(main, name, Map.of("BENCH_READING", reading)).start()) {
            if (!process.awaitExit(TIMEOUT) || process.exitCode() != 0) {
                throw new IllegalStateException(variant + " failed; " + process.logTail());
            }
        }
        double rate = rate(ledger.log(name));
        report.sample(NAME, payloadSizeBytes, variant, rate);
        progress.say(String.format("  %-42s %,10.0f records/s", variant, rate));
    }

    private static double rate(Path log) {
        try {
            List<String> lines = Files.readAllLines(log);
            return Double.parseDouble(lines.get(lines.size() - 1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Object> connection() {
        return Map.of("bootstrap.servers", System.getenv("ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS"));
    }

    private static Topics topics() {
        return new Topics(System.getenv("ATTESTREAM_TOPICS_PREFIX"));
    }

    private static LedgerDefinition definition() throws InvalidFormat {
        NoteVerifier key = NoteVerifier.parse(System.getenv("ATTESTREAM_LEDGER_VERIFIER_KEY"));
        return ((GenesisReader.Result.Ready) GenesisReader.read(connection(), topics(), key, Duration.ofSeconds(30)))
                .ledger();
    }

    /** Records per second after the first half, which is a cold JVM's. */
    private static final class Speed {
        private long fromNanos;
        private long from;
        private long nanos;
        private long done;

        synchronized void at(long offsets, long total) {
            if (offsets <= done) {
                return;
            }
            done = offsets;
            nanos = System.nanoTime();
            if (fromNanos == 0 && offsets >= total / 2) {
                fromNanos = nanos;
                from = offsets;
            }
        }

        synchronized double perSecond() {
            return (done - from) * 1e9 / Math.max(1, nanos - fromNanos);
        }
    }

    /** Prints the speed of {@link Rebuild} with a thread for each processor; fails unless everything published is met. */
    public static final class Rebuilding {
        private Rebuilding() {}

        /** Exit code 1 if a head was not met. */
        public static void main(String[] args) throws InvalidFormat, InterruptedException {
            Speed speed = new Speed();
            Rebuild.Result result = new Rebuild(
                            connection(),
                            topics(),
                            definition(),
                            Rebuild.Reading.valueOf(System.getenv("BENCH_READING")),
                            new Rebuild.Listener() {
                                @Override
                                public void progress(long offsets, long total) {
                                    speed.at(offsets, total);
                                }
                            })
                    .run(Runtime.getRuntime().availableProcessors());
            if (!(result instanceof Rebuild.Result.Same)) {
                System.err.println(result);
                System.exit(1);
            }
            System.out.println(speed.perSecond());
        }
    }

    /** Prints the speed of one plain consumer. */
    public static final class Plain {
        private Plain() {}

        /** Reads all shards to their ends. */
        public static void main(String[] args) throws InvalidFormat {
            List<TopicPartition> partitions = IntStream.range(0, definition().shards())
                    .mapToObj(shard -> new TopicPartition(topics().events(), shard))
                    .toList();
            Map<String, Object> config = Map.of(
                    "bootstrap.servers",
                    System.getenv("ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS"),
                    "isolation.level",
                    "read_committed",
                    "enable.auto.commit",
                    false,
                    "max.partition.fetch.bytes",
                    8 << 20,
                    "max.poll.records",
                    4_000);
            Speed speed = new Speed();
            try (KafkaConsumer<byte[], byte[]> consumer =
                    new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
                consumer.assign(partitions);
                consumer.seekToBeginning(partitions);
                long total = consumer.endOffsets(partitions).values().stream()
                        .mapToLong(Long::longValue)
                        .sum();
                long done = 0;
                while (done < total) {
                    done += consumer.poll(Duration.ofMillis(200)).count();
                    speed.at(done, total);
                }
            }
            System.out.println(speed.perSecond());
        }
    }
}
