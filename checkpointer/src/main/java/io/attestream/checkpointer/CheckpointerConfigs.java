// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.access.BearerSecret;
import io.attestream.objects.ObjectStores;
import io.attestream.objects.keys.PayloadKeysSetting;
import io.attestream.operations.doubt.Doubt;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.MlDsaSigner;
import io.attestream.proofs.note.MlDsaVerifier;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tile.TilePath;
import io.attestream.schemas.connection.KafkaConnection;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads and checks the settings; whatever is wrong is named all at once. */
final class CheckpointerConfigs {
    private static final long KEY_FILE_BYTES_MAX = 4096;
    /** How often a pack is in memory while it is made: rows, object, and what is read back. */
    private static final int PACK_COPIES = 4;

    private CheckpointerConfigs() {}

    /**
     * From system properties, the environment and {@code application.properties}, in this order.
     *
     * @throws RuntimeException naming the setting, if one is missing or cannot be read
     */
    static CheckpointerConfig load() {
        return load(new SmallRyeConfigBuilder().addDefaultInterceptors().addDefaultSources());
    }

    static CheckpointerConfig load(SmallRyeConfigBuilder builder) {
        // The prefix is shared with the other services, whose settings may be in the same environment.
        return builder.withMappingIgnore("attestream.**")
                .withMapping(CheckpointerConfig.class)
                .build()
                .getConfigMapping(CheckpointerConfig.class);
    }

    /** What is wrong, one line a setting; empty if nothing is. */
    static List<String> problems(CheckpointerConfig config) {
        List<String> problems = new ArrayList<>();
        require(problems, config.generation() >= 1, "attestream.generation must be at least 1");
        require(
                problems,
                config.topics().prefix().matches("[a-zA-Z0-9._-]{1,100}"),
                "attestream.topics.prefix must be 1 to 100 of letters, digits, '.', '_', '-'");
        require(
                problems,
                config.http().port() >= 0 && config.http().port() <= 65535,
                "attestream.http.port must be from 0 to 65535");
        CheckpointerConfig.Checkpointer own = config.checkpointer();
        requireRange(problems, "attestream.checkpointer.interval-millis", own.intervalMillis(), 10, 60_000);
        requireRange(
                problems,
                "attestream.checkpointer.shard-notes-interval-millis",
                own.shardNotesIntervalMillis(),
                10,
                3_600_000);
        requireRange(problems, "attestream.checkpointer.epoch-leaves-max", own.epochLeavesMax(), 1, 1L << 24);
        requireRange(problems, "attestream.checkpointer.epoch-size-bytes-max", own.epochSizeBytesMax(), 1, 1L << 30);
        requireRange(
                problems, "attestream.checkpointer.shard-backlog-bytes-max", own.shardBacklogBytesMax(), 1, 1L << 34);
        requireRange(
                problems, "attestream.checkpointer.scrub-interval-millis", own.scrubIntervalMillis(), 100, 1L << 32);
        requireRange(
                problems,
                "attestream.checkpointer.scrub-bytes-per-second-max",
                own.scrubBytesPerSecondMax(),
                1 << 10,
                1L << 40);
        requireRange(problems, "attestream.doubt-shown-millis", config.doubtShownMillis(), 0, Doubt.SHOWN_MILLIS_MAX);
        requirePacks(problems, config.packs(), config.dev());
        CheckpointerConfig.Snapshots snapshots = config.snapshots();
        requireRange(problems, "attestream.snapshots.interval-millis", snapshots.intervalMillis(), 0, 1L << 32);
        requireRange(problems, "attestream.snapshots.kept", snapshots.kept(), 1, 1_000);
        ObjectStores.problem(config.objects().location())
                .ifPresent(problem -> problems.add("attestream.objects.location: " + problem));
        config.payloadKeys()
                .location()
                .ifPresent(location -> problems.addAll(PayloadKeysSetting.problems(
                        location, Optional.of(config.objects().location()))));
        config.internal().secretFile().ifPresent(file -> requireSecret(problems, file));
        requireConnection(problems, config.kafka());
        requireKeys(problems, config.ledger());
        return problems;
    }

    private static void requireSecret(List<String> problems, Path file) {
        try {
            BearerSecret.read(file);
        } catch (IOException e) {
            problems.add("attestream.internal.secret-file " + file + " cannot be used: " + e.getMessage());
        }
    }

    private static void requireConnection(List<String> problems, CheckpointerConfig.Kafka kafka) {
        try {
            connection(kafka);
        } catch (KafkaConnection.Refused e) {
            problems.add("attestream.kafka.config-file " + e.getMessage());
        }
    }

    /** What every Kafka client connects with. */
    static Map<String, Object> connection(CheckpointerConfig.Kafka kafka) throws KafkaConnection.Refused {
        return KafkaConnection.of(kafka.bootstrapServers(), kafka.configFile());
    }

    private static void requirePacks(List<String> problems, CheckpointerConfig.Packs packs, boolean dev) {
        String leavesMax = "attestream.packs.leaves-max";
        requireRange(problems, leavesMax, packs.leavesMax(), 256, PackName.LEAVES_MAX);
        require(
                problems,
                packs.leavesMax() % TilePath.FULL_WIDTH == 0,
                leavesMax + " is " + packs.leavesMax() + ", must be a multiple of 256");
        requireRange(problems, "attestream.packs.size-bytes-max", packs.sizeBytesMax(), 1, 1L << 30);
        requireRange(problems, "attestream.packs.age-millis-max", packs.ageMillisMax(), 1_000, 1L << 32);
        requireRange(
                problems,
                "attestream.packs.segment-grace-millis",
                packs.segmentGraceMillis(),
                dev ? 1_000 : 60_000,
                1L << 32);
    }

    /**
     * What the shards of a ledger hold in memory when dedup windows and backlogs are full, if that is more than there is; said
     * at start, because the windows fill up only in the course of months.
     *
     * @param windowLeaves of each shard
     */
    static Optional<String> memoryProblem(
            CheckpointerConfig.Checkpointer own, long packSizeBytesMax, List<Long> windowLeaves, long heapBytesMax) {
        long needed = own.epochSizeBytesMax() + PACK_COPIES * packSizeBytesMax;
        long largest = 0;
        for (long leaves : windowLeaves) {
            needed += leaves * SeenEvents.BYTES_PER_LEAF + own.shardBacklogBytesMax();
            largest = Math.max(largest, leaves * SeenEvents.BYTES_PER_LEAF);
        }
        needed += largest; // the scrub of topic events, one shard behind the other
        return needed <= heapBytesMax
                ? Optional.empty()
                : Optional.of("dedup windows and backlogs of " + windowLeaves.size() + " shards and a pack grow to "
                        + (needed >> 20)
                        + " MiB, the heap has at most " + (heapBytesMax >> 20)
                        + " MiB: raise -Xmx before they do, or set a lower"
                        + " attestream.checkpointer.shard-backlog-bytes-max or attestream.packs.size-bytes-max");
    }

    private static void requireKeys(List<String> problems, CheckpointerConfig.LedgerKeys keys) {
        NoteVerifier first = null;
        try {
            first = NoteVerifier.parse(keys.verifierKey());
        } catch (InvalidFormat e) {
            problems.add("attestream.ledger.verifier-key is not a note verifier key: " + e.getMessage());
        }
        try {
            List<NoteVerifier> signing = signingKeys(keys).verifiers();
            Optional<KeyChanges> changes = keyChanges(keys);
            if (first != null) {
                requireKnown(problems, first, signing, changes);
            }
        } catch (RefusedKeyException e) {
            problems.add(String.valueOf(e.getMessage()));
        }
    }

    /** Whether they fit what the ledger logged is seen when that is read. */
    private static void requireKnown(
            List<String> problems, NoteVerifier first, List<NoteVerifier> signing, Optional<KeyChanges> changes) {
        KeyHistory after = KeyHistory.of(first);
        if (changes.isPresent()) {
            try {
                after = KeyChanges.after(after, changes.get().pending(after));
            } catch (InvalidFormat e) {
                problems.add("attestream.ledger.key-changes-file does not hold: " + e.getMessage());
                return;
            }
        }
        List<NoteVerifier> known =
                after.spans().stream().map(KeyHistory.Span::key).toList();
        for (NoteVerifier key : signing) {
            if (!known.contains(key)) {
                problems.add("the signing key is that of " + key.vkey() + ", attestream.ledger.verifier-key is another"
                        + (changes.isPresent() ? " and attestream.ledger.key-changes-file does not announce it" : ""));
            }
        }
    }

    /** The private key could not be had; the message never contains any of it. */
    static final class RefusedKeyException extends Exception {
        RefusedKeyException(String message) {
            super(message);
        }
    }

    /** Reads the private keys from where the settings say. */
    static SigningKeys signingKeys(CheckpointerConfig.LedgerKeys keys) throws RefusedKeyException {
        if (keys.signingKeyFile().isPresent() == keys.signingKey().isPresent()) {
            throw new RefusedKeyException(
                    "set exactly one of attestream.ledger.signing-key-file and ATTESTREAM_LEDGER_SIGNING_KEY");
        }
        List<NoteSigner> signers = new ArrayList<>();
        if (keys.signingKey().isPresent()) {
            signers.add(signingKey(keys.signingKey().get()));
        }
        for (Path file : keys.signingKeyFile().orElse(List.of())) {
            signers.add(signingKey(readKeyFile("attestream.ledger.signing-key-file", file)));
        }
        try {
            return new SigningKeys(signers, mlDsaKey(keys));
        } catch (IllegalArgumentException e) {
            throw new RefusedKeyException("attestream.ledger.signing-key-file: " + e.getMessage());
        }
    }

    private static Optional<MlDsaSigner> mlDsaKey(CheckpointerConfig.LedgerKeys keys) throws RefusedKeyException {
        if (keys.mlDsaKeyFile().isEmpty()) {
            return Optional.empty();
        }
        String setting = "attestream.ledger.ml-dsa-key-file";
        if (!MlDsaVerifier.isSupported()) {
            throw new RefusedKeyException(
                    setting + " is set, and this Java platform has no ML-DSA-44: use version 24 or"
                            + " newer, or leave the setting away");
        }
        try {
            return Optional.of(MlDsaSigner.parse(
                    readKeyFile(setting, keys.mlDsaKeyFile().get()).strip()));
        } catch (InvalidFormat e) {
            throw new RefusedKeyException(setting + " holds no ML-DSA-44 signing key (PRIVATE+KEY+…)");
        }
    }

    private static NoteSigner signingKey(String text) throws RefusedKeyException {
        try {
            return NoteSigner.parse(text.strip());
        } catch (InvalidFormat e) {
            throw new RefusedKeyException("the signing key is not a note signing key (PRIVATE+KEY+…)");
        }
    }

    /** Reads the changes of keys from where the settings say; empty if they say nothing. */
    static Optional<KeyChanges> keyChanges(CheckpointerConfig.LedgerKeys keys) throws RefusedKeyException {
        if (keys.keyChangesFile().isEmpty()) {
            return Optional.empty();
        }
        Path file = keys.keyChangesFile().get();
        try {
            return Optional.of(KeyChanges.parse(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new RefusedKeyException("attestream.ledger.key-changes-file " + file + " cannot be read: "
                    + e.getClass().getSimpleName());
        } catch (InvalidFormat e) {
            throw new RefusedKeyException(
                    "attestream.ledger.key-changes-file " + file + " holds no key changes: " + e.getMessage());
        }
    }

    private static String readKeyFile(String name, Path file) throws RefusedKeyException {
        String setting = name + " " + file;
        try {
            PosixFileAttributeView posix = Files.getFileAttributeView(file, PosixFileAttributeView.class);
            if (posix != null) {
                Set<PosixFilePermission> permissions = posix.readAttributes().permissions();
                for (PosixFilePermission permission : permissions) {
                    if (!permission.name().startsWith("OWNER_")) {
                        throw new RefusedKeyException(setting + " is open to others than its owner: chmod 600 it");
                    }
                }
            }
            if (Files.size(file) > KEY_FILE_BYTES_MAX) {
                throw new RefusedKeyException(setting + " is larger than " + KEY_FILE_BYTES_MAX + " bytes");
            }
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new RefusedKeyException(
                    setting + " cannot be read: " + e.getClass().getSimpleName());
        }
    }

    private static void requireRange(List<String> problems, String name, long value, long min, long max) {
        require(problems, value >= min && value <= max, name + " is " + value + ", must be from " + min + " to " + max);
    }

    private static void require(List<String> problems, boolean condition, String problem) {
        if (!condition) {
            problems.add(problem);
        }
    }
}
