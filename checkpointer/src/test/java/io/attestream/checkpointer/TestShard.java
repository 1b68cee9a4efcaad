// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/** One partition of {@code events} with its honest sequencer beside it. Offsets have gaps, as under transactions. */
final class TestShard {
    record Committed(long offset, long timestampMillis, byte @Nullable [] value) {}

    final int shard;
    final TestLedger ledger;
    TestSequencer sequencer;
    /** As it was in front of the topic's first record. */
    private TestSequencer first;

    final List<Committed> records = new ArrayList<>();
    private long offset;

    TestShard(TestLedger ledger, int shard) {
        this.ledger = ledger;
        this.shard = shard;
        this.first = new TestSequencer(shard);
        this.sequencer = first.goingOn(1, 1);
        append(ledger.genesisValue(shard));
    }

    /** As a consumer hands it over. */
    static ConsumerRecord<byte[], byte[]> read(TopicPartition from, Committed record) {
        return new ConsumerRecord<>(
                from.topic(),
                from.partition(),
                record.offset(),
                record.timestampMillis(),
                TimestampType.LOG_APPEND_TIME,
                ConsumerRecord.NULL_SIZE,
                ConsumerRecord.NULL_SIZE,
                null,
                record.value(),
                new RecordHeaders(),
                Optional.empty());
    }

    /** Appends a committed record and has it sequenced. */
    Committed append(byte[] value) {
        Committed record = new Committed(offset, 1_700_000_000_000L + LedgerOffset.kafka(offset), value);
        records.add(record);
        sequencer.process(record.offset(), record.timestampMillis(), value);
        offset++;
        return record;
    }

    Committed event(String id, String payload) {
        return append(ledger.eventValue(shard, id, payload));
    }

    /** A transaction marker or aborted batch: takes offsets, is no record. */
    void marker() {
        offset++;
    }

    SealedDelta seal() {
        return sequencer.seal();
    }

    long endOffset() {
        return offset;
    }

    ShardReplica replica(long unpublishedBytesMax) {
        return new ShardReplica(
                shard,
                sequencer.incarnation,
                sequencer.generation,
                new ShardDecider(shard, ledger.ledger, sequencer.incarnation),
                unpublishedBytesMax);
    }

    /** Goes on from a snapshot. */
    ShardReplica resumed(StoredSnapshots.Stored snapshot) {
        try {
            StoredSnapshots.Shard stored = snapshot.shards().get(shard);
            return ShardReplica.resumed(
                    stored.state(),
                    snapshot.manifest().generation(),
                    sequencer.incarnation,
                    sequencer.generation,
                    ShardDecider.resumed(shard, ledger.ledger, sequencer.incarnation, stored),
                    1 << 30);
        } catch (IOException | InvalidFormat e) {
            throw new AssertionError(e);
        }
    }

    /** The topic is gone; of what was in it only that below a published head is known, and a genesis goes on from there. */
    void loseTopic(ShardHead published, int incarnation, int generation, byte[] genesis) {
        TestSequencer known = first.goingOn(sequencer.incarnation, sequencer.generation);
        records.stream()
                .filter(record -> record.offset() < published.nextOffset())
                .forEach(record -> known.process(record.offset(), record.timestampMillis(), record.value()));
        sequencer = known.goingOn(incarnation, generation);
        first = known;
        records.clear();
        offset = LedgerOffset.first(incarnation);
        append(genesis);
        seal();
    }

    /** Sequences all records again, from nothing, as a new generation that seals after every so many records. */
    void restore(int generation, int recordsInADelta) {
        sequencer = first.goingOn(sequencer.incarnation, generation);
        for (int i = 0; i < records.size(); i++) {
            Committed record = records.get(i);
            sequencer.process(record.offset(), record.timestampMillis(), record.value());
            if ((i + 1) % recordsInADelta == 0) {
                seal();
            }
        }
        seal();
    }

    /** Goes on in a new generation with the state of a published head: only what is behind it is sequenced again. */
    void restoreFrom(ShardHead published, int generation, int recordsInADelta) {
        TestSequencer known = first.goingOn(sequencer.incarnation, sequencer.generation);
        records.stream()
                .filter(record -> record.offset() < published.nextOffset())
                .forEach(record -> known.process(record.offset(), record.timestampMillis(), record.value()));
        sequencer = known.goingOn(sequencer.incarnation, generation);
        List<Committed> behind = records.stream()
                .filter(record -> record.offset() >= published.nextOffset())
                .toList();
        for (int i = 0; i < behind.size(); i++) {
            Committed record = behind.get(i);
            sequencer.process(record.offset(), record.timestampMillis(), record.value());
            if ((i + 1) % recordsInADelta == 0) {
                seal();
            }
        }
        seal();
    }

    /** Hands everything there is to a replica. */
    void feed(ShardReplica replica) {
        feedEvents(replica);
        sequencer.outcomes.forEach(replica::onOutcome);
        sequencer.deltas.forEach(replica::onSealed);
    }

    void feedEvents(ShardReplica replica) {
        records.forEach(record -> replica.onEvent(record.offset(), record.timestampMillis(), record.value()));
        replica.onEventsReadTo(offset);
    }

    /** A small shard with every outcome: genesis, events, a duplicate, a conflict, a rejection, a marker between. */
    static TestShard withEveryOutcome(TestLedger ledger, int shard) {
        TestShard made = new TestShard(ledger, shard);
        made.event("a", "payload a");
        made.event("b", "payload b");
        made.marker();
        made.event("a", "payload a");
        made.event("b", "another payload");
        made.append(new byte[] {0, 0, 0, 0, 1, 99});
        made.event("c", "payload c");
        made.marker();
        return made;
    }
}
