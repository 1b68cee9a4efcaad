// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.tile.TilePath;
import io.attestream.schemas.Topics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntToLongFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes the records of topics {@code sealed} and {@code outcomes} that nobody needs any more: those before the oldest kept
 * snapshot whose leaves are in logged packs, and which the proofs topology has committed to have read. They follow from topic
 * {@code events}: a new generation makes its own. Of {@code events} and {@code checkpoints} nothing is ever deleted.
 */
final class ClaimsTrimmer implements Snapshots.Trimmer {
    private static final Logger LOG = LoggerFactory.getLogger(ClaimsTrimmer.class);
    private static final long TIMEOUT_SECONDS = 30;

    private final KafkaClients clients;
    private final Topics topics;
    private final String proofsGroup;
    private final IntToLongFunction packedTo;

    /**
     * @param generation of the processors
     * @param packedTo the index behind a shard's last leaf in a logged pack
     */
    ClaimsTrimmer(KafkaClients clients, Topics topics, int generation, IntToLongFunction packedTo) {
        this.clients = clients;
        this.topics = topics;
        this.proofsGroup = topics.proofsGroup(generation);
        this.packedTo = packedTo;
    }

    @Override
    public void trim(List<ShardSnapshot> oldestKept) throws InterruptedException {
        try (Admin admin = Admin.create(clients.common())) {
            Map<TopicPartition, OffsetAndMetadata> read = admin.listConsumerGroupOffsets(proofsGroup)
                    .partitionsToOffsetAndMetadata()
                    .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            admin.deleteRecords(deletable(oldestKept, read)).all().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn(
                    "topics sealed and outcomes were not trimmed, tried again after the next snapshot: {}",
                    e.toString());
        }
    }

    /** A pack ends at a multiple of 256: the up to 255 leaves behind it are in segments. */
    private static long wholeTiles(ShardSnapshot state) {
        return state.head().size().value() / TilePath.FULL_WIDTH * TilePath.FULL_WIDTH;
    }

    /** @param read what the proofs topology has committed to have read */
    Map<TopicPartition, RecordsToDelete> deletable(
            List<ShardSnapshot> oldestKept, Map<TopicPartition, OffsetAndMetadata> read) {
        Map<TopicPartition, RecordsToDelete> deletable = new HashMap<>();
        for (ShardSnapshot state : oldestKept) {
            int shard = state.head().shard();
            if (packedTo.applyAsLong(shard) >= wholeTiles(state)) {
                put(deletable, read, new TopicPartition(topics.sealed(), shard), state.sealedOffset());
                put(deletable, read, new TopicPartition(topics.outcomes(), shard), state.outcomesOffset());
            }
        }
        return deletable;
    }

    private static void put(
            Map<TopicPartition, RecordsToDelete> deletable,
            Map<TopicPartition, OffsetAndMetadata> read,
            TopicPartition partition,
            long before) {
        OffsetAndMetadata committed = read.get(partition);
        if (committed != null && before > 0 && committed.offset() >= before) {
            deletable.put(partition, RecordsToDelete.beforeOffset(before));
        }
    }
}
