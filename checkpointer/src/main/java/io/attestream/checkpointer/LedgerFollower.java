// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.schemas.Topics;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reading thread: topics {@code events}, {@code sealed} and {@code outcomes} from their first records on, or from those behind
 * a snapshot, committed records only, into the {@link Backlog}. Pauses a partition whose replica holds enough.
 */
final class LedgerFollower implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(LedgerFollower.class);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration ASK_TIMEOUT = Duration.ofSeconds(5);
    private static final int FETCH_BYTES_MAX = 4 << 20;

    private final Consumer<byte[], byte[]> consumer;
    private final String events;
    private final String sealed;
    private final String outcomes;
    private final ProcessorRecords codec;
    private final Backlog backlog;
    private final LongSupplier clockMillis;
    private final Set<TopicPartition> paused = new HashSet<>();
    private final List<TopicPartition> partitions = new ArrayList<>();
    private final Set<Integer> stoppedShards = new HashSet<>();
    private int newestGeneration;
    private long askAgainMillis;
    /** The consumer's own count of fetches that were answered. */
    private @Nullable Metric fetches;

    private double answers;
    private volatile boolean stopping;
    private volatile long lastPollMillis;

    LedgerFollower(
            KafkaClients clients, Topics topics, ProcessorRecords codec, Backlog backlog, LongSupplier clockMillis) {
        this(clients.reader(FETCH_BYTES_MAX), topics, codec, backlog, clockMillis);
    }

    LedgerFollower(
            Consumer<byte[], byte[]> consumer,
            Topics topics,
            ProcessorRecords codec,
            Backlog backlog,
            LongSupplier clockMillis) {
        this.consumer = consumer;
        this.events = topics.events();
        this.sealed = topics.sealed();
        this.outcomes = topics.outcomes();
        this.codec = codec;
        this.backlog = backlog;
        this.clockMillis = clockMillis;
        this.lastPollMillis = clockMillis.getAsLong();
        this.newestGeneration = backlog.look(0, ShardReplica::newestGeneration);
        for (int shard = 0; shard < backlog.shards(); shard++) {
            partitions.add(new TopicPartition(events, shard));
            partitions.add(new TopicPartition(sealed, shard));
            partitions.add(new TopicPartition(outcomes, shard));
        }
    }

    /** What its consumer tells. */
    KafkaClientMetrics metrics() {
        return new KafkaClientMetrics(consumer);
    }

    @Override
    public void run() {
        try (consumer) {
            begin();
            while (!stopping) {
                pauseAndResume();
                read(consumer.poll(POLL));
                noteAnswers();
                lastPollMillis = clockMillis.getAsLong();
            }
            backlog.readingEnded(null);
        } catch (WakeupException e) {
            backlog.readingEnded(null);
        } catch (FatalDoubtException e) {
            backlog.readingEnded(e);
        } catch (KafkaException e) {
            backlog.readingEnded(new FatalDoubtException("topics could not be read: " + e.getMessage(), e));
        } catch (RuntimeException | Error e) {
            LOG.error("reading ended by a bug", e);
            backlog.readingEnded(e);
        }
    }

    /** Ends {@link #run} soon; from any thread. */
    void stop() {
        stopping = true;
        consumer.wakeup();
    }

    /** When a poll last returned, on the clock given. */
    long lastPollMillis() {
        return lastPollMillis;
    }

    /** Each topic where its replica goes on: at its first record, or behind a snapshot. */
    private void begin() {
        consumer.assign(partitions);
        for (Map.Entry<TopicPartition, Long> first :
                consumer.beginningOffsets(partitions).entrySet()) {
            TopicPartition partition = first.getKey();
            long next = backlog.look(partition.partition(), replica -> next(replica, partition.topic()));
            requireThere(partition, first.getValue(), next);
            consumer.seek(partition, Math.max(next, first.getValue()));
        }
    }

    /** A poll that brings nothing may be one that reached nobody. */
    private void noteAnswers() {
        if (fetches == null) {
            fetches = consumer.metrics().values().stream()
                    .filter(metric -> metric.metricName().name().equals("fetch-total"))
                    .findFirst()
                    .orElse(null);
        }
        if (fetches != null && fetches.metricValue() instanceof Double now && now != answers) {
            answers = now;
            backlog.answered();
        }
    }

    private void requireThere(TopicPartition partition, long first, long next) {
        if (partition.topic().equals(events) && first > 0) {
            throw new FatalDoubtException("topic " + partition + " begins at offset " + first
                    + ": its first records were deleted, of which none may ever go. Check retention.ms and cleanup.policy,"
                    + " and restore it");
        }
        // What a new generation needs of the others begins behind what older ones left: its first delta tells.
        if (first > next && !backlog.look(partition.partition(), ShardReplica::beginsANewGeneration)) {
            throw new FatalDoubtException("topic " + partition + " begins at offset " + first
                    + ", needed are its records from offset " + next
                    + " on: what the oldest kept snapshot does not need was"
                    + " deleted. Is attestream.objects.location the store with the snapshots, and is"
                    + " attestream.snapshots.ignored not set? If there is none any more, let the processors make those records"
                    + " again: attestream restore state");
        }
    }

    private long next(ShardReplica replica, String topic) {
        if (topic.equals(events)) {
            return LedgerOffset.kafka(replica.decidedTo());
        }
        ShardReplica.ResumePoint point = replica.resumePoint();
        return topic.equals(sealed) ? point.sealedOffset() : point.outcomesOffset();
    }

    private void read(ConsumerRecords<byte[], byte[]> records) {
        for (TopicPartition partition : records.partitions()) {
            List<ConsumerRecord<byte[], byte[]>> batch = records.records(partition);
            backlog.feed(partition.partition(), replica -> {
                for (ConsumerRecord<byte[], byte[]> record : batch) {
                    feed(replica, record);
                }
            });
        }
        for (int shard = 0; shard < backlog.shards(); shard++) {
            long position = consumer.position(new TopicPartition(events, shard));
            long sealedPosition = consumer.position(new TopicPartition(sealed, shard));
            long outcomesPosition = consumer.position(new TopicPartition(outcomes, shard));
            backlog.feed(shard, replica -> {
                replica.onEventsReadTo(LedgerOffset.of(replica.incarnation(), position));
                replica.onSealedReadTo(sealedPosition);
                replica.onOutcomesReadTo(outcomesPosition);
            });
            requireNothingOverdue(shard);
        }
    }

    private void requireNothingOverdue(int shard) {
        TopicPartition ofEvents = new TopicPartition(events, shard);
        TopicPartition ofOutcomes = new TopicPartition(outcomes, shard);
        try {
            requireNothingOverdue(shard, atEnd(ofEvents), atEnd(ofOutcomes));
        } catch (FatalDoubtException overdue) {
            // The lag is that of the last fetch: brokers that are gone since may hold what is missing.
            Map<TopicPartition, Long> ends = askForEnds(List.of(ofEvents, ofOutcomes));
            requireNothingOverdue(shard, isEnd(ends, ofEvents), isEnd(ends, ofOutcomes));
        }
    }

    private void requireNothingOverdue(int shard, boolean eventsAtEnd, boolean outcomesAtEnd) {
        long now = clockMillis.getAsLong();
        backlog.feed(shard, replica -> replica.requireNothingOverdue(now, eventsAtEnd, outcomesAtEnd));
    }

    private void feed(ShardReplica replica, ConsumerRecord<byte[], byte[]> record) {
        if (record.topic().equals(events)) {
            long offset = LedgerOffset.of(replica.incarnation(), record.offset());
            replica.onEvent(offset, record.timestamp(), record.value());
        } else if (record.topic().equals(sealed)) {
            replica.onSealed(codec.sealed(record.partition(), record.offset(), record.value()));
        } else {
            replica.onOutcome(codec.outcome(record.partition(), record.offset(), record.value()));
        }
    }

    private boolean atEnd(TopicPartition partition) {
        OptionalLong lag = consumer.currentLag(partition);
        return lag.isPresent() && lag.getAsLong() == 0;
    }

    /** Empty if no broker answers; they are not asked again for a while then, so that polling goes on. */
    private Map<TopicPartition, Long> askForEnds(List<TopicPartition> partitions) {
        if (clockMillis.getAsLong() < askAgainMillis) {
            return Map.of();
        }
        try {
            return consumer.endOffsets(partitions, ASK_TIMEOUT);
        } catch (TimeoutException e) {
            askAgainMillis = clockMillis.getAsLong() + ASK_TIMEOUT.toMillis();
            return Map.of();
        }
    }

    private boolean isEnd(Map<TopicPartition, Long> ends, TopicPartition partition) {
        return ends.getOrDefault(partition, Long.MAX_VALUE) <= consumer.position(partition);
    }

    private void pauseAndResume() {
        for (TopicPartition partition : partitions) {
            warnOfNewerGeneration(partition.partition());
            boolean wanted = backlog.look(partition.partition(), replica -> wants(replica, partition.topic()));
            if (!wanted && partition.topic().equals(events)) {
                logIfStopped(partition.partition());
            }
            if (wanted && paused.remove(partition)) {
                consumer.resume(List.of(partition));
            } else if (!wanted && paused.add(partition)) {
                consumer.pause(List.of(partition));
            }
        }
    }

    /** A wrong setting would look like a ledger in which nothing happens. */
    private void warnOfNewerGeneration(int shard) {
        int seen = backlog.look(shard, ShardReplica::newestGeneration);
        if (seen > newestGeneration) {
            LOG.warn(
                    "topic {} has records of generation {} in shard {}, which are not read: attestream.generation is {}",
                    sealed,
                    seen,
                    shard,
                    newestGeneration);
            newestGeneration = seen;
        }
    }

    private void logIfStopped(int shard) {
        String reason = backlog.look(shard, ShardReplica::stoppedReason);
        if (reason != null && stoppedShards.add(shard)) {
            LOG.error("shard {} stands still, nothing of it is lost: {}. Start a version that knows it", shard, reason);
        }
    }

    private boolean wants(ShardReplica replica, String topic) {
        if (topic.equals(events)) {
            return replica.wantsEvents();
        }
        return topic.equals(sealed) ? replica.wantsSealed() : replica.wantsOutcomes();
    }
}
