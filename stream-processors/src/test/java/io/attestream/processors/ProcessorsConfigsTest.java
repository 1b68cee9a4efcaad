// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.objects.keys.Eraser;
import io.attestream.schemas.connection.KafkaConnection;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.DefaultProductionExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProcessorsConfigsTest {
    @TempDir
    private Path directory;

    private final Map<String, String> settings = new HashMap<>();

    @BeforeEach
    void givenGoodSettings() throws IOException {
        Path secret = directory.resolve("secret");
        Files.writeString(secret, Base64.getEncoder().encodeToString(new byte[32]) + "\n");
        Files.writeString(directory.resolve("short"), Base64.getEncoder().encodeToString(new byte[16]));
        settings.put("attestream.kafka.bootstrap-servers", "127.0.0.1:9092");
        settings.put("attestream.instance-id", "p0");
        settings.put(
                "attestream.ledger.verifier-key",
                new TestLedger(1, 256).key.verifier().vkey());
        settings.put("attestream.state.directory", directory.toString());
        settings.put("attestream.internal.secret-file", secret.toString());
        settings.put("attestream.door.content-tag-key-file", secret.toString());
        settings.put("attestream.admission.tenants", "acme");
    }

    private ProcessorsConfig config() {
        return ProcessorsConfigs.load(
                new SmallRyeConfigBuilder().withSources(new PropertiesConfigSource(settings, "test", 100)));
    }

    private List<String> problems() {
        return ProcessorsConfigs.problems(config());
    }

    @Test
    void takesGoodSettings() {
        assertThat(problems()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "attestream.roles, witness",
        "attestream.instance-id, a b",
        "attestream.generation, 0",
        "attestream.topics.prefix, a.b",
        "attestream.state.cache-size-bytes, 0",
        "attestream.state.standby-replicas, 5",
        "attestream.http.port, 70000",
        "attestream.ledger.verifier-key, example.com+0000+abc",
        "attestream.internal.secret-file, /nowhere",
        "attestream.door.content-tag-key-file, /nowhere",
        "attestream.admission.tenants, a.b",
    })
    void namesTheSettingThatIsWrong(String setting, String value) {
        settings.put(setting, value);
        assertThat(problems()).singleElement().asString().contains(setting);
    }

    @Test
    void refusesASecretThatIsTooShort() {
        settings.put(
                "attestream.internal.secret-file", directory.resolve("short").toString());
        assertThat(problems()).singleElement().asString().contains("attestream.internal.secret-file");
    }

    @Test
    void needsNoDoorKeyWithoutAdmission() {
        settings.remove("attestream.door.content-tag-key-file");
        assertThat(problems()).singleElement().asString().contains("attestream.door.content-tag-key-file");
        settings.remove("attestream.admission.tenants");
        assertThat(problems()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "attestream.kafka.bootstrap-servers",
                "attestream.instance-id",
                "attestream.ledger.verifier-key",
                "attestream.state.directory",
                "attestream.internal.secret-file",
            })
    void namesTheSettingThatIsMissing(String setting) {
        settings.remove(setting);
        assertThatThrownBy(this::config).hasMessageContaining(setting);
    }

    // ---- what the invariants rest on

    @Test
    void neverGuessesThePositionOfTheSequencer() {
        Properties sequencer =
                new StreamsSettings(config(), KafkaConnection.of("localhost:9092"), 1 << 20).sequencer("app");
        assertThat(sequencer)
                .containsEntry(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, "exactly_once_v2")
                .containsEntry("main.consumer.auto.offset.reset", "none")
                .containsEntry("producer.transaction.timeout.ms", 10_000);
    }

    @Test
    void readsOnlyWhatWasCommitted() {
        StreamsSettings all = new StreamsSettings(config(), KafkaConnection.of("localhost:9092"), 1 << 20);
        for (Properties settings : List.of(all.sequencer("app"), all.proofs("app"), all.admission("app"))) {
            StreamsConfig config = new StreamsConfig(settings);
            assertThat(List.of(
                            config.getMainConsumerConfigs("group", "client", 0),
                            config.getGlobalConsumerConfigs("client"),
                            config.getRestoreConsumerConfigs("client")))
                    .allSatisfy(consumer -> assertThat(consumer).containsEntry("isolation.level", "read_committed"));
        }
    }

    /** A zombie of either would write what is older behind what another wrote meanwhile. */
    @Test
    void whoHasChangelogsIsFenced() {
        StreamsSettings all = new StreamsSettings(config(), KafkaConnection.of("localhost:9092"), 1 << 20);
        assertThat(List.of(all.sequencer("app"), all.proofs("app")))
                .allSatisfy(settings -> assertThat(settings)
                        .containsEntry(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, "exactly_once_v2"));
    }

    @Test
    void skipsNoRecordWhateverGoesWrongWithIt() {
        StreamsSettings all = new StreamsSettings(config(), KafkaConnection.of("localhost:9092"), 1 << 20);
        assertThat(List.of(all.sequencer("app"), all.proofs("app"), all.admission("app")))
                .allSatisfy(settings -> assertThat(settings)
                        .containsEntry("deserialization.exception.handler", LogAndFailExceptionHandler.class)
                        .containsEntry("processing.exception.handler", LogAndFailProcessingExceptionHandler.class)
                        .containsEntry("production.exception.handler", DefaultProductionExceptionHandler.class)
                        .containsEntry("producer.acks", "all")
                        .containsEntry("producer.enable.idempotence", true));
    }

    @Test
    void admissionIsNeverTransactional() {
        assertThat(new StreamsSettings(config(), KafkaConnection.of("localhost:9092"), 1 << 20).admission("app"))
                .containsEntry(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, "at_least_once");
    }

    /** An erasure destroys the key behind it. */
    @Test
    void whatAdmissionEncryptsIsWrittenWithinTheTimeAnErasureWaits() {
        Properties settings =
                new StreamsSettings(config(), KafkaConnection.of("localhost:9092"), 1 << 20).admission("app");
        assertThat(new StreamsConfig(settings).getProducerConfigs("client"))
                .containsEntry("max.block.ms", Eraser.ADMISSION_MAX_BLOCK.toMillis())
                .containsEntry("delivery.timeout.ms", (int) Eraser.ADMISSION_DELIVERY_TIMEOUT.toMillis())
                .containsEntry("request.timeout.ms", 5_000);
    }

    /** The end of a changelog is asked of a leader that is gone until this is over; the task waits for it. */
    @Test
    void anAdminClientDoesNotWaitForALeaderThatIsGone() {
        StreamsSettings all = new StreamsSettings(config(), KafkaConnection.of("localhost:9092"), 1 << 20);
        assertThat(List.of(all.sequencer("app"), all.proofs("app"), all.admission("app")))
                .allSatisfy(settings -> assertThat(new StreamsConfig(settings).getAdminConfigs("client"))
                        .containsEntry("default.api.timeout.ms", 5_000)
                        .containsEntry("request.timeout.ms", 5_000));
    }

    @Test
    void isKnownToTheGroupByItsInstance() {
        assertThat(new StreamsSettings(config(), KafkaConnection.of("localhost:9092"), 1 << 20).sequencer("app"))
                .containsEntry("main.consumer.group.instance.id", "p0")
                .containsEntry("consumer.session.timeout.ms", 6_000)
                .containsEntry(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 1)
                .containsEntry(StreamsConfig.GROUP_PROTOCOL_CONFIG, "classic");
    }
}
