// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DoubtCauseTest {
    static Stream<Throwable> ofWhatIsRead() {
        return Stream.of(
                new FatalDoubtException("a head is another"),
                new FatalDoubtException("cannot be read", new InvalidFormat("note", "is none")),
                new InvalidFormat("note", "is none"),
                new FatalDoubtException("cannot be read", new ObjectStore.TooShortException("ends before 7")),
                new IOException("a segment", new ObjectStore.TooShortException("ends before 7")),
                new FatalDoubtException("could not be read", new OffsetOutOfRangeException(Map.of())),
                new FatalDoubtException("could not be read", new SerializationException("no record")),
                new KafkaException("Received exception", new CorruptRecordException("checksum")),
                new FatalDoubtException(
                        "could not be read",
                        new KafkaException("Record batch for partition e-0 at offset 7 is invalid, cause: crc")));
    }

    static Stream<Throwable> ofSurroundings() {
        return Stream.of(
                new FatalDoubtException("a commit", new ProducerFencedException("another has its turn")),
                new FatalDoubtException("a write", new TimeoutException("30 s")),
                new FatalDoubtException("a guard", new IOException("no space left")),
                new FatalDoubtException("a listing", new UncheckedIOException(new IOException("refused"))),
                new FatalDoubtException("told to stop", new InterruptedException()),
                new FatalDoubtException("twice", new IllegalStateException(new KafkaException("no broker"))),
                new KafkaException("no broker"),
                new IOException("no store"),
                new IllegalStateException("a bug"));
    }

    @ParameterizedTest
    @MethodSource("ofWhatIsRead")
    void somebodyIsToldOfWhatTheNextStartFindsToo(Throwable stop) {
        assertThat(DoubtCause.isOfWhatIsRead(stop)).isTrue();
    }

    @ParameterizedTest
    @MethodSource("ofSurroundings")
    void whatTheNextStartMayNotFindIsNotWaitedFor(Throwable stop) {
        assertThat(DoubtCause.isOfWhatIsRead(stop)).isFalse();
    }

    @Test
    void causesThatGoInACircleAreReadOnce() {
        Exception one = new Exception("one");
        Exception two = new Exception("two", one);
        one.initCause(two);
        assertThat(DoubtCause.isOfWhatIsRead(new FatalDoubtException("x", two))).isTrue();
    }
}
