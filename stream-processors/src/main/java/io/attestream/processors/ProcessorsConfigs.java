// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.objects.ObjectStores;
import io.attestream.objects.keys.PayloadKeysSetting;
import io.attestream.operations.doubt.Doubt;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads and checks the settings; whatever is wrong is named all at once. */
final class ProcessorsConfigs {
    static final String ADMISSION = "admission";
    static final String SEQUENCER = "sequencer";
    static final String PROOFS = "proofs";

    private static final Set<String> ROLES = Set.of(ADMISSION, SEQUENCER, PROOFS);
    private static final int SECRET_SIZE_BYTES = 32;

    private ProcessorsConfigs() {}

    /**
     * From system properties, the environment and {@code application.properties}, in this order.
     *
     * @throws RuntimeException naming the setting, if one is missing or cannot be read
     */
    static ProcessorsConfig load() {
        return load(new SmallRyeConfigBuilder().addDefaultInterceptors().addDefaultSources());
    }

    static ProcessorsConfig load(SmallRyeConfigBuilder builder) {
        // The prefix is shared with the other services, whose settings may be in the same environment.
        return builder.withMappingIgnore("attestream.**")
                .withMapping(ProcessorsConfig.class)
                .build()
                .getConfigMapping(ProcessorsConfig.class);
    }

    /** What is wrong, one line a setting; empty if nothing is. */
    static List<String> problems(ProcessorsConfig config) {
        List<String> problems = new ArrayList<>();
        require(
                problems,
                !config.roles().isEmpty() && ROLES.containsAll(config.roles()),
                "attestream.roles must be some of admission, sequencer, proofs; is " + config.roles());
        require(
                problems,
                config.instanceId().matches("[A-Za-z0-9._-]{1,100}"),
                "attestream.instance-id must be 1 to 100 of letters, digits, '.', '_', '-'");
        require(problems, config.generation() >= 1, "attestream.generation must be at least 1");
        require(
                problems,
                config.topics().prefix().matches("[A-Za-z0-9_-]{1,64}"),
                "attestream.topics.prefix must be 1 to 64 letters, digits, - and _");
        require(
                problems,
                config.state().cacheSizeBytes() >= 1 << 20 && config.state().cacheSizeBytes() <= 1L << 32,
                "attestream.state.cache-size-bytes must be from 1 MiB to 4 GiB, is "
                        + config.state().cacheSizeBytes() + ": without a cache the edge record is written per event");
        require(
                problems,
                config.state().standbyReplicas() >= 0 && config.state().standbyReplicas() <= 4,
                "attestream.state.standby-replicas must be from 0 to 4");
        require(
                problems,
                config.state().scrubIntervalMillis() >= 100 && config.state().scrubIntervalMillis() <= 1L << 32,
                "attestream.state.scrub-interval-millis must be from 100 to 2^32");
        require(
                problems,
                config.state().scrubBytesPerSecondMax() >= 1 << 10
                        && config.state().scrubBytesPerSecondMax() <= 1L << 40,
                "attestream.state.scrub-bytes-per-second-max must be from 1 KiB to 1 TiB");
        require(
                problems,
                config.http().port() >= 0 && config.http().port() <= 65535,
                "attestream.http.port must be from 0 to 65535");
        require(
                problems,
                config.doubtShownMillis() >= 0 && config.doubtShownMillis() <= Doubt.SHOWN_MILLIS_MAX,
                "attestream.doubt-shown-millis must be from 0 to " + Doubt.SHOWN_MILLIS_MAX);
        requireKey(problems, config);
        requireSecret(
                problems, "attestream.internal.secret-file", config.internal().secretFile());
        requireAdmission(problems, config);
        requireConnection(problems, config.kafka());
        problems.addAll(PayloadKeysSetting.problems(
                config.payloadKeys().location(),
                config.payloadKeys().keyFile(),
                config.payloadKeys().rememberedMax(),
                config.objects().location()));
        config.objects()
                .location()
                .flatMap(ObjectStores::problem)
                .ifPresent(problem -> problems.add("attestream.objects.location: " + problem));
        return problems;
    }

    private static void requireConnection(List<String> problems, ProcessorsConfig.Kafka kafka) {
        try {
            connection(kafka);
        } catch (KafkaConnection.Refused e) {
            problems.add("attestream.kafka.config-file " + e.getMessage());
        }
    }

    /** What every Kafka client connects with. */
    static Map<String, Object> connection(ProcessorsConfig.Kafka kafka) throws KafkaConnection.Refused {
        return KafkaConnection.of(kafka.bootstrapServers(), kafka.configFile());
    }

    private static void requireKey(List<String> problems, ProcessorsConfig config) {
        try {
            NoteVerifier.parse(config.ledger().verifierKey());
        } catch (InvalidFormat e) {
            problems.add("attestream.ledger.verifier-key is not a note verifier key: " + e.getMessage());
        }
    }

    private static void requireAdmission(List<String> problems, ProcessorsConfig config) {
        List<String> tenants = config.admission().tenants().orElse(List.of());
        tenants.stream()
                .filter(tenant -> !Topics.isTenant(tenant))
                .forEach(tenant -> problems.add("attestream.admission.tenants has \"" + tenant
                        + "\"; a tenant with an inbox is named with 1 to 64 letters, digits, - and _"));
        if (config.roles().contains(ADMISSION) && !tenants.isEmpty()) {
            if (config.door().contentTagKeyFile().isEmpty()) {
                problems.add("attestream.door.content-tag-key-file is needed by admission");
            } else {
                requireSecret(
                        problems,
                        "attestream.door.content-tag-key-file",
                        config.door().contentTagKeyFile().get());
            }
        }
    }

    private static void requireSecret(List<String> problems, String setting, Path file) {
        try {
            secret(file);
        } catch (IOException | IllegalArgumentException e) {
            problems.add(setting + " " + file + " must be a readable file with 32 bytes in base64");
        }
    }

    /** 32 bytes out of a file in base64. */
    static byte[] secret(Path file) throws IOException {
        byte[] secret = Base64.getDecoder().decode(Files.readString(file).strip());
        if (secret.length != SECRET_SIZE_BYTES) {
            throw new IllegalArgumentException("not 32 bytes");
        }
        return secret;
    }

    private static void require(List<String> problems, boolean condition, String problem) {
        if (!condition) {
            problems.add(problem);
        }
    }
}
