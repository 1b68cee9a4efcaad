// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.ManagedProcess;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Events sealed per second: from a backlog on {@code events} to leaves in committed heads, with dedup; alone, and with
 * everything behind it running on the same cores.
 */
final class SealedFigure {
    static final String NAME = "sealed";
    static final String EMPTY = "empty exactly-once topology";
    static final String DECODING = "decoding exactly-once topology";
    static final String SEQUENCER = "sequencer";
    static final String ALL = "sequencer beside proofs and checkpointer";

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
        this.total = ledger.endOffset();
    }

    static void declare(Report report, int payloadSizeBytes) {
        report.row(NAME, payloadSizeBytes, EMPTY, "events/s", "", "");
        report.row(NAME, payloadSizeBytes, DECODING, "events/s", EMPTY, "");
        report.row(NAME, payloadSizeBytes, SEQUENCER, "events/s", DECODING, ">= 0.5");
        report.row(NAME, payloadSizeBytes, ALL, "events/s", SEQUENCER, ">= 0.6");
    }

    /** Every variant once, in this order or the other way round: neither always finds the machine warm. */
    void round(int number) {
        List<Runnable> variants = new ArrayList<>(List.of(
                this::everything, this::sequencerAlone, () -> baseline(DECODING, true), () -> baseline(EMPTY, false)));
        if (number % 2 == 1) {
            Collections.reverse(variants);
        }
        variants.forEach(Runnable::run);
    }

    private void baseline(String variant, boolean decode) {
        String group = ledger.topics.prefix() + ".baseline." + decode;
        Map<String, String> environment = new HashMap<>();
        environment.put("BENCH_APPLICATION_ID", group);
        environment.put("BENCH_DECODE", Boolean.toString(decode));
        measure(variant, ledger.baseline(EmptyTopology.class, "baseline-" + decode, environment), group);
    }

    /** A generation of its own: what the other variant sealed is not its. */
    private void sequencerAlone() {
        ledger.beginGeneration(2);
        measure(SEQUENCER, ledger.processors("sequencer", 2), ledger.topics.sequencerGroup(2));
        requireAllSealed(2);
    }

    private void everything() {
        try (ManagedProcess checkpointer = ledger.checkpointer(1).start()) {
            measure(ALL, ledger.processors("sequencer,proofs", 1), ledger.topics.sequencerGroup(1));
            requireAllSealed(1);
            try (PublishedOffsets published =
                    new PublishedOffsets(ledger.bootstrapServers, ledger.topics, ledger.definition)) {
                Waiting.rate(checkpointer, published, total, progress);
            }
        }
    }

    private void measure(String variant, ManagedProcess process, String group) {
        try (process) {
            process.start();
            double rate = Waiting.rate(process, () -> ledger.committed(group), total, progress);
            report.sample(NAME, payloadSizeBytes, variant, rate);
            progress.say(String.format("  %-42s %,10.0f events/s", variant, rate));
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
