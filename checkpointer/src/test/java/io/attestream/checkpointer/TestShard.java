// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
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
    final List<Committed> records = new ArrayList<>();
    private long offset;

    TestShard(TestLedger ledger, int shard) {
        this.ledger = ledger;
        this.shard = shard;
        this.sequencer = new TestSequencer(shard);
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
        Committed record = new Committed(offset, 1_700_000_000_000L + offset, value);
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
                shard, 1, sequencer.generation, new ShardDecider(shard, ledger.ledger, 1), unpublishedBytesMax);
    }

    /** Goes on from a snapshot. */
    ShardReplica resumed(StoredSnapshots.Shard stored) {
        try {
            return ShardReplica.resumed(
                    stored.state(),
                    1,
                    sequencer.generation,
                    ShardDecider.resumed(shard, ledger.ledger, 1, stored),
                    1 << 30);
        } catch (IOException | InvalidFormat e) {
            throw new AssertionError(e);
        }
    }

    /** Sequences all records again, from nothing, as a new generation that seals after every so many records. */
    void restore(int generation, int recordsInADelta) {
        sequencer = new TestSequencer(shard, generation);
        for (int i = 0; i < records.size(); i++) {
            Committed record = records.get(i);
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
