// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.processors.proofs.ProofsTopology;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.errors.StreamsStoppedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ApplicationTest {
    @TempDir
    private Path directory;

    static Stream<Arguments> doubts() {
        return Stream.of(
                Arguments.of(new IntegrityException("shard 3 forked"), "shard 3 forked"),
                Arguments.of(new NoOffsetForPartitionException(new TopicPartition("events", 0)), "never guessed"),
                Arguments.of(new FencedInstanceIdException("fenced"), "attestream.instance-id"),
                Arguments.of(new OutOfMemoryError("Java heap space"), "Java heap space"));
    }

    @ParameterizedTest
    @MethodSource("doubts")
    void endsWithTheReasonForADoubtHoweverKafkaStreamsWrapsIt(Throwable doubt, String reason) {
        assertThat(Application.doubtIn(doubt)).contains(reason);
        assertThat(Application.doubtIn(new StreamsException("task 0_0", new StreamsException(doubt))))
                .contains(reason);
    }

    @Test
    void triesAgainAfterTroubleOfTheBroker() {
        assertThat(Application.doubtIn(new StreamsException("task 0_0", new TimeoutException("no answer"))))
                .isNull();
    }

    @Test
    void sendsQueriesElsewhereOnceItHasStopped() {
        // given
        try (KafkaStreams stopped = new KafkaStreams(
                ProofsTopology.build(TestLedger.TOPICS, new TestLedger(1, 256).definition(), 1, Optional.empty()),
                TestLedger.driverSettings("stopped", directory))) {
            stopped.close();
            Processors.StreamsStores stores = new Processors.StreamsStores(stopped);

            // when, then: which queries answer with "not here"
            assertThatThrownBy(() -> stores.shard(0)).isInstanceOf(StreamsStoppedException.class);
            assertThatThrownBy(stores::ledger).isInstanceOf(StreamsStoppedException.class);
        }
    }
}
