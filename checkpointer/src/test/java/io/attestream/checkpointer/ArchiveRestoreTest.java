// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive comes back from Kafka byte for byte, and from nothing but what was published. */
class ArchiveRestoreTest {
    @TempDir
    private Path directory;

    private Scene scene;
    private Map<String, byte[]> before;

    @BeforeEach
    void publishThreeEpochs() throws Exception {
        scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        for (String more : List.of("second", "third")) {
            scene.grow(more);
            process.read();
            process.checkpointer.publishNewest();
        }
        before = objects();
    }

    private ArchiveRestore.Result restore() {
        return restore(scene.store);
    }

    private ArchiveRestore.Result restore(ObjectStore store) {
        return new ArchiveRestore(
                        store,
                        scene.ledger.ledger,
                        reader -> List.copyOf(scene.log.committed).forEach(reader),
                        scene::decisionSource,
                        ArchiveRestore.Listener.NONE)
                .run();
    }

    private ArchiveRestore.Report restored() {
        return ((ArchiveRestore.Result.Restored) restore()).report();
    }

    private Map<String, byte[]> objects() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            Map<String, byte[]> objects = new TreeMap<>();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = directory.relativize(file).toString();
                objects.put(name, GuardTexts.without(name, Files.readAllBytes(file)));
            }
            return objects;
        }
    }

    private void requireAsBefore() throws IOException {
        Map<String, byte[]> now = objects();
        assertThat(now).containsAllEntriesOf(before);
    }

    @Test
    void leavesAnArchiveThatHoldsAlone() throws Exception {
        // when
        ArchiveRestore.Report report = restored();

        // then
        assertThat(report).isEqualTo(new ArchiveRestore.Report(3, 12, 0, List.of()));
        requireAsBefore();
    }

    @Test
    void bringsALostArchiveBackByteForByte() throws Exception {
        // given
        for (String name : before.keySet()) {
            Files.delete(directory.resolve(name));
        }

        // when
        ArchiveRestore.Report report = restored();

        // then
        assertThat(report).isEqualTo(new ArchiveRestore.Report(3, 0, 12, List.of()));
        requireAsBefore();
        assertThat(objects()).hasSameSizeAs(before);
    }

    @Test
    void replacesWhatRottedAndKeepsItApart() throws Exception {
        long seed = System.nanoTime();
        System.out.println("ArchiveRestoreTest seed " + seed);
        Random random = new Random(seed);
        for (String name : before.keySet()) {
            // given
            byte[] bad = before.get(name).clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(directory.resolve(name), bad);

            // then
            assertThat(restored().replaced()).containsExactly(name);
            assertThat(objects().entrySet()).anySatisfy(kept -> {
                assertThat(kept.getKey()).startsWith("damaged/" + name);
                assertThat(kept.getValue()).isEqualTo(bad);
            });
        }
        requireAsBefore();
    }

    @Test
    void bringsTheObjectsOfAnOpenIntentBackToo() throws Exception {
        // given: it died with an epoch whose intent was committed
        scene.grow("fourth");
        Scene.Instance dying = scene.start((step, epoch) -> {
            if (step == PublishStep.INTENT_COMMITTED) {
                throw new IllegalStateException("dies here");
            }
        });
        dying.checkpointer.takeUp();
        assertThat(catchThrowable(() -> dying.checkpointer.publishNewest())).hasMessage("dies here");
        Map<String, byte[]> withOpen = objects();
        for (String name : withOpen.keySet()) {
            Files.delete(directory.resolve(name));
        }

        // when
        ArchiveRestore.Report report = restored();

        // then the next one rolls it forward
        assertThat(report.written()).isEqualTo(14);
        assertThat(objects()).containsAllEntriesOf(withOpen);
        scene.start().checkpointer.takeUp();
        assertThat(scene.published()).hasSize(4);
    }

    @Test
    void writesNothingOfAnEpochWhoseRecordsAreOthers() throws Exception {
        // given: a payload of the third epoch was exchanged in Kafka, and the archive lost
        TestShard shard = scene.shards.get(0);
        int changed = shard.records.size() - 3; // the first of "third"
        TestShard.Committed record = shard.records.get(changed);
        byte[] value = record.value().clone();
        value[value.length - 1] ^= 1;
        shard.records.set(changed, new TestShard.Committed(record.offset(), record.timestampMillis(), value));
        for (String name : before.keySet()) {
            Files.delete(directory.resolve(name));
        }

        // when
        ArchiveRestore.Result result = restore();

        // then
        assertThat(result).isInstanceOf(ArchiveRestore.Result.Refused.class);
        assertThat(objects().keySet())
                .noneMatch(name -> name.contains("/" + ObjectNames.epoch(2).substring(7, 27)));
    }

    /** What whoever may write to both topics can do: the name of an object is in no signature, the root is. */
    @Test
    void writesNothingOfAnEpochWhoseRecordsAndObjectNamesAreOthers() throws Exception {
        // given: another event with its objects' names in the checkpoints, and the archive lost
        TestShard shard = scene.shards.get(0);
        int changed = shard.records.size() - 2; // the second of "third"
        TestShard.Committed record = shard.records.get(changed);
        byte[] value = scene.ledger.eventValue(0, "another", "payload");
        shard.records.set(changed, new TestShard.Committed(record.offset(), record.timestampMillis(), value));
        EpochIntent last = scene.published().get(1).intent();
        EpochIntent intent = scene.published().get(2).intent();
        List<Added> added = new ArrayList<>();
        for (ShardHead head : intent.heads()) {
            ArchiveRestore.DecisionSource source = scene.decisionSource(head.shard());
            source.takeTo(last.heads().get(head.shard()).nextOffset());
            added.add(Added.of(source.takeTo(head.nextOffset()), head.size()));
        }
        EpochIntent renamed = new EpochIntent(
                2,
                intent.epochLeaf(),
                intent.heads(),
                intent.noteText(),
                ObjectNames.segment(2, EpochObjects.segment(2, added)),
                ObjectNames.payloads(2, EpochObjects.payloads(2, added)),
                intent.generation());
        scene.log.committed.replaceAll(logged -> {
            if (logged.epoch() == 2 && logged instanceof LogRecord.Intent) {
                return new LogRecord.Intent(renamed);
            }
            return logged.epoch() == 2 && logged instanceof LogRecord.Published published
                    ? new LogRecord.Published(renamed, published.note())
                    : logged;
        });
        for (String name : before.keySet()) {
            Files.delete(directory.resolve(name));
        }

        // then
        assertThat(restore())
                .isInstanceOfSatisfying(
                        ArchiveRestore.Result.Refused.class,
                        refused ->
                                assertThat(refused.detail()).contains("shard 0 was published in epoch 2 with size 9"));
        assertThat(objects().keySet())
                .hasSize(8)
                .noneMatch(name -> name.contains("/" + ObjectNames.epoch(2).substring(7, 27)));
    }

    @Test
    void replacesNothingItCannotKeepApart() throws Exception {
        // given something else under the name what is damaged would have
        String segment = scene.published().get(0).intent().segment();
        Files.write(directory.resolve(segment), new byte[] {1});
        scene.store.putIfAbsent(ObjectNames.damaged(segment, new byte[] {1}), new byte[] {2});

        // then
        assertThat(restore())
                .isInstanceOfSatisfying(
                        ArchiveRestore.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail())
                                .contains("holds other bytes: " + segment + " was not replaced"));
        assertThat(scene.store.get(segment)).contains(new byte[] {1});
    }

    @Test
    void whatDoesNotReadBackIsNotRestored() throws Exception {
        // given a store that says it created an object, and does not have it
        String segment = scene.published().get(0).intent().segment();
        Files.delete(directory.resolve(segment));
        ObjectStore forgetful = (ObjectStore) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {ObjectStore.class},
                (proxy, method, arguments) -> method.getName().equals("putIfAbsent")
                        ? new ObjectStore.PutResult.Created()
                        : method.invoke(scene.store, arguments));

        // then
        assertThat(restore(forgetful))
                .isInstanceOfSatisfying(
                        ArchiveRestore.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail())
                                .contains("object " + segment + " was written and does not read back"));
    }

    @Test
    void writesNothingWhenTheCheckpointsDoNotHold() throws Exception {
        // given
        scene.log.committed.remove(1);
        for (String name : before.keySet()) {
            Files.delete(directory.resolve(name));
        }

        // then
        assertThat(restore()).isInstanceOf(ArchiveRestore.Result.Refused.class);
        assertThat(objects()).isEmpty();
    }

    /** The archive is the floor then. */
    @Test
    void changesNothingWhenTheArchiveKnowsMoreEpochsThanKafka() throws Exception {
        // given the topic lost its last epoch, and an object rotted
        scene.log.committed.remove(scene.log.committed.size() - 1);
        scene.log.committed.remove(scene.log.committed.size() - 1);
        Path rotten = directory.resolve(scene.published().get(0).intent().segment());
        Files.write(rotten, new byte[1]);

        // then
        assertThat(restore())
                .isInstanceOfSatisfying(
                        ArchiveRestore.Result.Refused.class,
                        refused -> assertThat(refused.detail()).contains("the topic lost records"));
        assertThat(Files.size(rotten)).isEqualTo(1);
    }

    @Test
    void anEpochThatIsPublishedMeanwhileIsNoLossOfTheTopic() throws Exception {
        // given a checkpointer that publishes as soon as the topic was read for the first time
        AtomicInteger readings = new AtomicInteger();
        ArchiveRestore restore = new ArchiveRestore(
                scene.store,
                scene.ledger.ledger,
                reader -> {
                    List.copyOf(scene.log.committed).forEach(reader);
                    if (readings.getAndIncrement() == 0) {
                        scene.grow("meanwhile");
                        Scene.Instance live = scene.start();
                        assertThatCode(() -> live.checkpointer.takeUp()).doesNotThrowAnyException();
                        live.checkpointer.publishNewest();
                    }
                },
                scene::decisionSource,
                ArchiveRestore.Listener.NONE);

        // then
        assertThat(restore.run()).isInstanceOf(ArchiveRestore.Result.Restored.class);
        assertThat(scene.published()).hasSize(4);
    }

    @Test
    void keepsAnotherHistoryTheKeySigned() throws Exception {
        // given: what a ledger whose key signed twice left in the store
        EpochIntent intent = scene.published().get(2).intent();
        Checkpoint other = new Checkpoint(scene.ledger.ledger.origin(), new TreeSize(3), Rfc6962.EMPTY_ROOT);
        byte[] evidence = new EpochObject(
                        intent.epochLeaf(),
                        intent.heads(),
                        SignedNote.sign(other.text(), scene.ledger.key).encode(),
                        intent.segment(),
                        intent.payloads(),
                        intent.generation())
                .encode();
        Path object = directory.resolve(ObjectNames.epoch(2));
        Files.write(object, evidence);

        // then
        assertThat(restore())
                .isInstanceOfSatisfying(
                        ArchiveRestore.Result.Refused.class,
                        refused -> assertThat(refused.detail()).contains("two histories were signed"));
        assertThat(Files.readAllBytes(object)).isEqualTo(evidence);
    }

    @Test
    void hasNothingToRestoreOfALedgerWithoutAnEpoch() throws Exception {
        // given
        scene.log.committed.clear();
        for (String name : before.keySet()) {
            Files.delete(directory.resolve(name));
        }

        // then
        assertThat(restore()).isInstanceOf(ArchiveRestore.Result.Undecided.class);
    }
}
