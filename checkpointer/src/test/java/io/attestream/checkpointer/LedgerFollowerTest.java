// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.schemas.Topics;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Says that records were lost only when the brokers, asked at that moment, have no more of them. */
@Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LedgerFollowerTest {
    private static final Topics TOPICS = new Topics("followed");
    private static final TopicPartition EVENTS = new TopicPartition(TOPICS.events(), 0);
    private static final TopicPartition SEALED = new TopicPartition(TOPICS.sealed(), 0);
    private static final TopicPartition OUTCOMES = new TopicPartition(TOPICS.outcomes(), 0);

    private long nowMillis;
    private final TestShard shard = TestShard.withEveryOutcome(new TestLedger(1), 0);
    private final Backlog backlog = new Backlog(List.of(shard.replica(1 << 30)), () -> nowMillis * 1_000_000);
    private final Brokers brokers = new Brokers();
    private LedgerFollower follower;

    /** What was fetched has been read; what the brokers have besides is known to who asks them. */
    private static final class Brokers extends MockConsumer<byte[], byte[]> {
        private final Map<TopicPartition, Long> ends = new HashMap<>();
        private boolean gone;
        private double fetches;

        Brokers() {
            super("none");
            for (TopicPartition partition : List.of(EVENTS, SEALED, OUTCOMES)) {
                updateBeginningOffsets(Map.of(partition, 0L));
                updateEndOffsets(Map.of(partition, 0L));
            }
        }

        void fetched(TopicPartition partition, TestShard.Committed record) {
            addRecord(TestShard.read(partition, record));
            updateEndOffsets(Map.of(partition, record.offset() + 1));
            ends.put(partition, record.offset() + 1);
        }

        @Override
        public Map<MetricName, ? extends Metric> metrics() {
            MetricName name = new MetricName("fetch-total", "consumer-fetch-manager-metrics", "", Map.of());
            return Map.of(name, new Metric() {
                @Override
                public MetricName metricName() {
                    return name;
                }

                @Override
                public Object metricValue() {
                    return fetches;
                }
            });
        }

        @Override
        public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions, Duration timeout) {
            if (gone) {
                throw new TimeoutException("no broker answers");
            }
            Map<TopicPartition, Long> asked = new HashMap<>(ends);
            asked.keySet().retainAll(partitions);
            return asked;
        }
    }

    @BeforeEach
    void sealedIsAheadOfTheOthers() {
        follower =
                new LedgerFollower(brokers, TOPICS, new ProcessorRecords(TestSchemas.BOOK), backlog, () -> nowMillis);
        brokers.schedulePollTask(() -> {
            shard.records.subList(0, shard.records.size() - 1).forEach(record -> brokers.fetched(EVENTS, record));
            brokers.fetched(SEALED, new TestShard.Committed(0, 0, TestSchemas.encode(shard.seal())));
            outcomes();
        });
        brokers.scheduleNopPollTask();
    }

    private void outcomes() {
        List<OutcomeClaim> claims = shard.sequencer.outcomes;
        for (int i = 0; i < claims.size(); i++) {
            brokers.fetched(OUTCOMES, new TestShard.Committed(i, 0, TestSchemas.encode(claims.get(i))));
        }
    }

    private void longAfter(Runnable then) {
        brokers.schedulePollTask(() -> {
            nowMillis += ShardReplica.OVERDUE_MILLIS + 1;
            then.run();
        });
    }

    @Test
    void waitsForBrokersThatAreGoneAndGoesOnWhenTheyAreBack() {
        // given: they are gone for longer than anything may be overdue
        longAfter(() -> brokers.gone = true);
        longAfter(() -> {});
        longAfter(() -> {});

        // when: they are back
        TestShard.Committed last = shard.records.get(shard.records.size() - 1);
        brokers.schedulePollTask(() -> {
            brokers.gone = false;
            brokers.fetched(EVENTS, last);
        });
        brokers.schedulePollTask(follower::stop);
        follower.run();

        // then
        assertThat(backlog.look(0, ShardReplica::newestVerified).head().nextOffset())
                .isEqualTo(last.offset() + 1);
    }

    /** Polls of brokers that are gone come back empty, as those of a ledger in which nothing happens. */
    @Test
    void aPollThatReachedNobodyIsNoAnswer() {
        // given
        brokers.schedulePollTask(() -> {
            nowMillis = 5_000;
            brokers.fetches = 7;
        });

        // when: two polls in which nothing was answered
        brokers.schedulePollTask(() -> nowMillis = 9_000);
        brokers.schedulePollTask(() -> {
            nowMillis = 12_000;
            follower.stop();
        });
        follower.run();

        // then
        assertThat(backlog.sinceAnswered()).isEqualTo(Duration.ofSeconds(7));
    }

    @Test
    void waitsForRecordsTheBrokersHave() {
        // given
        longAfter(() -> brokers.ends.put(EVENTS, 100L));
        brokers.schedulePollTask(follower::stop);

        // when
        follower.run();

        // then
        requireNoDoubt();
    }

    @Test
    void accusesWhenTheBrokersHaveNoMore() {
        // given
        longAfter(() -> {});

        // when
        follower.run();

        // then
        assertThatThrownBy(() -> backlog.takeNewest(1, 1))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("topic events ends at 7: it lost records");
    }

    private void requireNoDoubt() {
        assertThatThrownBy(() -> backlog.takeNewest(1, 1))
                .hasMessage("reading of topics events, sealed and outcomes ended")
                .hasNoCause();
    }

    // ---- where it begins

    private String refusalWith(TopicPartition partition, long first) {
        brokers.updateBeginningOffsets(Map.of(partition, first));
        brokers.schedulePollTask(follower::stop);
        follower.run();
        try {
            backlog.takeNewest(1_000, 1 << 20);
            return "";
        } catch (FatalDoubtException e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void refusesEventsWhoseFirstRecordsWereDeleted() {
        assertThat(refusalWith(EVENTS, 1)).contains("begins at offset 1").contains("none may ever go");
    }

    @Test
    void refusesClaimsThatWereTrimmedWhenThereIsNoSnapshotToGoOnFrom() {
        assertThat(refusalWith(SEALED, 1))
                .contains("begins at offset 1, needed are its records from offset 0 on")
                .contains("attestream restore state");
    }

    @Test
    void refusesOutcomesThatWereTrimmedToo() {
        assertThat(refusalWith(OUTCOMES, 1)).contains("begins at offset 1, needed are its records from offset 0 on");
    }
}
