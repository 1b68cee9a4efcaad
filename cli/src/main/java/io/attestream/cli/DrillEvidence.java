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
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
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
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The evidence of one drill: a directory named by its time in UTC, whose files are listed with their SHA-256 in a note that the
 * drills' key signed, with the drill before it. Who has the key's public half sees whether a file was edited, added or taken away,
 * or a whole drill.
 */
final class DrillEvidence {
    static final String SUMMARY = "drill_summary.json";
    static final List<String> DOCUMENTS =
            List.of(SUMMARY, "verifier_output.json", "before_state.json", "after_state.json", "drill_input.json");

    private static final String NOTE = "evidence.note";
    private static final String LOGS = "logs";
    private static final String FIRST_LINE = "attestream.drill/v1";
    private static final String RUNNING = ".running";
    private static final String NONE = "none";
    private static final int DIGEST_LENGTH = 64;
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

    /** Makes the directory of a drill that begins now; it gets its name when it is signed. */
    static DrillEvidence create(Path root) {
        try {
            Files.createDirectories(root);
            Instant at = Instant.now();
            while (Files.exists(root.resolve(NAME.format(at))) || Files.exists(running(root, at))) {
                at = at.plusSeconds(1); // two drills in one second
            }
            Files.createDirectory(running(root, at));
            return new DrillEvidence(root.resolve(NAME.format(at)));
        } catch (IOException e) {
            throw LocalFiles.failure("make a directory in", root, e);
        }
    }

    private static Path running(Path root, Instant at) {
        return root.resolve(NAME.format(at) + RUNNING);
    }

    /** All that were signed, oldest first. */
    static List<DrillEvidence> all(Path root) throws IOException {
        try (Stream<Path> directories = Files.list(root)) {
            return directories
                    .filter(Files::isDirectory)
                    .filter(directory -> !directory.toString().endsWith(RUNNING))
                    .sorted()
                    .map(DrillEvidence::new)
                    .toList();
        }
    }

    private String name() {
        return directory.getFileName().toString();
    }

    // ---- writing

    /** Writes everything, signs it, and gives the directory its name. */
    void write(Drill.Outcomes outcomes, EvidenceOrigin origin, Path logs, NoteSigner key) {
        Path running = directory.resolveSibling(name() + RUNNING);
        try {
            write(running, SUMMARY, summary(outcomes, origin));
            write(running, "verifier_output.json", Output.object("v", 1, "checks", checks(outcomes)));
            write(running, "before_state.json", versioned(outcomes.before()));
            write(running, "after_state.json", versioned(outcomes.after()));
            write(running, "drill_input.json", input(outcomes));
            copyLogs(logs, running.resolve(LOGS));
            StringBuilder text = new StringBuilder(FIRST_LINE).append('\n');
            text.append("drill ").append(name()).append('\n');
            text.append("after ").append(predecessor()).append('\n');
            digests(running)
                    .forEach((name, digest) ->
                            text.append(digest).append("  ").append(name).append('\n'));
            Files.writeString(
                    running.resolve(NOTE), SignedNote.sign(text.toString(), key).encode());
            Files.move(running, directory);
        } catch (IOException e) {
            throw LocalFiles.failure("write", running, e);
        }
    }

    /** Name and digest of the drill before this one in the same directory: none can be taken away unseen. */
    private String predecessor() throws IOException {
        List<DrillEvidence> before = all(directory.resolveSibling("")).stream()
                .filter(other -> other.name().compareTo(name()) < 0)
                .toList();
        return before.isEmpty() ? NONE : before.get(before.size() - 1).identity();
    }

    private String identity() throws IOException {
        return name() + " " + sha256(Files.readAllBytes(directory.resolve(NOTE)));
    }

    private static void write(Path directory, String name, Object content) throws IOException {
        Files.write(directory.resolve(name), JSON.writeValueAsBytes(content));
    }

    private static Map<String, Object> versioned(Map<String, Object> content) {
        Map<String, Object> all = Output.object("v", 1);
        all.putAll(content);
        return all;
    }

    private static Map<String, Object> summary(Drill.Outcomes outcomes, EvidenceOrigin origin) {
        Map<String, Object> summary = Output.object(
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
        origin.putInto(summary);
        return summary;
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

    /** A cluster that never started has none. */
    private static void copyLogs(Path logs, Path to) throws IOException {
        Files.createDirectory(to);
        if (Files.exists(logs)) {
            try (Stream<Path> files = Files.list(logs)) {
                for (Path log : files.filter(Files::isRegularFile).toList()) {
                    Files.copy(log, to.resolve(log.getFileName()));
                }
            }
        }
    }

    // ---- reading

    /**
     * Its summary.
     *
     * @param before the drill before it in the same directory
     * @param withLogs whether its logs have to be there too
     * @throws CliException if anything is not as it was signed, or missing
     */
    JsonNode verified(NoteVerifier key, Optional<DrillEvidence> before, boolean withLogs) {
        try {
            List<String> lines = signedLines(key);
            requireLine(lines, FIRST_LINE);
            requireLine(lines, "drill " + name());
            requireLine(
                    lines, "after " + (before.isEmpty() ? NONE : before.get().identity()));
            Map<String, String> signed = digests(lines);
            Map<String, String> found = digests(directory);
            for (String document : DOCUMENTS) {
                if (!signed.containsKey(document)) {
                    throw edited("evidence of " + document + " is missing");
                }
            }
            signed.forEach((name, digest) -> {
                String actual = found.getOrDefault(name, "no file");
                boolean elsewhere = !withLogs && name.startsWith(LOGS + "/") && !found.containsKey(name);
                if (!elsewhere && !actual.equals(digest)) {
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

    private List<String> signedLines(NoteVerifier key) throws IOException {
        Path note = directory.resolve(NOTE);
        if (!Files.exists(note)) {
            throw edited("it has no " + NOTE);
        }
        try {
            SignedNote signed = SignedNote.parse(Files.readAllBytes(note));
            if (signed.verify(List.of(key)) instanceof NoteVerification.Rejected rejected) {
                throw edited(NOTE + ": " + rejected.reason());
            }
            return new ArrayList<>(signed.text().lines().toList());
        } catch (InvalidFormat e) {
            throw edited(NOTE + " cannot be read: " + e.getMessage());
        }
    }

    private void requireLine(List<String> lines, String expected) {
        String line = lines.isEmpty() ? "" : lines.remove(0);
        if (!line.equals(expected)) {
            throw edited(NOTE + " says \"" + line + "\", expected is \"" + expected
                    + "\": it was moved, or a drill before it was taken away");
        }
    }

    private static Map<String, String> digests(List<String> lines) {
        Map<String, String> digests = new TreeMap<>();
        for (String line : lines) {
            digests.put(line.substring(DIGEST_LENGTH + 2), line.substring(0, DIGEST_LENGTH));
        }
        return digests;
    }

    private CliException edited(String what) {
        return new CliException(
                ExitCode.VERIFICATION_FAILED,
                "the evidence in " + directory + " is not what was signed: " + what,
                "Put back what was signed, or move the directory away and run the drill again.");
    }

    /** SHA-256 of every file but the note, by its name. */
    private static Map<String, String> digests(Path directory) throws IOException {
        Map<String, String> digests = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(file -> !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS))
                    .toList()) {
                String name = directory.relativize(file).toString().replace(File.separatorChar, '/');
                if (!name.equals(NOTE)) {
                    digests.put(name, sha256(Files.readAllBytes(file)));
                }
            }
        }
        return digests;
    }

    /** 64 hexadecimal digits. */
    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    // ---- the key

    /** The drills' key in this file; made if it is not there, with its public half beside it. */
    static NoteSigner key(Path file) {
        try {
            if (!Files.exists(file)) {
                Files.createDirectories(file.toAbsolutePath().getParent());
                NoteSigner made = NoteSigner.generate(KEY_NAME, new SecureRandom());
                Secrets.write(file, made.skey() + "\n");
                Files.writeString(publicHalf(file), made.verifier().vkey() + "\n");
            }
            return NoteSigner.parse(
                    Files.readString(file, StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw LocalFiles.failure("write", file, e);
        } catch (InvalidFormat e) {
            throw new CliException(ExitCode.ERROR, file + " holds no signing key", "Name another with --key-file.");
        }
    }

    static Path publicHalf(Path keyFile) {
        return keyFile.resolveSibling(keyFile.getFileName().toString().replaceAll("\\.skey$", "") + ".vkey");
    }
}
