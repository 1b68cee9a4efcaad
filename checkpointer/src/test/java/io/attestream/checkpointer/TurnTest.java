// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.junit.jupiter.api.Test;

/** Who stands by is ready only as long as it could take over. */
class TurnTest {
    private static final Duration SILENCE_MAX = Duration.ofSeconds(2);
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final MetricName HEARTBEATS =
            new MetricName("heartbeat-total", "consumer-coordinator-metrics", "", Map.of());

    private final AtomicBoolean answered = new AtomicBoolean(true);
    private final AtomicReference<Double> heartbeats = new AtomicReference<>(0.0);

    /** A member of the group that was given nothing: the topic is another's. */
    private final MockConsumer<byte[], byte[]> member = new MockConsumer<>("latest") {
        @Override
        public Map<MetricName, ? extends Metric> metrics() {
            if (answered.get()) {
                heartbeats.updateAndGet(count -> count + 1);
            }
            return Map.of(HEARTBEATS, new Metric() {
                @Override
                public MetricName metricName() {
                    return HEARTBEATS;
                }

                @Override
                public Object metricValue() {
                    return heartbeats.get();
                }
            });
        }
    };

    private Turn standingBy() {
        member.schedulePollTask(() -> member.rebalance(List.of()));
        Turn turn = Turn.join(member, "checkpoints", SILENCE_MAX);
        await().atMost(SOON).until(turn::isOfAnother);
        return turn;
    }

    @Test
    void whoHearsOfTheGroupNoMoreIsNotReadyUntilItDoesAgain() throws Exception {
        try (Turn turn = standingBy()) {
            // when cut off
            answered.set(false);
            await().atMost(SOON).until(() -> !turn.isOfAnother());

            // then
            assertThat(turn.await(1)).isFalse();
            answered.set(true);
            await().atMost(SOON).until(turn::isOfAnother);
        }
    }

    @Test
    void whoseThreadDiedIsNotReadyAndSaysWhy() throws Exception {
        try (Turn turn = standingBy()) {
            // when
            member.schedulePollTask(() -> {
                throw new IllegalStateException("no thread lives for ever");
            });
            await().atMost(SOON).until(() -> !turn.isOfAnother());

            // then
            assertThatThrownBy(() -> turn.await(1))
                    .isInstanceOf(FatalDoubtException.class)
                    .hasMessageContaining("no thread lives for ever");
        }
    }
}
