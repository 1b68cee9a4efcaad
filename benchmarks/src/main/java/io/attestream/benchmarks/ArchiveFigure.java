// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.Installation;
import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.ManagedProcess;
import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.ArchiveRestorePoint;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** How fast a ledger comes back out of its packs, beside reading the same packs and hashing what is in them. */
@Command(
        name = "archive",
        mixinStandardHelpOptions = true,
        header = "Measure how fast a ledger is checked and restored out of its packs.",
        description = {
            "Makes a ledger whose leaves are in packs, then measures in alternating rounds, on one thread unless it says so: reading all packs and"
                    + " payload packs, hashing every entry and the payloads' bytes, and nothing else; a check of the whole archive"
                    + " without Kafka, which builds every tree again and holds every published root and every payload's digest"
                    + " against it; the same with a thread for each processor, as fsck does it; a restore of the newest epoch, which writes tiles too. One round to warm up is not counted.",
            ""
        },
        footer = {"", "Example:", "  benchmarks/run archive --events 400000 --rounds 5"})
final class ArchiveFigure implements Callable<Integer> {
    private static final String NAME = "archive";
    private static final String BASELINE = "packs read, entries and payloads hashed";
    private static final String CHECK = "checked: every tree, root, payload";
    private static final String CHECK_BESIDE = "the same, the shards beside each other";
    private static final String RESTORE = "restored to the newest epoch as tiles";
    private static final Map<String, String> OFTEN = Map.of("ATTESTREAM_PACKS_AGE_MILLIS_MAX", "5000");

    @Option(
            names = "--rounds",
            defaultValue = "5",
            paramLabel = "<n>",
            description = "Rounds (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--events",
            defaultValue = "400000",
            paramLabel = "<n>",
            description = "Events of the ledger (default: ${DEFAULT-VALUE}).")
    private int events;

    @Option(
            names = "--payload-size",
            defaultValue = "512",
            paramLabel = "<bytes>",
            description = "Size of each payload (default: ${DEFAULT-VALUE}).")
    private int payloadSizeBytes;

    @Option(
            names = "--json",
            defaultValue = "benchmarks/target/archive.json",
            paramLabel = "<file>",
            description = "File for the figures (default: ${DEFAULT-VALUE}).")
    private Path json = Path.of("");

    private final Progress progress = new Progress(System.err, Boolean.getBoolean("attestream.terminal.err"));
    private final Installation installation = Installation.find();
    private final Report report = new Report(() -> Map.of(
            "processors",
            Runtime.getRuntime().availableProcessors(),
            "java",
            Runtime.version().toString(),
            "events",
            events,
            "rounds",
            rounds));

    /** What is measured: goes through the archive and returns how many leaves. */
    private interface Work {
        long run() throws IOException, InvalidFormat, InterruptedException;
    }

    private record Variant(String name, Work work) {}

    @Override
    public Integer call() throws IOException, InvalidFormat, InterruptedException {
        report.row(NAME, payloadSizeBytes, BASELINE, "leaves/s", "", "");
        report.row(NAME, payloadSizeBytes, CHECK, "leaves/s", BASELINE, ">= 0.6");
        report.row(NAME, payloadSizeBytes, CHECK_BESIDE, "leaves/s", BASELINE, ">= 0.6");
        report.row(NAME, payloadSizeBytes, RESTORE, "leaves/s", BASELINE, "");
        Path work = Files.createTempDirectory("attestream-archive");
        try (LocalBroker broker = LocalBroker.start(installation, work.resolve("broker"), false);
                BenchLedger ledger = new BenchLedger(installation, broker.bootstrapServers(), "archive", 2, work)) {
            make(ledger);
            measure(ledger, work.resolve("restored"));
        } finally {
            Main.delete(work);
        }
        report.table().forEach(System.out::println);
        report.writeJson(json);
        progress.say("written to " + json);
        return 0;
    }

    private void make(BenchLedger ledger) throws IOException {
        Workload workload = new Workload(payloadSizeBytes, 1);
        try (PublishedOffsets published =
                        new PublishedOffsets(ledger.bootstrapServers, ledger.topics, ledger.definition);
                ManagedProcess processors = ledger.processors("sequencer", 1).start();
                ManagedProcess checkpointer = ledger.checkpointer(1, OFTEN).start()) {
            workload.load(ledger.bootstrapServers, ledger.topics.events(), ledger.definition, 0, events, progress);
            Waiting.reach(checkpointer, published, ledger.endOffset(ledger.topics.events()), progress);
            int more = GrowingLedger.settle(ledger, workload, events, progress);
            Waiting.reach(checkpointer, published, ledger.endOffset(ledger.topics.events()), progress);
            ObjectStore store = objects(ledger);
            progress.say(String.format(
                    "%,d events in %,d packs and %,d segments",
                    events + more,
                    store.list(PackName.PACKS).size(),
                    store.list(ObjectNames.SEGMENTS).size()));
        }
    }

    private static ObjectStore objects(BenchLedger ledger) throws IOException {
        return new DirectoryObjectStore(ledger.directory().resolve("objects"));
    }

    private void measure(BenchLedger ledger, Path target) throws IOException, InvalidFormat, InterruptedException {
        ObjectStore store = objects(ledger);
        List<Variant> variants = new ArrayList<>(List.of(
                new Variant(BASELINE, () -> readAndHash(store)),
                new Variant(CHECK, () -> check(ledger, store, 1)),
                new Variant(
                        CHECK_BESIDE,
                        () -> check(ledger, store, Runtime.getRuntime().availableProcessors())),
                new Variant(RESTORE, () -> restore(ledger, store, target))));
        for (int round = 0; round <= rounds; round++) {
            for (Variant variant : variants) {
                long begun = System.nanoTime();
                long leaves = variant.work().run();
                double rate = leaves * 1e9 / (System.nanoTime() - begun);
                Main.delete(target);
                if (round > 0) {
                    report.sample(NAME, payloadSizeBytes, variant.name(), rate);
                    progress.say(String.format("  %-42s %,10.0f leaves/s", variant.name(), rate));
                }
            }
            Collections.reverse(variants);
        }
    }

    private static long readAndHash(ObjectStore store) throws IOException, InvalidFormat {
        long leaves = 0;
        MessageDigest sha256 = sha256();
        for (String object : store.list(PackName.PACKS)) {
            PackName name = PackName.parse(object);
            Pack pack = Pack.open(store, name).orElseThrow();
            CompactRange range = pack.frontier();
            while (range.size().value() < name.end()) {
                for (LeafRecord leaf : pack.block(range.size().value())) {
                    range.append(Rfc6962.leafHash(leaf.entry()));
                    leaves++;
                }
            }
            sha256.update(store.get(name.payloads()).orElseThrow());
            range.root();
        }
        sha256.digest();
        return leaves;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static long check(BenchLedger ledger, ObjectStore store, int threads)
            throws IOException, InterruptedException {
        ArchiveCheck.Result result = ArchiveCheck.openAlone(
                        ledger.definition.key(), store, Long.MAX_VALUE, ArchiveCheck.Listener.NONE)
                .inThreads(threads)
                .run();
        if (result instanceof ArchiveCheck.Result.Checked checked
                && checked.report().found() == 0) {
            return checked.report().leaves();
        }
        throw new IllegalStateException("the archive does not hold: " + result);
    }

    private static long restore(BenchLedger ledger, ObjectStore store, Path target)
            throws IOException, InterruptedException {
        long newest = store.list(ObjectNames.EPOCHS).size() - 1L;
        ArchiveRestorePoint.Result result = new ArchiveRestorePoint(
                        ledger.definition.key(), store, newest, target, Optional.empty(), ArchiveCheck.Listener.NONE)
                .run();
        if (result instanceof ArchiveRestorePoint.Result.Restored restored) {
            return restored.leaves();
        }
        throw new IllegalStateException("the archive was not restored: " + result);
    }
}
