// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.config;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.note.NoteSigner;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings with which a gateway would start and never be of use, or lose what it acknowledged. */
class SecretsTest {
    @TempDir
    Path directory;

    private final Map<String, String> settings = new HashMap<>();

    @BeforeEach
    void goodSettings() throws IOException {
        Path tag =
                Files.writeString(directory.resolve("tag"), Base64.getEncoder().encodeToString(new byte[32]));
        Path secret = Files.writeString(directory.resolve("secret"), "a-secret-that-is-long-enough");
        settings.put("attestream.kafka.bootstrap-servers", "127.0.0.1:1");
        settings.put(
                "attestream.ledger.verifier-key",
                NoteSigner.generate("ledger.test/config", new SecureRandom())
                        .verifier()
                        .vkey());
        settings.put("attestream.internal.secret-file", secret.toString());
        settings.put("attestream.objects.location", directory.toString());
        settings.put("attestream.door.content-tag-key-file", tag.toString());
        settings.put("attestream.proofs.urls", "http://127.0.0.1:1");
    }

    private void start() {
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withMapping(GatewayConfig.class)
                .withValidateUnknown(false)
                .withDefaultValues(settings)
                .build();
        new Secrets(config.getConfigMapping(GatewayConfig.class), config).onStart(new StartupEvent());
    }

    @Test
    void startsWithTheDefaults() {
        start();
    }

    @ParameterizedTest
    @CsvSource({
        "attestream.ingest.max-body-bytes,70000000,max-in-flight-bytes",
        "attestream.ingest.max-line-bytes,40000000,max-in-flight-bytes",
        "attestream.ingest.max-batch-events,20001,max-in-flight-events",
        "attestream.ingest.max-stream-in-flight-events,20001,max-in-flight-events"
    })
    void whatAdmissionCouldNeverGrantIsRefusedAtStart(String name, String value, String limit) {
        // given
        settings.put(name, value);

        // when, then
        assertThatThrownBy(this::start).hasMessageContaining(name).hasMessageContaining(limit);
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:8080", "ftp://host/x", "http:/x"})
    void addressesOfProofsInstancesAreChecked(String url) {
        // given
        settings.put("attestream.proofs.urls", "http://127.0.0.1:1," + url);

        // when, then
        assertThatThrownBy(this::start).hasMessageContaining("attestream.proofs.urls");
    }

    @ParameterizedTest
    @CsvSource({
        "attestream.ops.prometheus-url,prometheus:9090",
        "attestream.ops.prometheus-url,file:///etc/passwd",
        "attestream.ops.interval,100ms",
        "attestream.ops.prometheus-timeout,31s"
    })
    void settingsOfThePageForOperatorsAreChecked(String name, String value) {
        // given
        settings.put(name, value);

        // when, then
        assertThatThrownBy(this::start).hasMessageContaining(name);
    }

    @ParameterizedTest
    @CsvSource({
        "attestream.quota.tenant-events-per-second,-1",
        "attestream.quota.tenant-bytes-per-second,1000000001",
        "attestream.quota.subject-events-per-second,-1",
        "attestream.quota.subject-bytes-per-second,9223372036854775807",
        "attestream.quota.burst,999ms",
        "attestream.quota.burst,601s",
        "attestream.quota.max-remembered,0"
    })
    void quotasAreChecked(String name, String value) {
        // given
        settings.put(name, value);

        // when, then
        assertThatThrownBy(this::start).hasMessageContaining(name);
    }

    @ParameterizedTest
    @CsvSource({
        "quarkus.http.tls-configuration-name,api",
        "quarkus.tls.key-store.pem.0.cert,/cert.pem",
        "quarkus.tls.key-store.pem.my-cert.cert,/cert.pem",
        "QUARKUS_TLS_KEY_STORE_PEM_MY_CERT_CERT,/cert.pem",
        "quarkus.http.ssl.certificate.files[0],/cert.pem",
        "QUARKUS_TLS_KEY_STORE_P12_PATH,/store.p12",
        "quarkus.http.ssl.certificate.files,/cert.pem"
    })
    void whereTlsIsOnPlainHttpIsOff(String name, String value) {
        // given
        settings.put(name, value);

        // when, then
        assertThatThrownBy(this::start).hasMessageContaining("quarkus.http.insecure-requests");
        settings.put("quarkus.http.insecure-requests", "redirect");
        assertThatThrownBy(this::start).hasMessageContaining("quarkus.http.insecure-requests");
        settings.put("quarkus.http.insecure-requests", "disabled");
        start();
    }

    @Test
    void certificatesOfClientsAreAskedForOnlyWhereItIsKnownWhoSignsThem() {
        // given
        settings.put("attestream.tls.client-certificate-required", "true");
        assertThatThrownBy(this::start).hasMessageContaining("attestream.tls.client-certificate-required");
        settings.put("quarkus.http.tls-configuration-name", "api");
        settings.put("quarkus.http.insecure-requests", "disabled");
        assertThatThrownBy(this::start).hasMessageContaining("attestream.tls.client-certificate-required");

        settings.put("quarkus.tls.kafka.trust-store.p12.path", "/others.p12");
        settings.put("quarkus.tls.trust-store.p12.path", "/others.p12");
        assertThatThrownBy(this::start).hasMessageContaining("attestream.tls.client-certificate-required");

        // when
        settings.put("quarkus.tls.api.trust-store.p12.path", "/clients.p12");

        // then
        start();
    }
}
