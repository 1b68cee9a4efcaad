// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.benchmarks.EmptyTopology.Reader;
import io.attestream.chaos.ManagedProcess;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Events sealed per second: from a backlog on {@code events} to leaves in committed heads, with dedup; alone, and with
 * everything behind it running on the same cores.
 */
final class SealedFigure {
    static final String NAME = "sealed";
    static final String EMPTY = "empty exactly-once topology";
    static final String DECODING = "decoding exactly-once topology";
    static final String READING = "exactly-once topology that reads in place";
    static final String SEQUENCER = "sequencer";
    static final String ALL = "sequencer beside proofs and checkpointer";
    static final String PUBLISHED = "published beside it";

    private final BenchLedger ledger;
    private final int payloadSizeBytes;
    private final Report report;
    private final Progress progress;
    private final long total;

    SealedFigure(BenchLedger ledger, int payloadSizeBytes, Report report, Progress progress) {
        this.ledger = ledger;
        this.payloadSizeBytes = payloadSizeBytes;
        this.report = report;
        this.progress = progress;
        this.total = ledger.endOffset(ledger.topics.events());
    }

    static void declare(Report report, int payloadSizeBytes) {
        report.row(NAME, payloadSizeBytes, EMPTY, "events/s", "", "");
        report.row(NAME, payloadSizeBytes, DECODING, "events/s", EMPTY, "");
        report.row(NAME, payloadSizeBytes, READING, "events/s", EMPTY, "");
        report.row(NAME, payloadSizeBytes, SEQUENCER, "events/s", DECODING, ">= 0.5");
        report.row(NAME, payloadSizeBytes, SEQUENCER, "events/s", READING, "");
        report.row(NAME, payloadSizeBytes, ALL, "events/s", SEQUENCER, ">= 0.6");
        report.row(NAME, payloadSizeBytes, PUBLISHED, "events/s", SEQUENCER, "");
    }

    /** Every variant once, in this order or the other way round: neither always finds the machine warm. */
    void round(int number) {
        List<Runnable> variants = new ArrayList<>(List.of(
                this::everything,
                this::sequencerAlone,
                () -> baseline(READING, Reader.IN_PLACE),
                () -> baseline(DECODING, Reader.DECODER),
                () -> baseline(EMPTY, Reader.NONE)));
        if (number % 2 == 1) {
            Collections.reverse(variants);
        }
        variants.forEach(Runnable::run);
    }

    private void baseline(String variant, Reader reader) {
        String name = "baseline-" + reader;
        String group = ledger.topics.prefix() + "." + name;
        Map<String, String> environment = new HashMap<>();
        environment.put("BENCH_APPLICATION_ID", group);
        environment.put("BENCH_READER", reader.name());
        measure(variant, ledger.baseline(EmptyTopology.class, name, environment), group);
        if (reader != Reader.NONE) {
            requireAllDecoded(variant, ledger.log(name));
        }
    }

    /** A baseline that reads past its records would be a fast one. Control records are no events. */
    private void requireAllDecoded(String variant, Path log) {
        long decoded;
        try (Stream<String> lines = Files.lines(log)) {
            decoded = lines.filter(line -> line.startsWith(EmptyTopology.DECODED))
                    .mapToLong(line -> Long.parseLong(line.substring(EmptyTopology.DECODED.length())))
                    .sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (decoded < total - ledger.definition.shards()) {
            throw new IllegalStateException(variant + " decoded " + decoded + " of " + total + " records");
        }
    }

    /** A generation of its own: what the other variant sealed is not its. */
    private void sequencerAlone() {
        ledger.beginGeneration(2);
        measure(SEQUENCER, ledger.processors("sequencer", 2), ledger.topics.sequencerGroup(2));
        requireAllSealed(2);
    }

    private void everything() {
        String group = ledger.topics.sequencerGroup(1);
        try (ManagedProcess checkpointer = ledger.checkpointer(1).start();
                PublishedOffsets published =
                        new PublishedOffsets(ledger.bootstrapServers, ledger.topics, ledger.definition)) {
            try (ManagedProcess processors =
                    ledger.processors("sequencer,proofs", 1).start()) {
                double[] rates = Waiting.rates(
                        processors,
                        List.of(() -> ledger.committed(group, ledger.topics.events()), published),
                        total,
                        progress);
                sample(ALL, rates[0]);
                sample(PUBLISHED, rates[1]);
                // Not a figure: the checkpointer is behind by what it did not get of the two cores.
                Waiting.reach(checkpointer, published, total, progress);
                requireProofsFollowed();
            }
            requireAllSealed(1);
        }
    }

    private void measure(String variant, ManagedProcess process, String group) {
        try (process) {
            process.start();
            sample(
                    variant,
                    Waiting.rates(
                            process, List.of(() -> ledger.committed(group, ledger.topics.events())), total, progress)[
                            0]);
        }
    }

    private void sample(String variant, double rate) {
        report.sample(NAME, payloadSizeBytes, variant, rate);
        progress.say(String.format("  %-42s %,10.0f events/s", variant, rate));
    }

    /** Proofs must have run beside the others, too; markers of transactions at the end are no records to it. */
    private void requireProofsFollowed() {
        long followed = ledger.committed(ledger.topics.proofsGroup(1), ledger.topics.sealed());
        long end = ledger.endOffset(ledger.topics.sealed());
        if (followed < 0.9 * end) {
            throw new IllegalStateException("proofs has read " + followed + " of " + end + " offsets of sealed");
        }
    }

    /** The figure is of leaves in committed heads, so they must be there. */
    private void requireAllSealed(int generation) {
        WireDecoder<Sealed> decoder = new WireDecoder<>(Sealed.class, SchemaTexts.SEALED, ledger.definition.schemas());
        long sealed = 0;
        try (Committed last = new Committed(ledger.bootstrapServers, ledger.partitions(ledger.topics.sealed()))) {
            Map<Integer, Long> sizes = new HashMap<>();
            last.readToEnd(record -> {
                if (decoder.decode(record.value()) instanceof WireResult.Decoded<Sealed> decoded
                        && decoded.value().getGeneration() == generation) {
                    sizes.put(record.partition(), decoded.value().getHead().getSize());
                }
            });
            sealed = sizes.values().stream().mapToLong(Long::longValue).sum();
        }
        if (sealed != total) {
            throw new IllegalStateException(sealed + " leaves were sealed of " + total + " records");
        }
    }
}
