// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.processors.IntegrityException;
import io.attestream.processors.TestLedger;
import io.attestream.processors.sequencer.SealedShard;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.Sealed;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.BytesSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.StreamsStoppedException;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProofsTopologyTest {
    @TempDir
    private Path directory;

    private final TestLedger ledger = new TestLedger(1, 256);
    private final SealedShard shard = new SealedShard(ledger, 0);
    private final PublishedEpochs epochs = new PublishedEpochs(ledger);
    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private boolean storesMovedAway;
    /** How often a store is asked for before it is there. */
    private int askedInVain;

    private boolean stopped;
    private int askedWhenStopped;

    private TopologyTestDriver driver;
    private TestInputTopic<Bytes, byte[]> sealed;
    private TestInputTopic<Bytes, byte[]> outcomes;
    private TestInputTopic<Bytes, byte[]> checkpoints;
    private ProofQueries queries;

    @BeforeEach
    void start() {
        driver = new TopologyTestDriver(
                ProofsTopology.build(TestLedger.TOPICS, ledger.definition(), 1, Optional.empty()),
                TestLedger.driverSettings("proofs", directory));
        sealed = input(TestLedger.TOPICS.sealed());
        outcomes = input(TestLedger.TOPICS.outcomes());
        checkpoints = input(TestLedger.TOPICS.checkpoints());
        queries = new ProofQueries(
                new ProofQueries.Stores() {
                    @Override
                    public ReadOnlyKeyValueStore<Bytes, byte[]> shard(int number) {
                        return ProofsTopologyTest.this.store(ProofsTopology.SHARD_STORE);
                    }

                    @Override
                    public boolean settling() {
                        return false;
                    }

                    @Override
                    public ReadOnlyKeyValueStore<Bytes, byte[]> ledger() {
                        return ProofsTopologyTest.this.store(ProofsTopology.LEDGER_STORE);
                    }
                },
                ledger.definition(),
                Optional.empty());
    }

    @AfterEach
    void stop() {
        driver.close();
    }

    private KeyValueStore<Bytes, byte[]> store(String name) {
        if (stopped) {
            askedWhenStopped++;
            throw new StreamsStoppedException("stopped");
        }
        if (storesMovedAway || askedInVain-- > 0) {
            throw new InvalidStateStoreException("moved");
        }
        return driver.getKeyValueStore(name);
    }

    private TestInputTopic<Bytes, byte[]> input(String topic) {
        return driver.createInputTopic(topic, new BytesSerializer(), new ByteArraySerializer());
    }

    private void pipe(List<Sealed> deltas) {
        deltas.forEach(delta -> sealed.pipeInput(SealedShard.encode(delta)));
    }

    private void publish(ShardHead head) {
        epochs.publish(List.of(head)).forEach(this::checkpoint);
    }

    private void checkpoint(byte[] value) {
        checkpoints.pipeInput(Bytes.wrap(new byte[] {'0'}), value);
    }

    /** A shard sealed in random steps; every third head is published. */
    private List<Integer> givenPublishedSizes() {
        System.out.println("seed " + seed);
        List<Integer> published = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            ShardHead head = shard.grow(1 + random.nextInt(60)).seal();
            if (i % 3 == 0) {
                publish(head);
                published.add((int) head.size().value());
            }
        }
        publish(shard.seal());
        published.add((int) shard.seal().size().value());
        pipe(shard.deltas);
        return published;
    }

    private static Map<String, Object> members(Answer answer) {
        assertThat(answer).isInstanceOf(Answer.Json.class);
        return ((Answer.Json) answer).members();
    }

    @SuppressWarnings("unchecked")
    private static List<Hash> path(Answer answer) throws InvalidFormat {
        List<Hash> path = new ArrayList<>();
        for (String hash : (List<String>) members(answer).get("path")) {
            path.add(Hash.ofBase64(hash));
        }
        return path;
    }

    // ---- shards

    @Test
    void provesEveryLeafInEveryPublishedSize() throws InvalidFormat {
        // given
        List<Integer> published = givenPublishedSizes();

        for (int size : published) {
            for (int index = 0; index < size; index += 1 + random.nextInt(40)) {
                // when
                Answer answer = queries.shardInclusion(0, new LeafIndex(index), new TreeSize(size));

                // then
                assertThat(members(answer))
                        .containsEntry("leafHash", shard.hash(index).base64());
                assertThat(Proofs.verifyInclusion(
                                new LeafIndex(index),
                                new TreeSize(size),
                                shard.hash(index),
                                path(answer),
                                shard.rootAt(size)))
                        .as("leaf %d in %d, seed %d", index, size, seed)
                        .isTrue();
            }
        }
    }

    @Test
    void provesThatEveryPublishedSizeExtendsTheOnesBefore() throws InvalidFormat {
        // given
        List<Integer> published = givenPublishedSizes();

        for (int first : published) {
            for (int second : published.subList(published.indexOf(first), published.size())) {
                // when
                Answer answer = queries.shardConsistency(0, new TreeSize(first), new TreeSize(second));

                // then
                assertThat(Proofs.verifyConsistency(
                                new TreeSize(first),
                                new TreeSize(second),
                                path(answer),
                                shard.rootAt(first),
                                shard.rootAt(second)))
                        .as("%d to %d, seed %d", first, second, seed)
                        .isTrue();
            }
        }
    }

    @Test
    void provesNothingAboutASizeThatWasNotPublished() {
        // given
        shard.grow(20).seal();
        publish(shard.grow(10).seal());
        pipe(shard.deltas);

        // when, then
        Answer refused = new Answer.BadRequest("size-not-published");
        assertThat(queries.shardInclusion(0, new LeafIndex(3), new TreeSize(21)))
                .isEqualTo(refused);
        assertThat(queries.shardConsistency(0, new TreeSize(21), new TreeSize(31)))
                .isEqualTo(refused);
        assertThat(queries.shardConsistency(0, new TreeSize(31), new TreeSize(32)))
                .isEqualTo(refused);
        assertThat(queries.shardInclusion(0, new LeafIndex(3), new TreeSize(31)))
                .isInstanceOf(Answer.Json.class);
        assertThat(queries.shardInclusion(0, new LeafIndex(31), new TreeSize(31)))
                .isEqualTo(new Answer.BadRequest("index-not-below-size"));
    }

    @Test
    void servesTilesOfPublishedSizesOnly() {
        // given: 300 leaves published, 40 more sealed
        publish(shard.grow(299).seal());
        shard.grow(40).seal();
        pipe(shard.deltas);

        // when, then
        assertThat(queries.shardTile(0, "0/000")).isInstanceOfSatisfying(Answer.Raw.class, raw -> {
            assertThat(raw.bytes()).hasSize(Tile.FULL_SIZE_BYTES);
            assertThat(Hash.of(raw.bytes(), 32 * 77)).isEqualTo(shard.hash(77));
        });
        assertThat(queries.shardTile(0, "0/001.p/44"))
                .isInstanceOfSatisfying(
                        Answer.Raw.class,
                        raw -> assertThat(Hash.of(raw.bytes(), 32 * 43)).isEqualTo(shard.hash(299)));
        assertThat(queries.shardTile(0, "1/000.p/1"))
                .isInstanceOfSatisfying(
                        Answer.Raw.class,
                        raw -> assertThat(Hash.of(raw.bytes())).isEqualTo(shard.rootAt(256)));
        assertThat(queries.shardTile(0, "0/001.p/60")).isEqualTo(new Answer.NotFound("not-published"));
        assertThat(queries.shardTile(0, "0/002")).isEqualTo(new Answer.NotFound("not-published"));
        assertThat(queries.shardTile(0, "entries/000")).isEqualTo(new Answer.BadRequest("tile-path"));
        assertThat(queries.shardTile(0, "0/../secret")).isEqualTo(new Answer.BadRequest("tile-path"));
    }

    @Test
    void findsWhatBecameOfEachOffset() {
        // given: offset 0 genesis, 1 event, 2 retry, 3 misrouted control, 4 conflict, 5 a marker, 6 event, 7 retry
        byte[] event = ledger.eventValue(0, "a", "x");
        shard.accept(1, event)
                .accept(2, event)
                .accept(3, ledger.rulesValue(0, 9, 512))
                .accept(4, ledger.eventValue(0, "a", "other"))
                .accept(6, ledger.eventValue(0, "b", "x"))
                .accept(7, event)
                .seal();
        pipe(shard.deltas);
        for (Outcome outcome : shard.outcomes) {
            assertThat(queries.position(0, outcome.getOffset()))
                    .as("the outcome may come after the delta")
                    .isEqualTo(new Answer.Json(Map.of("status", "pending", "nextOffset", 8L)));
            outcomes.pipeInput(SealedShard.encode(outcome));
        }

        // when, then
        assertThat(members(queries.position(0, 0)))
                .isEqualTo(Map.of("status", "leaf", "kind", "genesis", "leafIndex", 0L));
        assertThat(members(queries.position(0, 1)))
                .isEqualTo(Map.of("status", "leaf", "kind", "event", "leafIndex", 1L));
        assertThat(members(queries.position(0, 2))).isEqualTo(Map.of("status", "duplicate", "reference", 1L));
        assertThat(members(queries.position(0, 3)))
                .isEqualTo(Map.of("status", "rejected", "reason", "invalid-control"));
        assertThat(members(queries.position(0, 4)))
                .isEqualTo(Map.of("status", "leaf", "kind", "conflict", "leafIndex", 2L));
        assertThat(members(queries.position(0, 5))).isEqualTo(Map.of("status", "unknown"));
        assertThat(members(queries.position(0, 6)))
                .isEqualTo(Map.of("status", "leaf", "kind", "event", "leafIndex", 3L));
        assertThat(members(queries.position(0, 8))).isEqualTo(Map.of("status", "pending", "nextOffset", 8L));
        assertThat(queries.position(1, 0)).isEqualTo(new Answer.NotFound("no-shard-1"));
    }

    @Test
    void findsOffsetsInDeltasOfManyTiles() {
        // given
        givenPublishedSizes();

        for (int offset = 0; offset < shard.nextOffset(); offset++) {
            // when, then: without duplicates every offset is its leaf
            assertThat(members(queries.position(0, offset))).containsEntry("leafIndex", (long) offset);
        }
    }

    @Test
    void takesRepeatsOfItsInputWithoutAnyChange() {
        // given
        givenPublishedSizes();
        Map<Bytes, ByteBuffer> once = content(ProofsTopology.SHARD_STORE);

        // when
        pipe(shard.deltas);
        pipe(shard.deltas.subList(3, 9));

        // then
        assertThat(content(ProofsTopology.SHARD_STORE)).isEqualTo(once);
    }

    private Map<Bytes, ByteBuffer> content(String name) {
        Map<Bytes, ByteBuffer> content = new TreeMap<>();
        try (KeyValueIterator<Bytes, byte[]> all = store(name).all()) {
            while (all.hasNext()) {
                KeyValue<Bytes, byte[]> entry = all.next();
                content.put(entry.key, ByteBuffer.wrap(entry.value));
            }
        }
        return content;
    }

    @Test
    void stopsAtADeltaThatRewritesAHash() {
        // given
        shard.grow(5).seal();
        pipe(shard.deltas);
        Sealed delta = shard.deltas.get(0);
        byte[] hashes = new byte[delta.getHashes().remaining()];
        delta.getHashes().duplicate().get(hashes);
        hashes[40] ^= 1;
        delta.setHashes(ByteBuffer.wrap(hashes));

        // when, then
        assertThatThrownBy(() -> pipe(shard.deltas))
                .rootCause()
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("history was rewritten");
    }

    @Test
    void stopsAtADeltaBeforeWhichOthersAreMissing() {
        // given
        shard.grow(5).seal();
        shard.grow(5).seal();

        // when, then
        assertThatThrownBy(() -> pipe(shard.deltas.subList(1, 2)))
                .rootCause()
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("begins at leaf 6, known are 0");
    }

    @Test
    void doesNotReadAnotherGeneration() {
        // given
        shard.grow(5).seal();
        shard.deltas.forEach(delta -> delta.setGeneration(2));

        // when
        pipe(shard.deltas);

        // then
        assertThat(members(queries.position(0, 1))).containsEntry("status", "pending");
    }

    @Test
    void sendsTheCallerElsewhereWhenItHasNoCopy() {
        // given
        givenPublishedSizes();
        storesMovedAway = true;

        // when, then
        assertThat(queries.position(0, 1)).isEqualTo(new Answer.NotHere());
        assertThat(queries.shardTile(0, "0/000")).isEqualTo(new Answer.NotHere());
        assertThat(queries.epoch(null)).isEqualTo(new Answer.NotHere());
    }

    @Test
    void waitsForACopyThatWasThereAMomentAgo() {
        // given
        givenPublishedSizes();
        Answer before = queries.position(0, 1);

        // when: it becomes active from standby, and nothing says so yet
        askedInVain = 5;
        Answer after = queries.position(0, 1);

        // then
        assertThat(after).isEqualTo(before).isInstanceOf(Answer.Json.class);
    }

    @Test
    void doesNotWaitForACopyOfAnInstanceThatStops() {
        // given
        givenPublishedSizes();
        queries.position(0, 1);

        // when
        stopped = true;
        Answer answer = queries.position(0, 1);

        // then
        assertThat(answer).isEqualTo(new Answer.NotHere());
        assertThat(askedWhenStopped).isEqualTo(1);
    }

    @Test
    void doesNotWaitForACopyThatNeverWasThere() {
        // given
        givenPublishedSizes();

        // when
        askedInVain = 1;
        Answer answer = queries.position(0, 1);

        // then
        assertThat(answer).isEqualTo(new Answer.NotHere());
    }

    @Test
    void sendsTheCallerElsewhereWhenItsCopyIsBehindWhatIsPublished() {
        // given: the epoch came before the deltas
        publish(shard.grow(20).seal());

        // when, then
        assertThat(queries.shardInclusion(0, new LeafIndex(3), new TreeSize(21)))
                .isEqualTo(new Answer.NotHere());
        assertThat(queries.shardTile(0, "0/000.p/21")).isEqualTo(new Answer.NotHere());
    }

    // ---- ledger log

    @Test
    void namesTheFirstEpochThatCoversALeaf() {
        // given: sizes 11, 11 again, 31
        publish(shard.grow(10).seal());
        publish(shard.seal());
        publish(shard.grow(20).seal());

        // when, then
        assertThat(members(queries.covering(0, new LeafIndex(0)))).containsEntry("epoch", 0L);
        assertThat(members(queries.covering(0, new LeafIndex(10)))).containsEntry("epoch", 0L);
        assertThat(members(queries.covering(0, new LeafIndex(11)))).containsEntry("epoch", 2L);
        assertThat(members(queries.covering(0, new LeafIndex(30)))).containsEntry("epoch", 2L);
        assertThat(queries.covering(0, new LeafIndex(31))).isEqualTo(new Answer.NotFound("not-published"));
        assertThat(queries.covering(0, new LeafIndex(-1))).isEqualTo(new Answer.NotFound("not-published"));
        assertThat(members(queries.epoch(2L)))
                .containsEntry("segment", "segment-2")
                .containsEntry("payloads", "payloads-2")
                .containsKeys("epochLeaf", "heads", "note");
        assertThat(members(queries.epoch(null))).containsEntry("epoch", 2L);
        assertThat(queries.epoch(3L)).isEqualTo(new Answer.NotFound("not-published"));
    }

    @Test
    void answersManyAtTheSameTime() {
        // given
        for (int i = 0; i < 20; i++) {
            publish(shard.grow(1).seal());
        }
        List<Answer> alone = LongStream.range(0, 20).mapToObj(queries::epoch).toList();

        // when
        List<Answer> together = IntStream.range(0, 4_000)
                .parallel()
                .mapToObj(i -> queries.epoch((long) i % 20))
                .toList();

        // then
        for (int i = 0; i < together.size(); i++) {
            assertThat(together.get(i)).isEqualTo(alone.get(i % 20));
        }
    }

    @Test
    void provesEpochsInTheLedgerLog() throws InvalidFormat {
        // given
        for (int i = 0; i < 300; i++) {
            publish(shard.grow(1).seal());
        }

        for (int size : List.of(1, 2, 255, 256, 257, 300)) {
            for (int epoch : List.of(0, size / 2, size - 1)) {
                // when
                Answer answer = queries.ledgerInclusion(new LeafIndex(epoch), new TreeSize(size));

                // then
                assertThat(Proofs.verifyInclusion(
                                new LeafIndex(epoch),
                                new TreeSize(size),
                                epochs.leafHash(epoch),
                                path(answer),
                                epochs.rootAt(size)))
                        .isTrue();
            }
            assertThat(Proofs.verifyConsistency(
                            new TreeSize(size),
                            new TreeSize(300),
                            path(queries.ledgerConsistency(new TreeSize(size), new TreeSize(300))),
                            epochs.rootAt(size),
                            epochs.rootAt(300)))
                    .isTrue();
        }
        assertThat(queries.ledgerInclusion(new LeafIndex(0), new TreeSize(301)))
                .isEqualTo(new Answer.BadRequest("size-not-published"));
        assertThat(queries.ledgerTile("0/001.p/45")).isEqualTo(new Answer.NotFound("not-published"));
        assertThat(queries.ledgerTile("0/001.p/44")).isInstanceOf(Answer.Raw.class);
    }

    @Test
    void servesTheNewestNotes() {
        // given
        assertThat(queries.ledgerCheckpoint()).isEqualTo(new Answer.NotFound("not-published"));
        assertThat(queries.shardCheckpoint(0)).isEqualTo(new Answer.NotFound("not-published"));
        publish(shard.grow(10).seal());
        publish(shard.grow(10).seal());
        checkpoint(PublishedEpochs.shardNote(0, 0, 11, "older"));
        checkpoint(PublishedEpochs.shardNote(1, 0, 21, "newer"));

        // when, then
        assertThat(queries.ledgerCheckpoint())
                .isInstanceOfSatisfying(
                        Answer.Raw.class,
                        raw -> assertThat(new String(raw.bytes(), StandardCharsets.UTF_8))
                                .startsWith(TestLedger.ORIGIN + "\n2\n"
                                        + epochs.rootAt(2).base64() + "\n\n"));
        assertThat(queries.shardCheckpoint(0))
                .isInstanceOfSatisfying(
                        Answer.Raw.class,
                        raw -> assertThat(raw.bytes()).asString().isEqualTo("newer"));
    }

    /** From then on nobody verifies what this one's sequencer seals. */
    @Test
    void stopsOnceANewerGenerationPublishes() {
        // given
        publish(shard.grow(3).seal());
        List<byte[]> newer = epochs.publish(List.of(shard.grow(3).seal()), 2);

        // when, then
        assertThatThrownBy(() -> newer.forEach(this::checkpoint))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("published from generation 2, this process is of generation 1");
    }

    @Test
    void stopsAtACheckpointRecordThatARestoreWouldLeaveOut() {
        byte[] value = epochs.publish(List.of(shard.grow(3).seal())).get(0);

        assertThatThrownBy(() -> checkpoints.pipeInput(null, value))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("without a key");
    }
}
