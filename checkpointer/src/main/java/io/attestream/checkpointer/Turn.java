// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.schemas.Topics;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.Metric;
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

    /** A member that heard nothing for so long is dead for the group, and cannot know whose turn it is. */
    private static final Duration SILENCE_MAX = Duration.ofSeconds(10);

    private final Consumer<byte[], byte[]> member;
    private final Duration silenceMax;
    private final Thread polling;
    private final CountDownLatch came = new CountDownLatch(1);
    private volatile boolean joined;
    private volatile boolean closed;
    private volatile long heardNanos = System.nanoTime();
    private double heartbeats = -1; // of the polling thread
    private volatile @Nullable Throwable failure;

    private Turn(Consumer<byte[], byte[]> member, String topic, Duration silenceMax) {
        this.member = member;
        this.silenceMax = silenceMax;
        this.polling = new Thread(() -> poll(topic), "turn");
        polling.setDaemon(true);
    }

    /** Joins the group; returns at once. */
    static Turn join(KafkaClients clients, Topics topics) {
        return join(clients.member(topics.checkpointerGroup()), topics.checkpoints(), SILENCE_MAX);
    }

    /** @param silenceMax how long the group may say nothing before it is unknown whose turn it is */
    static Turn join(Consumer<byte[], byte[]> member, String topic, Duration silenceMax) {
        Turn turn = new Turn(member, topic, silenceMax);
        turn.polling.start();
        return turn;
    }

    /**
     * Waits for the turn to come; once it came, this returns true for ever.
     *
     * @throws FatalDoubtException if it can come no more: the group cannot be joined, or what waits for it failed
     */
    boolean await(long millis) throws InterruptedException {
        boolean mine = came.await(millis, TimeUnit.MILLISECONDS);
        Throwable reason = failure;
        if (!mine && reason != null) {
            throw new FatalDoubtException("nobody can tell whose turn it is: " + reason, reason);
        }
        return mine;
    }

    /** Whether another one is known to have it, and this one would be the next: it hears of the group. */
    boolean isOfAnother() {
        return joined
                && came.getCount() > 0
                && failure == null
                && System.nanoTime() - heardNanos < silenceMax.toNanos();
    }

    /** Kafka tells nobody that it does not answer, but counts the heartbeats that were answered. */
    private void listen() {
        for (Metric metric : member.metrics().values()) {
            if (metric.metricName().name().equals("heartbeat-total")
                    && metric.metricValue() instanceof Double answered
                    && answered != heartbeats) {
                heartbeats = answered;
                heardNanos = System.nanoTime();
            }
        }
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
                    heardNanos = System.nanoTime();
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

                @Override
                public void onPartitionsLost(Collection<TopicPartition> partitions) {
                    joined = false;
                }
            });
            while (!closed) {
                member.poll(POLL);
                listen();
            }
        } catch (WakeupException e) {
            // closed
        } catch (Throwable e) {
            failure = e; // whatever it is, this thread polls no more
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
