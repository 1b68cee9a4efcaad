// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalBrokerIT {
    @TempDir
    private Path directory;

    @Test
    void keepsTopicsAndAddressWhenKilledAndRestarted() throws Exception {
        // given
        try (LocalBroker broker = LocalBroker.start(directory)) {
            String address = broker.bootstrapServers();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
                admin.createTopics(List.of(new NewTopic("kept", 1, (short) 1)))
                        .all()
                        .get(30, TimeUnit.SECONDS);
            }

            // when
            broker.kill();
            broker.restart();

            // then
            assertThat(broker.bootstrapServers()).isEqualTo(address);
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
                Set<String> topics = admin.listTopics().names().get(30, TimeUnit.SECONDS);
                assertThat(topics).contains("kept");
            }
        }
    }

    /** Connections are taken even then: whoever asked for no more would never start it again. */
    @Test
    void doesNotAnswerWhileItStandsStill() throws Exception {
        try (LocalBroker broker = LocalBroker.start(directory)) {
            // given
            assertThat(broker.answers()).isTrue();

            // when
            signal("STOP", broker);

            // then
            assertThat(broker.answers()).isFalse();
            signal("CONT", broker);
            assertThat(broker.answers()).isTrue();
        }
    }

    private static void signal(String name, LocalBroker broker) throws Exception {
        Process kill = new ProcessBuilder(
                        "kill", "-" + name, Long.toString(broker.process().pid()))
                .start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }

    @Test
    void supportsTransactionsOfVersionTwo() throws Exception {
        try (LocalBroker broker = LocalBroker.start(directory);
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            var features = admin.describeFeatures().featureMetadata().get(30, TimeUnit.SECONDS);
            assertThat(features.finalizedFeatures().get("transaction.version").maxVersionLevel())
                    .isGreaterThanOrEqualTo((short) 2);
        }
    }

    @Test
    void leavesNoProcessWhenClosed() {
        // given
        LocalBroker broker = LocalBroker.start(directory);
        long pid = broker.process().pid();

        // when
        broker.close();

        // then
        assertThat(broker.process().awaitExit(Duration.ofSeconds(1))).isTrue();
        assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
    }
}
