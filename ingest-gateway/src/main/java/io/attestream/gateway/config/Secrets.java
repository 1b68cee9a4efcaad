// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.config;

import io.attestream.gateway.quota.Quotas;
import io.attestream.objects.ObjectStores;
import io.attestream.objects.keys.PayloadKeysSetting;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.connection.KafkaConnection;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.eclipse.microprofile.config.Config;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keys and secrets out of their files, read once at start. A start without any of them is refused; none is ever logged. */
@ApplicationScoped
public class Secrets {
    private static final int MAX_FILE_SIZE_BYTES = 4_096;
    private static final int MIN_SECRET_LENGTH = 16;
    /** Settings of Quarkus that turn TLS on, and that say whom it trusts; as {@link #anySet} compares them. */
    private static final String CERTIFICATE = "quarkus\\.tls\\.key\\.store\\.(pem\\..+\\.cert|p12\\.path|jks\\.path)|"
            + "quarkus\\.http\\.ssl\\.certificate\\.(files.*|key\\.files|key\\.store\\.file)";

    private static final String TRUST_STORE = "trust\\.store\\.(pem\\.certs.*|p12\\.path|jks\\.path)";
    private static final String CONFIGURATION_NAME = "quarkus.http.tls-configuration-name";

    private static final Logger LOG = LoggerFactory.getLogger(Secrets.class);

    private final GatewayConfig config;
    private final Config environment;
    private final List<String> reasons = new ArrayList<>();
    private @Nullable NoteVerifier ledgerKey;
    private @Nullable ContentTag contentTag;
    private @Nullable String internalSecret;
    private Map<String, Object> kafkaConnection = Map.of();

    Secrets(GatewayConfig config, Config environment) {
        this.config = config;
        this.environment = environment;
    }

    /** Behind the start gate of authentication, before anything is opened; what throws here ends the process with 1. */
    void onStart(@Observes @Priority(2) StartupEvent event) {
        try {
            ledgerKey = NoteVerifier.parse(config.ledger().verifierKey().strip());
        } catch (InvalidFormat e) {
            reasons.add("attestream.ledger.verifier-key is no verifier key: " + e.getMessage());
        }
        String tagKey =
                read("attestream.door.content-tag-key-file", config.door().contentTagKeyFile());
        try {
            contentTag = new ContentTag(Base64.getDecoder().decode(tagKey));
        } catch (IllegalArgumentException e) {
            reasons.add("attestream.door.content-tag-key-file must hold 32 bytes in base64");
        }
        internalSecret =
                read("attestream.internal.secret-file", config.internal().secretFile());
        if (internalSecret.length() < MIN_SECRET_LENGTH) {
            reasons.add("attestream.internal.secret-file must hold at least " + MIN_SECRET_LENGTH + " characters");
        }
        try {
            kafkaConnection = KafkaConnection.of(
                    config.kafka().bootstrapServers(), config.kafka().configFile());
        } catch (KafkaConnection.Refused e) {
            reasons.add("attestream.kafka.config-file " + e.getMessage());
        }
        checkLimits();
        if (!reasons.isEmpty()) {
            reasons.forEach(reason -> LOG.error("refusing to start: {}", reason));
            throw new IllegalArgumentException("refusing to start: " + String.join("; ", reasons));
        }
    }

    private void checkLimits() {
        GatewayConfig.Producer producer = config.producer();
        if (producer.deliveryTimeout().compareTo(producer.requestTimeout().plus(producer.linger())) < 0) {
            reasons.add("attestream.producer.delivery-timeout must be at least request-timeout plus linger");
        }
        requirePositive(
                "attestream.admission.max-in-flight-bytes", config.admission().maxInFlightBytes());
        requirePositive(
                "attestream.admission.max-in-flight-events", config.admission().maxInFlightEvents());
        requirePositive("attestream.ingest.max-body-bytes", config.ingest().maxBodyBytes());
        requirePositive("attestream.ingest.max-batch-events", config.ingest().maxBatchEvents());
        requirePositive("attestream.ingest.max-line-bytes", config.ingest().maxLineBytes());
        requirePositive(
                "attestream.ingest.max-stream-in-flight-events", config.ingest().maxStreamInFlightEvents());
        ObjectStores.problem(config.objects().location())
                .ifPresent(problem -> reasons.add("attestream.objects.location: " + problem));
        GatewayConfig.PayloadKeys keys = config.payloadKeys();
        reasons.addAll(PayloadKeysSetting.problems(
                keys.location(),
                keys.keyFile(),
                keys.rememberedMax(),
                Optional.of(config.objects().location())));
        checkQuota(config.quota());
        checkTls();
        requirePositive("attestream.objects.cache-bytes", config.objects().cacheBytes());
        // What admission can never grant would be answered "send it again later" for ever.
        requireRoom(
                "bytes",
                config.admission().maxInFlightBytes(),
                "max-body-bytes",
                config.ingest().maxBodyBytes());
        requireRoom(
                "bytes",
                config.admission().maxInFlightBytes(),
                "max-line-bytes, doubled,",
                2L * config.ingest().maxLineBytes());
        requireRoom(
                "events",
                config.admission().maxInFlightEvents(),
                "max-batch-events",
                config.ingest().maxBatchEvents());
        requireRoom(
                "events",
                config.admission().maxInFlightEvents(),
                "max-stream-in-flight-events",
                config.ingest().maxStreamInFlightEvents());
        config.proofs().urls().forEach(url -> requireHttp("attestream.proofs.urls", url));
        requireSeconds("attestream.ops.interval", config.ops().interval(), 600);
        requireSeconds("attestream.ops.prometheus-timeout", config.ops().prometheusTimeout(), 30);
        config.ops().prometheusUrl().ifPresent(url -> requireHttp("attestream.ops.prometheus-url", url));
    }

    private void checkQuota(GatewayConfig.Quota quota) {
        requireRate("tenant-events", quota.tenantEventsPerSecond());
        requireRate("tenant-bytes", quota.tenantBytesPerSecond());
        requireRate("subject-events", quota.subjectEventsPerSecond());
        requireRate("subject-bytes", quota.subjectBytesPerSecond());
        requireSeconds("attestream.quota.burst", quota.burst(), Quotas.MAX_BURST_SECONDS);
        requirePositive("attestream.quota.max-remembered", quota.maxRemembered());
    }

    /** Where TLS is on, nothing is served without it; and a certificate is asked for only where it is known who signs it. */
    private void checkTls() {
        boolean on = isSet(CONFIGURATION_NAME) || anySet(CERTIFICATE);
        boolean plainToo = !environment
                .getOptionalValue("quarkus.http.insecure-requests", String.class)
                .filter("disabled"::equalsIgnoreCase)
                .isPresent();
        if (on && plainToo) {
            reasons.add(
                    "quarkus.http.insecure-requests must be disabled where TLS is on: tokens would be sent in the clear");
        }
        if (config.tls().clientCertificateRequired() && !(on && anySet(trustStore()))) {
            reasons.add(
                    "attestream.tls.client-certificate-required needs TLS and a trust store (quarkus.tls….trust-store…):"
                            + " any certificate of a public authority would do without");
        }
    }

    /** That of the API's own configuration: another's says nothing of who may connect here. */
    private String trustStore() {
        return environment
                .getOptionalValue(CONFIGURATION_NAME, String.class)
                .map(name -> "quarkus\\.tls\\." + dotted(name) + "\\." + TRUST_STORE)
                .orElse("quarkus\\.tls\\." + TRUST_STORE
                        + "|quarkus\\.http\\.ssl\\.certificate\\.trust\\.store\\.file");
    }

    private static String dotted(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", ".");
    }

    private boolean isSet(String name) {
        return environment.getOptionalValue(name, String.class).isPresent();
    }

    /** @param pattern of names in small letters with dots only: a variable's name does not tell dots from dashes */
    private boolean anySet(String pattern) {
        return StreamSupport.stream(environment.getPropertyNames().spliterator(), false)
                .filter(name -> dotted(name).matches(pattern))
                .anyMatch(this::isSet);
    }

    private void requireRate(String name, long perSecond) {
        if (perSecond < 0 || perSecond > Quotas.MAX_PER_SECOND) {
            reasons.add("attestream.quota." + name + "-per-second must be from 1 to " + Quotas.MAX_PER_SECOND
                    + ", or 0 for no limit; is " + perSecond);
        }
    }

    private void requireSeconds(String name, Duration duration, long max) {
        if (duration.toSeconds() < 1 || duration.toSeconds() > max) {
            reasons.add(name + " must be from 1 s to " + max + " s, is " + duration.toMillis() + " ms");
        }
    }

    private void requireRoom(String what, long room, String name, long needed) {
        if (room < needed) {
            reasons.add("attestream.admission.max-in-flight-" + what + " must not be below attestream.ingest." + name
                    + " " + needed + ", is " + room);
        }
    }

    private void requireHttp(String name, URI url) {
        boolean http = "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
        if (!http || url.getHost() == null) {
            reasons.add(name + " must have only http or https URLs with a host");
        }
    }

    private void requirePositive(String name, long value) {
        if (value < 1) {
            reasons.add(name + " must be at least 1, is " + value);
        }
    }

    private String read(String name, Path file) {
        try {
            if (Files.size(file) <= MAX_FILE_SIZE_BYTES) {
                return Files.readString(file, StandardCharsets.US_ASCII).strip();
            }
        } catch (IOException e) {
            // Said below, without what is in the file.
        }
        reasons.add(name + ": " + file + " cannot be read as a small text file");
        return "";
    }

    /** What every Kafka client connects with: {@code bootstrap.servers}, and what tells the brokers who this is. */
    public Map<String, Object> kafkaConnection() {
        return kafkaConnection;
    }

    public NoteVerifier ledgerKey() {
        return require(ledgerKey);
    }

    public ContentTag contentTag() {
        return require(contentTag);
    }

    /** Bearer secret of the internal HTTP interfaces. */
    public String internalSecret() {
        return require(internalSecret);
    }

    private static <T> T require(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("not started");
        }
        return value;
    }
}
