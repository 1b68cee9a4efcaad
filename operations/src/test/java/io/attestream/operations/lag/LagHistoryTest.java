// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class LagHistoryTest {
    private final LagHistory history = new LagHistory();

    private static PartitionLag at(int partition, long committed, long end) {
        return new PartitionLag("t", partition, committed, end, end - committed, 0, new LagAge.Known(1));
    }

    private static GroupLag group(PartitionLag... partitions) {
        return new GroupLag("g", "Stable", 1, List.of(partitions));
    }

    @Test
    void oneLookHasNoTrend() {
        GroupLag now = group(at(0, 5, 10));
        history.add(0, List.of(now));
        assertThat(history.trend(now, now.partitions().get(0))).isEmpty();
        assertThat(history.drainSeconds(now)).isEmpty();
        assertThat(history.growthPerSecond(now)).isEmpty();
    }

    @Test
    void aLagThatShrinksDrains() {
        // given 10 a second come and 30 are processed
        history.add(0, List.of(group(at(0, 0, 1_000))));
        GroupLag now = group(at(0, 300, 1_100));
        history.add(10_000, List.of(now));

        // then: 800 left, 20 fewer a second
        LagTrend trend = history.trend(now, now.partitions().get(0)).orElseThrow();
        assertThat(trend.producedPerSecond()).isEqualTo(10);
        assertThat(trend.processedPerSecond()).isEqualTo(30);
        assertThat(trend.growthPerSecond()).isEqualTo(-20);
        assertThat(trend.drainSeconds()).isCloseTo(40, within(0.001));
    }

    @Test
    void aLagThatDoesNotShrinkNeverDrains() {
        history.add(0, List.of(group(at(0, 0, 100))));
        GroupLag now = group(at(0, 10, 110));
        history.add(1_000, List.of(now));
        assertThat(history.drainSeconds(now)).hasValue(Double.POSITIVE_INFINITY);
    }

    @Test
    void theAgeOfAGroupIsNotKnownIfThatOfAPartitionIsNot() {
        LagAge unread = new LagAge.Unknown("was not read");
        PartitionLag unknown = new PartitionLag("t", 1, 0, 10, 10, 0, unread);
        assertThat(group(at(0, 0, 10), unknown).age()).isEqualTo(unread);
        assertThat(group(at(0, 0, 10)).age()).isEqualTo(new LagAge.Known(1));
        assertThat(group().age()).isInstanceOf(LagAge.Unknown.class);
    }

    @Test
    void nothingLeftIsDrained() {
        history.add(0, List.of(group(at(0, 100, 100))));
        GroupLag now = group(at(0, 100, 100));
        history.add(1_000, List.of(now));
        assertThat(history.drainSeconds(now)).hasValue(0);
    }

    @Test
    void aGroupDrainsWithItsSlowestPartition() {
        history.add(0, List.of(group(at(0, 0, 100), at(1, 0, 1_000))));
        GroupLag now = group(at(0, 50, 100), at(1, 10, 1_000));
        history.add(1_000, List.of(now));
        assertThat(history.drainSeconds(now)).hasValueCloseTo(99.0, within(0.001));
        assertThat(history.growthPerSecond(now)).hasValueCloseTo(-60.0, within(0.001));
    }

    @Test
    void whatIsOlderThanAMinuteDoesNotCount() {
        // given a burst long ago, then nothing
        history.add(0, List.of(group(at(0, 0, 0))));
        for (int second = 10; second <= 120; second += 10) {
            history.add(second * 1_000L, List.of(group(at(0, 500, 1_000))));
        }
        GroupLag now = group(at(0, 500, 1_000));

        // then
        assertThat(history.trend(now, now.partitions().get(0)).orElseThrow().producedPerSecond())
                .isZero();
    }

    @Test
    void aGroupThatIsSetBackBeginsAnew() {
        history.add(0, List.of(group(at(0, 500, 1_000))));
        GroupLag now = group(at(0, 0, 1_000));
        history.add(1_000, List.of(now));
        assertThat(history.trend(now, now.partitions().get(0))).isEmpty();
    }

    @Test
    void whatIsGoneIsForgotten() {
        history.add(0, List.of(group(at(0, 0, 10))));
        history.add(1_000, List.of());
        GroupLag now = group(at(0, 5, 10));
        history.add(2_000, List.of(now));
        assertThat(history.trend(now, now.partitions().get(0))).isEmpty();
    }

    @Test
    void looksInQuickSuccessionAreBounded() {
        for (int i = 0; i < 10_000; i++) {
            history.add(i, List.of(group(at(0, i, 10_000))));
        }
        GroupLag now = group(at(0, 9_999, 10_000));
        assertThat(history.trend(now, now.partitions().get(0)).orElseThrow().processedPerSecond())
                .isCloseTo(1_000, within(1.0));
    }
}
