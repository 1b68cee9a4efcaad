// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.schemas.Topics;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/**
 * Settles who of several checkpointers works: the one to which a consumer group gives topic {@code checkpoints}, until it is
 * gone. It keeps them from taking the topic away from each other, and is no lock: what keeps two from publishing is the
 * transactional id ({@link KafkaCheckpointLog}). Who loses its turn because it stood still is told by that when it writes.
 */
final class Turn implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration CLOSE_WAIT = Duration.ofSeconds(5);

    private final KafkaConsumer<byte[], byte[]> member;
    private final Thread polling;
    private final CountDownLatch came = new CountDownLatch(1);
    private volatile boolean joined;
    private volatile boolean closed;
    private volatile @Nullable KafkaException failure;

    private Turn(KafkaConsumer<byte[], byte[]> member, String topic) {
        this.member = member;
        this.polling = new Thread(() -> poll(topic), "turn");
        polling.setDaemon(true);
    }

    /** Joins the group; returns at once. */
    static Turn join(KafkaClients clients, Topics topics) {
        Turn turn = new Turn(clients.member(topics.checkpointerGroup()), topics.checkpoints());
        turn.polling.start();
        return turn;
    }

    /**
     * Waits for the turn to come; once it came, this returns true for ever.
     *
     * @throws FatalDoubtException if the group cannot be joined
     */
    boolean await(long millis) throws InterruptedException {
        boolean mine = came.await(millis, TimeUnit.MILLISECONDS);
        KafkaException reason = failure;
        if (!mine && reason != null) {
            throw new FatalDoubtException("nobody can tell whose turn it is: " + reason.getMessage(), reason);
        }
        return mine;
    }

    /** Whether another one is known to have it, and this one would be the next. */
    boolean isOfAnother() {
        return joined && came.getCount() > 0 && failure == null;
    }

    private void poll(String topic) {
        try (member) {
            member.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    member.pause(partitions); // nothing is read, the membership is all
                    if (!partitions.isEmpty()) {
                        came.countDown();
                    }
                    joined = true;
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}
            });
            while (!closed) {
                member.poll(POLL);
            }
        } catch (WakeupException e) {
            // closed
        } catch (KafkaException e) {
            failure = e;
        }
    }

    /** Leaves the group, so that the next one need not wait. */
    @Override
    public void close() throws InterruptedException {
        closed = true;
        member.wakeup();
        polling.join(CLOSE_WAIT.toMillis());
    }
}
