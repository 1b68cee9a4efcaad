// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagAge;
import io.attestream.operations.lag.LagLook;
import io.attestream.operations.lag.PartitionLag;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

/** What was known is not said any more when nobody can know. */
class ConsumerLagTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final ConsumerLag lag = new ConsumerLag(
            () -> KafkaConnection.of("127.0.0.1:1"), new Topics("attestream"), Duration.ofSeconds(10), registry);

    private static GroupLag group(String name, int members) {
        PartitionLag partition = new PartitionLag("attestream.events", 0, 5, 10, 5, 0, new LagAge.Known(7));
        return new GroupLag(name, "Stable", members, List.of(partition));
    }

    @Test
    void aLookIsToldUntilTheBrokersDoNotAnswer() {
        // given
        assertThat(lag.answer().status()).isEqualTo(503);
        lag.take(() -> new LagLook(List.of(group("app", 1)), 0));
        assertThat(lag.answer().status()).isEqualTo(200);
        assertThat(lag.answer().json().toString()).contains("group=app");

        // when
        lag.take(() -> {
            throw new TimeoutException("no answer within 15 s");
        });

        // then
        assertThat(lag.newest()).isEmpty();
        assertThat(lag.answer().status()).isEqualTo(503);
        assertThat(lag.answer().json()).containsOnlyKeys("reason");
        assertThat(lag.answer().json().toString()).contains("is not known").contains("no answer within 15 s");
        assertThat(registry.find("attestream.lag").gauges()).isEmpty();

        // and when they are back
        lag.take(() -> new LagLook(List.of(group("app", 1)), 0));
        assertThat(lag.answer().status()).isEqualTo(200);
    }

    /** Else an objective would be well while nobody knows. */
    @Test
    void whatCouldNotBeReadIsMeasuredAsUnknown() {
        // given
        PartitionLag leaderless =
                new PartitionLag("attestream.events", 1, 5, -1, -1, 0, new LagAge.Unknown("no leader"));
        LagLook look = new LagLook(
                List.of(
                        new GroupLag("attestream.proofs.g1", "Stable", 1, List.of(leaderless)),
                        new GroupLag("attestream.sequencer.g1", "Unknown", 0, List.of(), Optional.of("no coordinator")),
                        new GroupLag("attestream.checkpointer", "Stable", 2, List.of())),
                0);

        // when
        lag.take(() -> look);
        lag.take(() -> look);

        // then
        assertThat(registry.find("attestream.lag.unknown").gauges())
                .extracting(gauge -> gauge.getId().getTag("group") + " " + gauge.value())
                .containsExactlyInAnyOrder("attestream.proofs.g1 1.0", "attestream.sequencer.g1 1.0");
        assertThat(registry.find("attestream.lag.records").gauges()).isEmpty();
        assertThat(registry.find("attestream.lag.growth.records.per.second").gauges())
                .isEmpty();
        assertThat(lag.answer().json().toString())
                .contains("endOffset=unknown, records=unknown")
                .contains("reason=no coordinator");
    }

    @Test
    void groupsOfAGenerationThatWasGivenUpAreServedAndNotMeasured() {
        // when
        lag.take(() ->
                new LagLook(List.of(group("attestream.sequencer.g1", 0), group("attestream.sequencer.g2", 1)), 3));

        // then
        assertThat(lag.answer().json().toString()).contains("group=attestream.sequencer.g1, otherGeneration=true");
        assertThat(registry.find("attestream.lag").gauges())
                .singleElement()
                .satisfies(gauge -> assertThat(gauge.getId().getTag("group")).isEqualTo("attestream.sequencer.g2"));
        assertThat(registry.find("attestream.lag.group.members").gauges()).hasSize(1);
        assertThat(registry.get("attestream.lag.groups.left.out").gauge().value())
                .isEqualTo(3);
        assertThat(lag.answer().json()).containsEntry("groupsLeftOut", 3);
    }
}
