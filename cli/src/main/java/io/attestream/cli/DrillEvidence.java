// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.attestream.chaos.Secrets;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The evidence of one drill: a directory named by its time in UTC, whose files are listed with their SHA-256 in a note that the
 * drills' key signed. Who has the key's public half sees whether one was edited, added or taken away.
 */
final class DrillEvidence {
    static final String SUMMARY = "drill_summary.json";
    static final List<String> DOCUMENTS =
            List.of(SUMMARY, "verifier_output.json", "before_state.json", "after_state.json", "drill_input.json");

    private static final String NOTE = "evidence.note";
    private static final String FIRST_LINE = "attestream.drill/v1";
    private static final String KEY_NAME = "attestream.drill";
    private static final DateTimeFormatter NAME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH-mm-ss'Z'").withZone(ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Path directory;

    DrillEvidence(Path directory) {
        this.directory = directory;
    }

    Path directory() {
        return directory;
    }

    /** Makes the directory of a drill that begins now. */
    static DrillEvidence create(Path root) {
        try {
            Files.createDirectories(root);
            Instant at = Instant.now();
            while (Files.exists(root.resolve(NAME.format(at)))) {
                at = at.plusSeconds(1); // two drills in one second
            }
            return new DrillEvidence(Files.createDirectory(root.resolve(NAME.format(at))));
        } catch (IOException e) {
            throw LocalFiles.failure("make a directory in", root, e);
        }
    }

    // ---- writing

    void write(Drill.Outcomes outcomes, Path logs, NoteSigner key) {
        try {
            write(SUMMARY, summary(outcomes));
            write("verifier_output.json", Output.object("v", 1, "checks", checks(outcomes)));
            write("before_state.json", versioned(outcomes.before()));
            write("after_state.json", versioned(outcomes.after()));
            write("drill_input.json", input(outcomes));
            copyLogs(logs);
            StringBuilder text = new StringBuilder(FIRST_LINE).append('\n');
            digests()
                    .forEach((name, digest) ->
                            text.append(digest).append("  ").append(name).append('\n'));
            Files.writeString(
                    directory.resolve(NOTE),
                    SignedNote.sign(text.toString(), key).encode());
        } catch (IOException e) {
            throw LocalFiles.failure("write", directory, e);
        }
    }

    private void write(String name, Object content) throws IOException {
        Files.write(directory.resolve(name), JSON.writeValueAsBytes(content));
    }

    private static Map<String, Object> versioned(Map<String, Object> content) {
        Map<String, Object> all = Output.object("v", 1);
        all.putAll(content);
        return all;
    }

    private static Map<String, Object> summary(Drill.Outcomes outcomes) {
        return Output.object(
                "v",
                1,
                "case",
                outcomes.drill().word(),
                "mutation",
                outcomes.mutation().map(DrillMutation::word).orElse(""),
                "pass",
                outcomes.ok(),
                "asExpected",
                outcomes.isAsExpected(),
                "strict",
                outcomes.settings().strict(),
                "startedAt",
                outcomes.startedAt().toString(),
                "endedAt",
                outcomes.endedAt().toString(),
                "acknowledgedEvents",
                outcomes.acknowledged(),
                "rpo",
                Output.object("events", outcomes.lost(), "seconds", outcomes.lostSeconds()),
                "rto",
                Output.object("millis", outcomes.recoveryMillis(), "phasesMillis", outcomes.phasesMillis()),
                "checks",
                Output.object(
                        "passed", count(outcomes, DrillCheck.Outcome.PASSED),
                        "failed", count(outcomes, DrillCheck.Outcome.FAILED),
                        "notRun", count(outcomes, DrillCheck.Outcome.NOT_RUN)),
                "detected",
                outcomes.detected(),
                "warnings",
                outcomes.warnings());
    }

    private static long count(Drill.Outcomes outcomes, DrillCheck.Outcome outcome) {
        return outcomes.checks().stream()
                .filter(result -> result.outcome() == outcome)
                .count();
    }

    private static List<Map<String, Object>> checks(Drill.Outcomes outcomes) {
        return outcomes.checks().stream()
                .map(result -> Output.object(
                        "name", result.check().word(),
                        "what", result.check().what(),
                        "outcome", result.outcome().word(),
                        "detail", result.detail(),
                        "tookMillis", result.tookMillis()))
                .toList();
    }

    private static Map<String, Object> input(Drill.Outcomes outcomes) {
        return Output.object(
                "v", 1,
                "case", outcomes.drill().word(),
                "what", outcomes.drill().what(),
                "mutation", outcomes.mutation().map(DrillMutation::word).orElse(""),
                "strict", outcomes.settings().strict(),
                "shards", outcomes.settings().shards(),
                "events", outcomes.settings().events(),
                "java", System.getProperty("java.runtime.version"),
                "os", System.getProperty("os.name") + " " + System.getProperty("os.version"),
                "processors", Runtime.getRuntime().availableProcessors());
    }

    private void copyLogs(Path logs) throws IOException {
        Path to = Files.createDirectory(directory.resolve("logs"));
        try (Stream<Path> files = Files.list(logs)) {
            for (Path log : files.filter(Files::isRegularFile).toList()) {
                Files.copy(log, to.resolve(log.getFileName()));
            }
        }
    }

    // ---- reading

    /**
     * Its summary.
     *
     * @throws CliException if anything is not as it was signed, or missing
     */
    JsonNode verified(NoteVerifier key) {
        try {
            Map<String, String> signed = signedDigests(key);
            Map<String, String> found = digests();
            for (String document : DOCUMENTS) {
                if (!signed.containsKey(document)) {
                    throw edited("evidence of " + document + " is missing");
                }
            }
            signed.forEach((name, digest) -> {
                String actual = found.getOrDefault(name, "no file");
                if (!actual.equals(digest)) {
                    throw edited(name + " has SHA-256 " + actual + ", signed was " + digest);
                }
            });
            found.keySet().stream()
                    .filter(name -> !signed.containsKey(name))
                    .findFirst()
                    .ifPresent(name -> {
                        throw edited(name + " was added later");
                    });
            return JSON.readTree(Files.readAllBytes(directory.resolve(SUMMARY)));
        } catch (IOException e) {
            throw LocalFiles.failure("read", directory, e);
        }
    }

    private Map<String, String> signedDigests(NoteVerifier key) throws IOException {
        Path note = directory.resolve(NOTE);
        if (!Files.exists(note)) {
            throw edited("it has no " + NOTE);
        }
        try {
            SignedNote signed = SignedNote.parse(Files.readAllBytes(note));
            if (signed.verify(List.of(key)) instanceof NoteVerification.Rejected rejected) {
                throw edited(NOTE + ": " + rejected.reason());
            }
            List<String> lines = new ArrayList<>(signed.text().lines().toList());
            if (!lines.remove(0).equals(FIRST_LINE)) {
                throw edited(NOTE + " is of no drill");
            }
            Map<String, String> digests = new TreeMap<>();
            for (String line : lines) {
                digests.put(line.substring(66), line.substring(0, 64));
            }
            return digests;
        } catch (InvalidFormat e) {
            throw edited(NOTE + " cannot be read: " + e.getMessage());
        }
    }

    private CliException edited(String what) {
        return new CliException(
                ExitCode.VERIFICATION_FAILED,
                "the evidence in " + directory + " is not what was signed: " + what,
                "Put back what was signed, or move the directory away and run the drill again.");
    }

    /** SHA-256 of every file but the note, by its name. */
    private Map<String, String> digests() throws IOException {
        Map<String, String> digests = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = directory.relativize(file).toString();
                if (!name.equals(NOTE)) {
                    digests.put(name, sha256(Files.readAllBytes(file)));
                }
            }
        }
        return digests;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    // ---- the key

    /** The drills' key in this file; made if it is not there. */
    static NoteSigner key(Path file) {
        try {
            if (!Files.exists(file)) {
                if (file.getParent() != null) {
                    Files.createDirectories(file.getParent());
                }
                NoteSigner made = NoteSigner.generate(KEY_NAME, new SecureRandom());
                Secrets.write(file, made.skey() + "\n");
            }
            return NoteSigner.parse(
                    Files.readString(file, StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw LocalFiles.failure("write", file, e);
        } catch (InvalidFormat e) {
            throw new CliException(ExitCode.ERROR, file + " holds no signing key", "Name another with --key-file.");
        }
    }
}
