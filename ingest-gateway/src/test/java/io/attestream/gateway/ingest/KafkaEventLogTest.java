// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.BrokerNotAvailableException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class KafkaEventLogTest {
    static Stream<Exception> mayBeWritten() {
        return Stream.of(
                new TimeoutException("Expiring 1 record(s) for events-0: 12000 ms has passed since batch creation"),
                new NotEnoughReplicasAfterAppendException("appended, but to too few"),
                new OutOfOrderSequenceException("sequence"),
                new DisconnectException("gone"),
                new BrokerNotAvailableException("gone"),
                new KafkaException("something else"));
    }

    @ParameterizedTest
    @MethodSource("mayBeWritten")
    void whatMayBeWrittenIsUnknown(Exception error) {
        assertThat(KafkaEventLog.failed(error)).isInstanceOf(AppendResult.Unknown.class);
    }

    @Test
    void onlyWhatIsRefusedBeforeWritingIsNotWritten() {
        assertThat(KafkaEventLog.failed(new TopicAuthorizationException("no")))
                .isInstanceOf(AppendResult.NotWritten.class);
        assertThat(KafkaEventLog.failed(new TimeoutException("Topic events not present in metadata after 1000 ms.")))
                .isInstanceOf(AppendResult.NotWritten.class);
        assertThat(KafkaEventLog.failed(new RecordTooLargeException("too large")))
                .isInstanceOf(AppendResult.TooLarge.class);
    }
}
