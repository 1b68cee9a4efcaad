// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.LeaderNotAvailableException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not known is not 0. */
class LagReaderTest {
    private static final Uuid TOPIC = new Uuid(1, 2);
    private static final TopicPartition PARTITION = new TopicPartition("t", 3);
    private static final long NOW = 1_800_000_000_000L;

    private static PartitionLag lag(long committed, long first, long end, RecordTimes.Found found) {
        LagReader.Offsets offsets = new LagReader.Offsets(TOPIC, PARTITION, committed, first, end);
        return LagReader.lag(offsets, Map.of(offsets.place(), found), NOW);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1500, 1.5", "-1, 0", "-60000, 0"})
    void theAgeIsThatOfTheRecordAndNotBelowZero(long ageMillis, double seconds) {
        assertThat(lag(5, 0, 9, new RecordTimes.Found.Time(NOW - ageMillis)))
                .isEqualTo(new PartitionLag("t", 3, 5, 9, 4, 0, new LagAge.Known(seconds)));
    }

    /** A producer may write microseconds, and would be at its end for ever. */
    @ParameterizedTest
    @ValueSource(longs = {-1, NOW + 60_001, NOW * 1_000, Long.MAX_VALUE})
    void aTimestampThatCannotBeOneGivesNoAge(long millis) {
        PartitionLag lag = lag(5, 0, 9, new RecordTimes.Found.Time(millis));
        assertThat(lag.records()).isEqualTo(4);
        assertThat(lag.age()).isInstanceOf(LagAge.Unknown.class);
    }

    @Test
    void anOffsetBehindTheEndIsNoProcessedPartition() {
        PartitionLag lag = lag(10, 0, 9, new RecordTimes.Found.Nothing());
        assertThat(lag.records()).isZero();
        assertThat(lag.age())
                .isEqualTo(new LagAge.Unknown(
                        "the committed offset 10 is behind the end 9 of the partition, which was cut or made again"));
        assertThat(lag(9, 0, 9, new RecordTimes.Found.Nothing()).age()).isEqualTo(LagAge.NONE);
    }

    @Test
    void whatWasNotReadIsNotKnown() {
        assertThat(lag(5, 0, 9, new RecordTimes.Found.Unread("no answer")).age())
                .isEqualTo(new LagAge.Unknown("no answer"));
        assertThat(LagReader.lag(new LagReader.Offsets(TOPIC, PARTITION, 5, 0, 9), Map.of(), NOW)
                        .age())
                .isInstanceOf(LagAge.Unknown.class);
    }

    @Test
    void markersAreNothingAndWhatWasDeletedIsCounted() {
        assertThat(lag(5, 0, 9, new RecordTimes.Found.Nothing()))
                .isEqualTo(new PartitionLag("t", 3, 5, 9, 0, 0, LagAge.NONE));
        assertThat(lag(5, 7, 9, new RecordTimes.Found.Time(NOW)).deleted()).isEqualTo(2);
        assertThat(lag(5, 9, 9, new RecordTimes.Found.Nothing()).deleted()).isEqualTo(4);
    }

    /** A partition without a leader, say: it must not blind the look at all others. */
    @Test
    void oneThatDoesNotAnswerMakesNothingElseUnknown() {
        // given
        KafkaFutureImpl<Long> leaderless = new KafkaFutureImpl<>();
        leaderless.completeExceptionally(new LeaderNotAvailableException("no leader"));
        KafkaFutureImpl<Long> broken = new KafkaFutureImpl<>();
        broken.completeExceptionally(new IllegalStateException("a bug"));

        // when
        LagReader.Answers<String, Long> answers =
                LagReader.Answers.of(Map.of("a", KafkaFuture.completedFuture(7L), "b", leaderless, "c", broken));

        // then
        assertThat(answers.known()).containsExactly(Map.entry("a", 7L));
        assertThat(answers.unread()).containsOnlyKeys("b", "c");
        assertThat(answers.unread().get("b")).contains("no leader");
        PartitionLag unread = PartitionLag.unread("t", 3, 5, "no leader");
        GroupLag group = new GroupLag("g", "Stable", 1, List.of(unread));
        assertThat(group.age()).isEqualTo(new LagAge.Unknown("no leader"));
        assertThat(group.records()).isEmpty();
    }
}
