// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.avro.ShardNotes;
import io.attestream.schemas.wire.ConfluentWire;
import io.attestream.schemas.wire.SchemaBook;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class PublishedEndsTest {
    private static final Topics TOPICS = new Topics("test");
    private static final TopicPartition CHECKPOINTS = new TopicPartition(TOPICS.checkpoints(), 0);
    private static final SchemaBook SCHEMAS = new SchemaBook(SchemaRegistrar.withoutRegistry());
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final NoteSigner KEY = NoteSigner.generate("example.com/log", new SecureRandom());

    private final ConfluentWire<CheckpointRecord> wire =
            new ConfluentWire<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, SCHEMAS);
    private final List<byte[]> written = new ArrayList<>();

    private static LedgerDefinition ledger(int incarnation) {
        List<Genesis> genesis = new ArrayList<>();
        for (int shard = 0; shard < 2; shard++) {
            genesis.add(new Genesis(
                    KEY.keyName(),
                    KEY.verifier().vkey(),
                    shard,
                    incarnation,
                    "cluster",
                    TOPICS.events(),
                    "id",
                    2,
                    Rules.initial(List.of()),
                    SCHEMAS.texts(),
                    incarnation == 1 ? Optional.empty() : Optional.of(new Prior(0, new TreeSize(0), List.of()))));
        }
        return new LedgerDefinition(KEY.keyName(), KEY.verifier(), genesis, SCHEMAS);
    }

    private void published(long epoch, long... nextOffsets) {
        List<ByteBuffer> heads = new ArrayList<>();
        for (int shard = 0; shard < nextOffsets.length; shard++) {
            heads.add(ByteBuffer.wrap(
                    new ShardHead(shard, new TreeSize(0), Rfc6962.EMPTY_ROOT, nextOffsets[shard]).encode()));
        }
        write(Published.newBuilder()
                .setEpoch(epoch)
                .setEpochLeaf(ByteBuffer.allocate(0))
                .setHeads(heads)
                .setNote("")
                .setSegment("")
                .setPayloads("")
                .setGeneration(1)
                .build());
    }

    private void shardNotes(int count) {
        for (int i = 0; i < count; i++) {
            write(ShardNotes.newBuilder().setEpoch(0).setNotes(List.of()).build());
        }
    }

    private void write(Object body) {
        written.add(wire.encode(CheckpointRecord.newBuilder().setBody(body).build()));
    }

    /** Has the records from where it is told to read on. */
    private long[] read(LedgerDefinition ledger) throws InvalidFormat {
        try (MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("none") {
            @Override
            public synchronized void seek(TopicPartition partition, long offset) {
                super.seek(partition, offset);
                for (int at = (int) offset; at < written.size(); at++) {
                    addRecord(new ConsumerRecord<>(partition.topic(), 0, at, new byte[0], written.get(at)));
                }
            }
        }) {
            consumer.updateBeginningOffsets(Map.of(CHECKPOINTS, 0L));
            consumer.updateEndOffsets(Map.of(CHECKPOINTS, (long) written.size()));
            return new PublishedEnds(consumer, TOPICS, ledger, PATIENCE).read();
        }
    }

    @Test
    void nothingIsPublishedInAYoungLedger() throws InvalidFormat {
        assertThat(read(ledger(1))).containsExactly(0, 0);
    }

    @Test
    void theNewestPublicationCountsHoweverMuchElseIsBehindIt() throws InvalidFormat {
        // given
        published(0, 3, 4);
        published(1, 30, 40);
        shardNotes(100);

        // when, then
        assertThat(read(ledger(1))).containsExactly(30, 40);
    }

    @Test
    void offsetsOfATopicThatWasLostAreNotThoseOfTheOneThatReplacedIt() throws InvalidFormat {
        // given: the second incarnation published something of shard 1 only
        published(5, 1_000, LedgerOffset.of(2, 7));

        // when, then
        assertThat(read(ledger(2))).containsExactly(0, 7);
    }

    @Test
    void whatIsNoRecordOfTheLedgerIsNotPassedOver() {
        // given
        published(0, 3, 4);
        written.add(new byte[] {1, 2, 3});

        // when, then
        assertThatThrownBy(() -> read(ledger(1)))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("test.checkpoints-0 offset 1");
    }
}
