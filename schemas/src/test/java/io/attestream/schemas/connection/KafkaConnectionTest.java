// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KafkaConnectionTest {
    private static final String OAUTH = """
            security.protocol=SASL_SSL
            sasl.mechanism=OAUTHBEARER
            sasl.oauthbearer.token.endpoint.url=https://id.example/token
            sasl.oauthbearer.client.credentials.client.id=gateway
            sasl.oauthbearer.client.credentials.client.secret=hush
            """;

    @TempDir
    private Path directory;

    @Test
    void anOAuthClientNeedsNoMoreThanAnEndpointAndItsCredentials() throws IOException {
        Map<String, Object> settings = KafkaConnection.of("kafka:9092", Optional.of(file(OAUTH)));

        assertThat(settings)
                .containsEntry("bootstrap.servers", "kafka:9092")
                .containsEntry("security.protocol", "SASL_SSL")
                .containsEntry(
                        "sasl.login.callback.handler.class",
                        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler")
                .containsEntry("sasl.login.connect.timeout.ms", "5000")
                .containsEntry("sasl.login.read.timeout.ms", "10000")
                .containsEntry(
                        "sasl.jaas.config",
                        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ;");
        assertThat(System.getProperty("org.apache.kafka.sasl.oauthbearer.allowed.urls"))
                .contains("https://id.example/token");
    }

    @Test
    void certificatesOfBothSidesAreTakenToo() throws IOException {
        String mutualTls = """
                security.protocol=SSL
                ssl.truststore.type=PEM
                ssl.truststore.location=/etc/kafka/ca.pem
                ssl.keystore.type=PEM
                ssl.keystore.location=/etc/kafka/client.pem
                """;

        assertThat(KafkaConnection.of("kafka:9092", Optional.of(file(mutualTls))))
                .containsEntry("ssl.keystore.location", "/etc/kafka/client.pem")
                .doesNotContainKey("sasl.jaas.config");
    }

    @Test
    void withoutAFileAClientPresentsNothing() throws IOException {
        assertThat(KafkaConnection.of("kafka:9092", Optional.empty()))
                .isEqualTo(Map.of("bootstrap.servers", "kafka:9092"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "acks=1",
                "bootstrap.servers=other:9092",
                "isolation.level=read_uncommitted",
                "enable.idempotence=false",
                "sasl.mecanism=PLAIN",
                "security.providers=x.Y",
                "ssl.engine.factory.class=x.Y",
                "sasl.login.class=x.Y",
                "sasl.client.callback.handler.class=x.Y",
                "sasl.login.callback.handler.class="
                        + "org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler",
                "sasl.oauthbearer.jwt.validator.class=x.Y",
                "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
                        + " unsecuredLoginStringClaim_sub=\"gateway\";",
                "sasl.jaas.config=com.sun.security.auth.module.JndiLoginModule required;",
                "ssl.endpoint.identification.algorithm="
            })
    void nothingThatChangesHowAClientWorksOrWhatItVerifiesIsTaken(String line) throws IOException {
        Path file = file(OAUTH + line + "\n");
        String name = line.substring(0, line.indexOf('='));

        assertThatThrownBy(() -> KafkaConnection.of("kafka:9092", Optional.of(file)))
                .isInstanceOf(KafkaConnection.Refused.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(name)
                .hasMessageNotContaining("hush");
    }

    @ParameterizedTest
    @CsvSource({
        "https://id.example/token, true",
        "http://127.0.0.1:8080/token, true",
        "http://localhost/token, true",
        "file:/var/run/token, true",
        "http://id.example/token, false",
        "http://127.0.0.1.evil.example/token, false",
        "http://localhost@evil.example/token, false",
        "https:/token, false",
        "ftp://id.example/token, false",
        "file:token, false",
        "file://host/token, false",
        "'', false"
    })
    void aTokenIsAskedForWhereNobodyReadsAlong(String url, boolean isTaken) throws IOException {
        Path file = file(OAUTH.replace("https://id.example/token", url));

        if (isTaken) {
            assertThat(KafkaConnection.of("kafka:9092", Optional.of(file))).isNotEmpty();
        } else {
            assertThatThrownBy(() -> KafkaConnection.of("kafka:9092", Optional.of(file)))
                    .isInstanceOf(KafkaConnection.Refused.class)
                    .hasMessageContaining("token.endpoint.url");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sasl.mechanism=PLAIN\n",
                "security.protocol=SECURE\n",
                "security.protocol=SSL\nsasl.mechanism=PLAIN\n",
                "security.protocol=SASL_SSL\n"
            })
    void aFileThatWouldHaveNoEffectIsRefused(String text) throws IOException {
        Path file = file(text);

        assertThatThrownBy(() -> KafkaConnection.of("kafka:9092", Optional.of(file)))
                .isInstanceOf(KafkaConnection.Refused.class);
    }

    @Test
    void aFileThatOthersCanReadIsRefused() throws IOException {
        Path file = file(OAUTH);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));

        assertThatThrownBy(() -> KafkaConnection.of("kafka:9092", Optional.of(file)))
                .isInstanceOf(KafkaConnection.Refused.class)
                .hasMessageContaining("chmod 600");
    }

    @Test
    void aFileThatIsNotThereOrTooLongIsRefused() throws IOException {
        Path absent = directory.resolve("absent");
        Path tooLong = file("#" + "x".repeat(64 << 10));

        assertThatThrownBy(() -> KafkaConnection.of("kafka:9092", Optional.of(absent)))
                .isInstanceOf(KafkaConnection.Refused.class)
                .hasMessageContaining("absent");
        assertThatThrownBy(() -> KafkaConnection.of("kafka:9092", Optional.of(tooLong)))
                .isInstanceOf(KafkaConnection.Refused.class)
                .hasMessageContaining("65536");
    }

    /** It takes the connection and is silent. */
    @Test
    void aTokenEndpointThatNeverAnswersIsNotWaitedForForEver() throws Exception {
        // given
        try (ServerSocket silent = new ServerSocket(0, 16, InetAddress.getLoopbackAddress())) {
            Path file = file(
                    OAUTH.replace("https://id.example/token", "http://127.0.0.1:" + silent.getLocalPort() + "/token")
                            + "sasl.login.read.timeout.ms=200\nsasl.login.retry.backoff.max.ms=200\n");
            Map<String, Object> settings = KafkaConnection.of("127.0.0.1:1", Optional.of(file));

            // when, then
            assertThatThrownBy(() -> Admin.create(settings).close())
                    .isInstanceOf(KafkaException.class)
                    .satisfies(problem ->
                            assertThat(KafkaConnection.reason(problem)).containsIgnoringCase("timed out"));
        }
    }

    private Path file(String text) throws IOException {
        Path file = Files.createTempFile(directory, "client", ".properties");
        return Files.writeString(file, text);
    }
}
