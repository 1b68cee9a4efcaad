// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Nothing goes that anybody may still need. */
class ClaimsTrimmerTest {
    private static final Topics TOPICS = new Topics("test");
    private static final TopicPartition SEALED = new TopicPartition(TOPICS.sealed(), 0);
    private static final TopicPartition OUTCOMES = new TopicPartition(TOPICS.outcomes(), 0);

    private long packedTo = 512;
    private final Map<TopicPartition, OffsetAndMetadata> read =
            new HashMap<>(Map.of(SEALED, new OffsetAndMetadata(100), OUTCOMES, new OffsetAndMetadata(100)));

    private Map<TopicPartition, RecordsToDelete> deletable(long size, long sealedOffset, long outcomesOffset) {
        ShardSnapshot state = new ShardSnapshot(
                new ShardHead(0, new TreeSize(size), Rfc6962.EMPTY_ROOT, 1_000),
                List.of(),
                Map.of(),
                List.of(),
                0,
                List.of(),
                sealedOffset,
                outcomesOffset,
                0);
        return new ClaimsTrimmer(new KafkaClients(KafkaConnection.of("localhost:1")), TOPICS, 1, shard -> packedTo)
                .deletable(List.of(state), read);
    }

    @Test
    void trimsBeforeTheOldestKeptSnapshot() {
        assertThat(deletable(700, 40, 30))
                .isEqualTo(
                        Map.of(SEALED, RecordsToDelete.beforeOffset(40), OUTCOMES, RecordsToDelete.beforeOffset(30)));
    }

    @Test
    void trimsNothingWhoseLeavesAreNotInPacks() {
        packedTo = 511;
        assertThat(deletable(700, 40, 30)).isEmpty();
    }

    @Test
    void trimsNothingThatProofsHaveNotRead() {
        read.put(SEALED, new OffsetAndMetadata(39));
        assertThat(deletable(700, 40, 30)).containsOnlyKeys(OUTCOMES);
        read.remove(OUTCOMES);
        assertThat(deletable(700, 40, 30)).isEmpty();
    }

    @Test
    void asksForNothingWhenThereIsNothingBefore() {
        assertThat(deletable(700, 0, 0)).isEmpty();
    }
}
