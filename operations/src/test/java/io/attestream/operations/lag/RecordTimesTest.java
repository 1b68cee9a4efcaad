// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class RecordTimesTest {
    private static final Uuid TOPIC = new Uuid(1, 2);
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);

    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
    private final RecordTimes times = new RecordTimes(consumer, Duration.ofMillis(100));

    @AfterEach
    void close() {
        times.close();
    }

    private static RecordTimes.Place at(int partition, long offset) {
        return new RecordTimes.Place(TOPIC, new TopicPartition("t", partition), offset, 100);
    }

    private void serve(long offset, long millis) {
        consumer.schedulePollTask(() -> consumer.addRecord(new ConsumerRecord<>(
                "t",
                0,
                offset,
                millis,
                TimestampType.CREATE_TIME,
                0,
                1,
                new byte[0],
                new byte[1],
                new RecordHeaders(),
                Optional.empty())));
    }

    @Test
    void aRecordThatDoesNotComeInTimeIsNotKnown() {
        Map<RecordTimes.Place, RecordTimes.Found> found = times.read(Set.of(at(0, 5), at(1, 5)));
        assertThat(found).hasSize(2);
        assertThat(found.values()).allSatisfy(what -> assertThat(what).isInstanceOf(RecordTimes.Found.Unread.class));
    }

    @Test
    void aGroupThatStandsStillIsReadOnce() {
        // given: at its offset compaction left nothing
        serve(7, 1_000);
        assertThat(times.read(Set.of(at(0, 5))))
                .containsExactly(Map.entry(at(0, 5), new RecordTimes.Found.Time(1_000)));

        // then: nothing more is served
        assertThat(times.read(Set.of(at(0, 5))))
                .containsExactly(Map.entry(at(0, 5), new RecordTimes.Found.Time(1_000)));
        assertThat(consumer.assignment()).containsExactly(PARTITION);
    }

    /** Else its groups are said to be behind by as much as those of the one before were. */
    @Test
    void aTopicThatIsMadeAgainIsReadAgain() {
        // given
        serve(5, 1_000);
        times.read(Set.of(at(0, 5)));

        // when
        serve(5, 9_000);
        RecordTimes.Place again = new RecordTimes.Place(new Uuid(3, 4), PARTITION, 5, 100);

        // then
        assertThat(times.read(Set.of(again))).containsExactly(Map.entry(again, new RecordTimes.Found.Time(9_000)));
    }

    @Test
    void groupsMayStandAtDifferentPlacesOfOnePartition() {
        // given
        serve(9, 2_000);
        serve(9, 2_000);

        // then
        assertThat(times.read(Set.of(at(0, 5), at(0, 7))))
                .containsOnly(
                        Map.entry(at(0, 5), new RecordTimes.Found.Time(2_000)),
                        Map.entry(at(0, 7), new RecordTimes.Found.Time(2_000)));
    }

    @Test
    void whereOnlyMarkersAreLeftThereIsNothing() {
        // given: a consumer goes past markers without a record
        consumer.schedulePollTask(() -> consumer.seek(PARTITION, 100));

        // then
        assertThat(times.read(Set.of(at(0, 99))))
                .containsExactly(Map.entry(at(0, 99), new RecordTimes.Found.Nothing()));
    }

    @Test
    void beyondTheLimitNothingIsKnownAndNothingIsLeftOut() {
        Set<RecordTimes.Place> places = new HashSet<>();
        for (int partition = 0; partition < RecordTimes.PLACES_MAX + 3; partition++) {
            places.add(at(partition, 0));
        }
        Map<RecordTimes.Place, RecordTimes.Found> found = new HashMap<>(times.read(places));
        assertThat(found.keySet()).isEqualTo(places);
        found.values()
                .removeIf(what -> !what.equals(new RecordTimes.Found.Unread(
                        "more than " + RecordTimes.PLACES_MAX + " partitions are behind")));
        assertThat(found).hasSize(3);
    }
}
