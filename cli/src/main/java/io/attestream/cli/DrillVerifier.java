// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.Rebuild;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorResult;
import io.attestream.cli.DrillCheck.Result;
import io.attestream.cli.DrillChecks.Failed;
import io.attestream.objects.ObjectStores;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Judges what a restore brought back, by what an auditor has: the public key, what was kept before, the events' own bytes, and
 * the topics and objects read anew. Asks no service whether it is well. One check that fails ends none of the others.
 */
final class DrillVerifier {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final long ARCHIVE_BYTES_PER_SECOND = 1L << 30;
    private static final int READERS = 8;

    private final DrillScene scene;
    private final DrillChecks checks;
    /** What a bundle proves, by event id: filled by {@link #acknowledged}. */
    private final Map<String, ProofBundle> proved = new ConcurrentHashMap<>();

    private final List<DrillLoad.Acknowledged> lost = new ArrayList<>();
    /** Lost with the brokers, and told to be. */
    private final Set<DrillLoad.Acknowledged> unpublished = ConcurrentHashMap.newKeySet();

    private Rebuild.Result.@Nullable Same rebuilt;

    DrillVerifier(DrillScene scene, Consumer<Result> listener) {
        this.scene = scene;
        this.checks = new DrillChecks(scene, listener);
    }

    /**
     * Runs every check behind {@link DrillCheck#PUBLISHED}; the load has ended.
     *
     * @return events that were acknowledged and are not proved
     */
    List<DrillLoad.Acknowledged> run() {
        checks.run(DrillCheck.ROOTS, this::roots);
        checks.run(DrillCheck.ARCHIVE, this::archive);
        checks.run(DrillCheck.CONSISTENCY, this::consistency);
        checks.run(DrillCheck.ACKNOWLEDGED, this::acknowledged);
        checks.run(DrillCheck.BUNDLES, this::bundles);
        checks.run(DrillCheck.OFFSETS, this::offsets);
        checks.run(DrillCheck.HISTORY, scene.record()::judge); // all below is not recorded
        checks.run(DrillCheck.DEDUP, this::dedup);
        checks.run(DrillCheck.GOES_ON, this::goesOn);
        lost.addAll(unpublished);
        return List.copyOf(lost);
    }

    private LedgerDefinition definition() throws Failed {
        GenesisReader.Result result = GenesisReader.read(
                Map.of("bootstrap.servers", scene.cluster().bootstrapServers()),
                scene.cluster().topics(),
                scene.key(),
                PATIENCE);
        if (result instanceof GenesisReader.Result.Ready ready) {
            return ready.ledger();
        }
        throw new Failed("the genesis records are not those of the trusted key: " + result);
    }

    private String roots() throws Failed, IOException, InterruptedException {
        Rebuild.Result result = new Rebuild(
                        KafkaConnection.of(scene.cluster().bootstrapServers()),
                        scene.cluster().topics(),
                        definition(),
                        Rebuild.Reading.DECODED,
                        Rebuild.Listener.NONE)
                .withObjects(ObjectStores.open(scene.cluster().objects().toString()))
                .run(2, Optional.of(scene.kept()));
        if (result instanceof Rebuild.Result.Same same) {
            rebuilt = same;
            return same.leaves() + " leaves give every head of " + same.epochs() + " epochs";
        }
        throw new Failed(
                result instanceof Rebuild.Result.Different different ? different.detail() : String.valueOf(result));
    }

    private String archive() throws Failed, IOException, InterruptedException {
        return DrillChecks.archived(ArchiveCheck.open(
                        KafkaConnection.of(scene.cluster().bootstrapServers()),
                        scene.cluster().topics(),
                        definition(),
                        ObjectStores.open(scene.cluster().objects().toString()),
                        ARCHIVE_BYTES_PER_SECOND,
                        ArchiveCheck.Listener.NONE)
                .run(Optional.of(scene.kept())));
    }

    private String consistency() throws Failed {
        long size = NewestEpoch.fetch(auditor()).epochs();
        Monitor monitor = scene.monitor();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        MonitorResult result = monitor.check();
        while (!(result instanceof MonitorResult.Ok ok && ok.size().value() >= size)) {
            if (result instanceof MonitorResult.Violation violation) {
                throw new Failed(violation.kind() + ": " + violation.detail());
            }
            if (System.nanoTime() > deadline) {
                throw new Failed("the monitor does not get to size " + size + ": " + result);
            }
            result = monitor.check();
        }
        return "from " + scene.newest().epochs() + " to " + size + " epochs";
    }

    private Api auditor() {
        return scene.cluster().api("auditor");
    }

    private String acknowledged() throws Failed, InterruptedException {
        Api auditor = auditor();
        List<DrillLoad.Acknowledged> events = scene.load().acknowledged();
        Optional<NewestEpoch> restored = restoredEpoch();
        Map<DrillLoad.Acknowledged, String> failures = inParallel(events, event -> {
            if (isLost(event, restored)) {
                requireToldLost(auditor, event);
                unpublished.add(event);
            } else {
                proved.put(event.id(), prove(auditor, event.line(), event.href()));
            }
            return "";
        });
        if (!failures.isEmpty()) {
            lost.addAll(failures.keySet());
            Map.Entry<DrillLoad.Acknowledged, String> first =
                    failures.entrySet().iterator().next();
            throw new Failed(failures.size() + " of " + events.size() + ": "
                    + first.getKey().id() + " was acknowledged and is not proved: " + first.getValue());
        }
        return events.size() + " events"
                + (unpublished.isEmpty()
                        ? ""
                        : ", " + unpublished.size() + " of them told to be lost with the brokers");
    }

    /** Up to which the ledger was brought back; empty if Kafka was not lost. */
    private Optional<NewestEpoch> restoredEpoch() throws Failed {
        return definition().genesis().get(0).prior().map(prior -> NewestEpoch.fetch(auditor(), prior.epoch()));
    }

    /** Acknowledged before the brokers were lost and published by no epoch that was archived, nor by one that was kept. */
    private boolean isLost(DrillLoad.Acknowledged event, Optional<NewestEpoch> restored) {
        return restored.isPresent()
                && LedgerOffset.incarnation(event.offset()) == 1
                && !restored.get().covers(event.shard(), event.offset())
                && !scene.newest().covers(event.shard(), event.offset());
    }

    private static void requireToldLost(Api auditor, DrillLoad.Acknowledged event) throws Failed {
        Api.Reply reply = auditor.get(event.href(), "application/json");
        if (reply.status() != 404 || !reply.text().contains("send the event again")) {
            throw new Failed("its receipt says " + reply.status() + " " + reply.text());
        }
    }

    private interface Work<T> {
        String of(T item) throws Failed;
    }

    /** What failed, and why. */
    private static <T> Map<T, String> inParallel(List<T> items, Work<T> work) throws InterruptedException {
        ExecutorService readers = Executors.newFixedThreadPool(READERS);
        try {
            Map<T, Future<String>> futures = new HashMap<>();
            items.forEach(item -> futures.put(item, readers.submit(() -> work.of(item))));
            Map<T, String> failures = new HashMap<>();
            for (Map.Entry<T, Future<String>> future : futures.entrySet()) {
                try {
                    future.getValue().get();
                } catch (ExecutionException e) {
                    failures.put(future.getKey(), String.valueOf(e.getMessage()));
                }
            }
            return failures;
        } finally {
            readers.shutdownNow();
        }
    }

    /** The bundle of an event, verified with the trusted key and the event's own bytes. */
    private ProofBundle prove(Api auditor, byte[] line, String href) throws Failed {
        JsonNode receipt = ReceiptCommand.await(auditor, href, PATIENCE);
        ProofBundle bundle = DrillChecks.parse(receipt.path("bundle").toString());
        checks.requireProves(bundle, line);
        return bundle;
    }

    private String bundles() throws Failed, InvalidFormat {
        for (Map.Entry<String, String> saved : scene.bundles().entrySet()) {
            ProofBundle before = DrillChecks.parse(saved.getValue());
            checks.requireProves(before, DrillLoad.event(saved.getKey()));
            ProofBundle now = proved.get(saved.getKey());
            if (now == null) {
                throw new Failed(saved.getKey() + " is not proved any more");
            }
            if (!Arrays.equals(before.entry(), now.entry())
                    || !before.leafIndex().equals(now.leafIndex())
                    || ShardHead.parse(before.head()).shard()
                            != ShardHead.parse(now.head()).shard()) {
                throw new Failed(saved.getKey() + " is another leaf than it was");
            }
        }
        return scene.bundles().size() + " bundles";
    }

    private String offsets() throws Failed {
        if (rebuilt == null) {
            throw new Failed("no tree was built that could be counted");
        }
        NewestEpoch last = NewestEpoch.fetch(auditor(), rebuilt.epochs() - 1);
        long priorRecords = restoredEpoch().map(NewestEpoch::records).orElse(0L);
        Map<Integer, Long> records = countRecords(last.heads(), definition().incarnation());
        for (Rebuild.ShardTotal total : rebuilt.shards()) {
            long accounted = total.leaves() + total.withoutLeaf();
            if (accounted != records.getOrDefault(total.shard(), 0L)) {
                throw new Failed("shard " + total.shard() + " has " + records.get(total.shard())
                        + " committed records, accounted for are " + accounted);
            }
        }
        long all = records.values().stream().mapToLong(count -> count).sum();
        if (priorRecords + all != last.records()) {
            throw new Failed("topic events has " + all + " committed records below the heads of epoch " + last.epoch()
                    + ", before it were " + priorRecords + ", its signed counts have " + last.records());
        }
        return all + " records, " + (all - rebuilt.leaves()) + " of them no leaves";
    }

    private Map<Integer, Long> countRecords(List<ShardHead> heads, int incarnation) throws Failed {
        Map<Integer, Long> counts = new HashMap<>();
        Map<TopicPartition, Long> ends = new HashMap<>();
        heads.forEach(head -> ends.put(
                new TopicPartition(scene.cluster().topics().events(), head.shard()),
                Math.max(0, head.nextOffset() - LedgerOffset.first(incarnation))));
        Map<String, Object> committedOnly =
                Map.of("bootstrap.servers", scene.cluster().bootstrapServers(), "isolation.level", "read_committed");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(committedOnly, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(ends.keySet());
            consumer.seekToBeginning(ends.keySet());
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                if (System.nanoTime() > deadline) {
                    throw new Failed("topic events cannot be read to the newest heads");
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    long end = ends.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L);
                    if (record.offset() < end) {
                        counts.merge(record.partition(), 1L, Long::sum);
                    }
                }
            }
        }
        return counts;
    }

    private String dedup() throws Failed, InterruptedException {
        Api auditor = auditor();
        NewestEpoch before = NewestEpoch.fetch(auditor);
        List<DrillLoad.Acknowledged> events = new ArrayList<>(scene.load().acknowledged());
        events.removeAll(unpublished); // they are new to the log
        Map<Long, String> hrefs = new HashMap<>();
        new Sender(scene.cluster().api("ingester"))
                .send(
                        events.stream().map(DrillLoad.Acknowledged::line).iterator(),
                        (index, result) -> hrefs.put(
                                index, result.path("receipt").path("href").asText()));
        Map<Long, String> failures = inParallel(List.copyOf(hrefs.keySet()), index -> {
            String status = ReceiptCommand.await(auditor, hrefs.getOrDefault(index, ""), PATIENCE)
                    .path("status")
                    .asText();
            if (!status.equals("duplicate")) {
                throw new Failed("is " + status);
            }
            return status;
        });
        long added = NewestEpoch.fetch(auditor).eventLeaves() - before.eventLeaves();
        if (hrefs.size() != events.size() || !failures.isEmpty() || added != 0) {
            throw new Failed(added + " leaves were added, " + (events.size() - hrefs.size())
                    + " events were not taken, " + failures.size() + " are no duplicates "
                    + failures.values().stream().findFirst().orElse(""));
        }
        return events.size() + " events sent again, no leaf more";
    }

    private String goesOn() throws Failed {
        byte[] line = DrillLoad.event("after-the-restore");
        List<String> hrefs = new ArrayList<>();
        new Sender(scene.cluster().api("ingester"))
                .send(
                        List.of(line).iterator(),
                        (index, result) ->
                                hrefs.add(result.path("receipt").path("href").asText()));
        ProofBundle bundle = prove(auditor(), line, hrefs.get(0));
        return "leaf " + bundle.leafIndex();
    }
}
