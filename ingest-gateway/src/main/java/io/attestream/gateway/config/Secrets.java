// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.config;

import io.attestream.objects.ObjectStores;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.note.NoteVerifier;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keys and secrets out of their files, read once at start. A start without any of them is refused; none is ever logged. */
@ApplicationScoped
public class Secrets {
    private static final int MAX_FILE_SIZE_BYTES = 4_096;
    private static final int MIN_SECRET_LENGTH = 16;
    private static final Logger LOG = LoggerFactory.getLogger(Secrets.class);

    private final GatewayConfig config;
    private final List<String> reasons = new ArrayList<>();
    private @Nullable NoteVerifier ledgerKey;
    private @Nullable ContentTag contentTag;
    private @Nullable String internalSecret;

    Secrets(GatewayConfig config) {
        this.config = config;
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
