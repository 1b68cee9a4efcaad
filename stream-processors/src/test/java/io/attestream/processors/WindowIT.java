// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.ManagedProcess;
import io.attestream.processors.sequencer.Replay;
import io.attestream.schemas.avro.Head;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.Sealed;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/**
 * The dedup window of 256 leaves across SIGKILL, its edge, and rules that change in the middle; and each time the same records
 * sequenced from offset 0 by another generation give the same tree.
 */
class WindowIT {
    private static final int WINDOW = 256;
    private static final int REPLAY = 2;

    @TempDir
    private static Path directory;

    private static LocalBroker broker;

    private LiveLedger live;
    private ManagedProcess sequencer;

    @BeforeAll
    static void startBroker() {
        broker = LocalBroker.start(directory.resolve("broker"));
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    @BeforeEach
    void makeLedger(TestInfo test) throws Exception {
        String prefix = test.getTestMethod().orElseThrow().getName();
        live = new LiveLedger(broker.bootstrapServers(), prefix, 1, directory);
        sequencer = CrashIT.process(live, "p0", LiveLedger.freePort()).start();
    }

    @AfterEach
    void stop() {
        sequencer.close();
        live.close();
    }

    private void events(int from, int to) {
        List<CompletableFuture<RecordMetadata>> written = new ArrayList<>();
        for (int i = from; i < to; i++) {
            written.add(event(i));
        }
        written.forEach(CompletableFuture::join);
    }

    private CompletableFuture<RecordMetadata> event(int number) {
        return live.writeEvent(0, "id-" + number, "content");
    }

    private void rules(int version, int windowLeaves) {
        live.write(0, live.ledger.rulesValue(0, version, windowLeaves)).join();
    }

    private void killAndStart() {
        live.awaitSealed();
        sequencer.restart();
    }

    private long size() {
        live.awaitSealed();
        List<Sealed> deltas = live.sealed(0);
        return deltas.get(deltas.size() - 1).getHead().getSize();
    }

    private List<Long> duplicateReferences() {
        return live.outcomes(0).stream()
                .filter(outcome -> outcome.getKind() == OutcomeKind.DUPLICATE)
                .map(Outcome::getReference)
                .toList();
    }

    /** In one go without Kafka, and by another generation from offset 0 with nothing of the first one's state. */
    private void requireSameTreeFromTheFirstRecordOn() throws Exception {
        live.awaitSealed();
        List<Sealed> first = live.sealed(0);
        Replay.requireEqual(live.ledger, 0, live.records(live.topics.events(), 0), first, live.outcomes(0));
        Head head = first.get(first.size() - 1).getHead();
        TopicPartition events = new TopicPartition(live.topics.events(), 0);
        live.admin
                .alterConsumerGroupOffsets(live.topics.sequencerGroup(REPLAY), Map.of(events, new OffsetAndMetadata(0)))
                .all()
                .get();
        Map<String, String> settings = live.settings("p9", "sequencer", LiveLedger.freePort());
        settings.put("attestream.generation", Integer.toString(REPLAY));
        try (LiveLedger.Running ignored = live.run(settings)) {
            Awaitility.await("the other generation comes to the same head")
                    .atMost(LiveLedger.PATIENCE)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> live.sealed(0).stream()
                            .filter(delta -> delta.getGeneration() == REPLAY)
                            .map(Sealed::getHead)
                            .anyMatch(other -> other.getNextOffset() == head.getNextOffset()));
        }
        List<Sealed> all = live.sealed(0);
        assertThat(all.get(all.size() - 1).getHead()).isEqualTo(head);
    }

    @Test
    void aRetryOfAnyOfTheLastLeavesAfterAKillMakesNoSecondLeaf() throws Exception {
        // given: all of the tail after the last full tile, and some of the tile before
        events(0, 400);
        killAndStart();

        // when
        events(400 - 255, 400);

        // then
        assertThat(size()).isEqualTo(1 + 400);
        assertThat(duplicateReferences())
                .containsExactlyElementsOf(IntStream.range(400 - 255, 400)
                        .mapToObj(number -> 1L + number)
                        .toList());
        requireSameTreeFromTheFirstRecordOn();
    }

    @Test
    void theWindowEndsAtExactlyItsLastLeaf() throws Exception {
        // given: leaves 0 to 300, of which the window holds 45 to 300; leaf n is event n - 1
        events(0, 300);
        int oldest = 1 + 300 - WINDOW;
        killAndStart();

        // when: the oldest leaf inside, then the youngest outside, which is a leaf and moves the window on by one
        event(oldest - 1).join();
        event(oldest - 2).join();
        event(oldest - 1).join();

        // then
        assertThat(size()).isEqualTo(1 + 300 + 2);
        assertThat(duplicateReferences()).containsExactly((long) oldest);
        requireSameTreeFromTheFirstRecordOn();
    }

    @Test
    void rulesThatChangeInTheMiddleHoldFromThereOnAlsoInAReplay() throws Exception {
        // given: a window of 256, then of 512, then of 256 again, and kills between
        events(0, 300);
        rules(2, 2 * WINDOW);
        events(300, 600);
        killAndStart();

        // when: found by the larger window only
        events(200, 300);
        long sizeBefore = size();
        rules(3, WINDOW);
        killAndStart();
        events(200, 300);

        // then
        assertThat(sizeBefore).isEqualTo(1 + 600 + 1);
        assertThat(size()).isEqualTo(sizeBefore + 1 + 100);
        assertThat(duplicateReferences()).hasSize(100);
        requireSameTreeFromTheFirstRecordOn();
    }

    @Test
    void whatARestartMustRestoreIsBoundedByTheWindow() throws Exception {
        // given: many windows went by, and an edge was written at each commit
        int leaves = 12 * WINDOW;
        for (int from = 0; from < leaves; from += WINDOW) {
            events(from, from + WINDOW);
        }
        assertThat(size()).isEqualTo(leaves + 1);

        // then: what compaction leaves of the changelogs
        assertThat(liveKeys("edge")).isEqualTo(1);
        assertThat(liveKeys("rules")).isEqualTo(1);
        assertThat(liveKeys("window")).isBetween(1L, WINDOW / 256 + 1L);
        // and the edge, whose record is the largest, was not written for each record
        assertThat(live.records(changelog("edge"), 0)).hasSizeLessThan(leaves / 2);
    }

    private String changelog(String store) {
        return live.topics.sequencerGroup(1) + "-" + store + "-changelog";
    }

    private long liveKeys(String store) {
        Map<ByteBuffer, Boolean> keys = new HashMap<>();
        live.records(changelog(store), 0)
                .forEach(record -> keys.put(ByteBuffer.wrap(record.key()), record.value() != null));
        return keys.values().stream().filter(present -> present).count();
    }
}
