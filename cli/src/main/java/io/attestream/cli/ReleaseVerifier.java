// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Envelope;
import io.attestream.proofs.attestation.Envelope.Verification;
import io.attestream.proofs.attestation.Statement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Holds the files of a release against a key, without network. Every check says what came of it; none is left out. */
final class ReleaseVerifier {
    /** What is checked of every release, by name. */
    static final List<String> CHECKS = List.of(
            "checksums-signature",
            "checksums",
            "contents",
            "provenance-signature",
            "provenance-subjects",
            "provenance-commit",
            "provenance-builder",
            "sbom",
            "transparency-log",
            "vulnerabilities");

    private static final int DIFFERENCES_SHOWN = 5;

    private final ReleaseFiles files;
    private final Envelope.Verifier key;
    private final Expected expected;
    private final List<Check> checks = new ArrayList<>();

    /** What came of a check. What could not be made is never one that passed. */
    enum Outcome {
        PASSED,
        FAILED,
        NOT_ASSESSED
    }

    /**
     * A check.
     *
     * @param detail what was held against what, with the names of files that are not as they have to be
     */
    record Check(String name, Outcome outcome, String detail) {}

    /** What the user knows of the release from elsewhere. */
    record Expected(Optional<String> commit, Optional<String> builder) {}

    /** Ends a check as failed; the message names the file. */
    private static final class Failed extends Exception {
        private static final long serialVersionUID = 1L;

        Failed(String message) {
            super(message);
        }
    }

    /** A check, which says what it saw. */
    @FunctionalInterface
    private interface Look {
        String at() throws Failed, IOException, InvalidFormat;
    }

    ReleaseVerifier(ReleaseFiles files, Envelope.Verifier key, Expected expected) {
        this.files = files;
        this.key = key;
        this.expected = expected;
    }

    /** @throws IOException if there is no such directory, or it cannot be listed */
    List<Check> run() throws IOException {
        Set<String> present = files.names();
        Set<String> archives = ending(present, ReleaseFiles.ARCHIVE);
        check("checksums-signature", this::checksumsSignature);
        check("checksums", () -> checksums(present));
        check("contents", () -> contents(present, archives));
        boolean isSigned = checks.stream()
                .filter(check -> check.name().startsWith("checksums"))
                .allMatch(check -> check.outcome() == Outcome.PASSED);
        for (String archive : archives) {
            provenance(archive);
            if (isSigned) {
                check("sbom", () -> sbom(archive));
            } else {
                notAssessed("sbom", archive + " is not opened: it is not what the key signed");
            }
        }
        notAssessed(
                "transparency-log",
                (present.contains(ReleaseFiles.SIGSTORE) ? ReleaseFiles.SIGSTORE + " was not looked at: " : "")
                        + "keyless signatures and their log need the network: cosign verify-blob, gh attestation verify");
        notAssessed("vulnerabilities", "a scan needs a database of today: give the SBOM to a scanner");
        return List.copyOf(checks);
    }

    private void check(String name, Look look) {
        try {
            checks.add(new Check(name, Outcome.PASSED, look.at()));
        } catch (Failed | IOException | InvalidFormat e) {
            checks.add(new Check(name, Outcome.FAILED, String.valueOf(e.getMessage())));
        }
    }

    private void notAssessed(String name, String why) {
        checks.add(new Check(name, Outcome.NOT_ASSESSED, why));
    }

    private String checksumsSignature() throws Failed, IOException {
        byte[] text = read(ReleaseFiles.CHECKSUMS);
        String signature = new String(read(ReleaseFiles.SIGNATURE), StandardCharsets.US_ASCII);
        try {
            String line = signature.endsWith("\n") ? signature.substring(0, signature.length() - 1) : signature;
            if (key.verify(text, Base64Text.decode(line, ReleaseFiles.SIGNATURE))) {
                return ReleaseFiles.CHECKSUMS + " is signed by the key";
            }
        } catch (InvalidFormat e) {
            throw new Failed(String.valueOf(e.getMessage()));
        }
        throw new Failed(ReleaseFiles.SIGNATURE + " is no signature of " + ReleaseFiles.CHECKSUMS + " by the key");
    }

    private String checksums(Set<String> present) throws Failed, IOException {
        Map<String, String> listed;
        try {
            listed = Checksums.parse(new String(read(ReleaseFiles.CHECKSUMS), StandardCharsets.UTF_8));
        } catch (InvalidFormat e) {
            throw new Failed(ReleaseFiles.CHECKSUMS + ": " + e.getMessage());
        }
        List<String> wrong = new ArrayList<>();
        for (String name : present) {
            if (!files.isFile(name)) {
                wrong.add(name + " is no file");
            } else if (ReleaseFiles.isListed(name) && !listed.containsKey(name)) {
                wrong.add(name + " is not listed");
            }
        }
        for (Map.Entry<String, String> file : listed.entrySet()) {
            if (!present.contains(file.getKey())) {
                wrong.add(file.getKey() + " is missing");
            } else if (files.isFile(file.getKey())
                    && !Checksums.sha256(files.path(file.getKey())).equals(file.getValue())) {
                wrong.add(file.getKey() + " has another SHA-256");
            }
        }
        return allOf(listed.size() + " files have the SHA-256 listed, and there is no other", wrong);
    }

    /** What users unpack has to be there with all that says where it comes from, and nothing of another kind. */
    private static String contents(Set<String> present, Set<String> archives) throws Failed {
        Set<String> wanted = new TreeSet<>(archives);
        for (String archive : archives) {
            wanted.add(ReleaseFiles.beside(archive, ReleaseFiles.SBOM));
            wanted.add(ReleaseFiles.beside(archive, ReleaseFiles.PROVENANCE));
        }
        List<String> wrong = new ArrayList<>();
        if (archives.isEmpty()) {
            wrong.add("there is no archive (*" + ReleaseFiles.ARCHIVE + ")");
        }
        wanted.stream().filter(name -> !present.contains(name)).forEach(name -> wrong.add(name + " is missing"));
        present.stream()
                .filter(name -> ReleaseFiles.isListed(name) && !wanted.contains(name))
                .forEach(name -> wrong.add(name + " belongs to no archive"));
        return allOf(String.join(", ", archives) + " with SBOM and provenance", wrong);
    }

    private void provenance(String archive) {
        String name = ReleaseFiles.beside(archive, ReleaseFiles.PROVENANCE);
        Optional<Statement> statement = Optional.empty();
        Optional<Provenance> provenance = Optional.empty();
        try {
            statement = Optional.of(statement(name));
            provenance = Optional.of(Provenance.of(statement.orElseThrow()));
            checks.add(new Check("provenance-signature", Outcome.PASSED, name + " is signed by the key"));
        } catch (Failed | IOException e) {
            checks.add(new Check("provenance-signature", Outcome.FAILED, String.valueOf(e.getMessage())));
        } catch (InvalidFormat e) {
            checks.add(new Check("provenance-signature", Outcome.FAILED, name + ": " + e.getMessage()));
        }
        if (statement.isEmpty() || provenance.isEmpty()) {
            for (String check : List.of("provenance-subjects", "provenance-commit", "provenance-builder")) {
                notAssessed(check, name + " says nothing that may be believed");
            }
            return;
        }
        Map<String, String> subjects = statement.get().subjects();
        Provenance built = provenance.get();
        check("provenance-subjects", () -> subjects(name, subjects, archive));
        expected("provenance-commit", "--commit", name, built.commit(), expected.commit());
        expected("provenance-builder", "--builder", name, built.builder(), expected.builder());
    }

    private Statement statement(String name) throws Failed, IOException, InvalidFormat {
        Verification verification = Envelope.parse(read(name)).verify(Statement.MEDIA_TYPE, key);
        if (verification instanceof Verification.Verified verified) {
            return Statement.parse(verified.payload());
        }
        throw new Failed(name + ": " + ((Verification.Rejected) verification).reason());
    }

    private String subjects(String name, Map<String, String> subjects, String archive) throws Failed, IOException {
        Set<String> wanted = Set.of(archive, ReleaseFiles.beside(archive, ReleaseFiles.SBOM));
        List<String> wrong = new ArrayList<>();
        for (String file : new TreeSet<>(wanted)) {
            if (!subjects.containsKey(file)) {
                wrong.add(file + " is no subject of " + name);
            } else if (!files.isFile(file)) {
                wrong.add(file + " is missing");
            } else if (!Checksums.sha256(files.path(file)).equals(subjects.get(file))) {
                wrong.add(file + " has another SHA-256 than in " + name);
            }
        }
        new TreeMap<>(subjects)
                .keySet().stream()
                        .filter(file -> !wanted.contains(file))
                        .forEach(file -> wrong.add(file + " is a subject of " + name + " and not of this release"));
        return allOf(String.join(", ", new TreeSet<>(wanted)) + " are what was built", wrong);
    }

    private void expected(String check, String option, String file, String actual, Optional<String> expectation) {
        if (expectation.isEmpty()) {
            notAssessed(check, actual + ": say with " + option + " which you expect");
        } else if (expectation.get().equals(actual)) {
            checks.add(new Check(check, Outcome.PASSED, actual));
        } else {
            checks.add(
                    new Check(check, Outcome.FAILED, file + " names " + actual + ", expected is " + expectation.get()));
        }
    }

    private String sbom(String archive) throws Failed, IOException {
        String name = ReleaseFiles.beside(archive, ReleaseFiles.SBOM);
        Map<String, String> jars;
        ReleaseSbom sbom;
        try {
            jars = ReleaseArchive.jars(files.path(archive));
        } catch (InvalidFormat e) {
            throw new Failed(archive + ": " + e.getMessage());
        }
        try {
            sbom = ReleaseSbom.parse(read(name));
        } catch (InvalidFormat e) {
            throw new Failed(name + ": " + e.getMessage());
        }
        if (jars.isEmpty()) {
            throw new Failed(archive + " has no jar");
        }
        List<String> differences =
                sbom.differences(jars).stream().map(one -> name + ": " + one).toList();
        return allOf(jars.size() + " jars are what " + name + " lists, by SHA-256", differences);
    }

    private byte[] read(String name) throws Failed, IOException {
        if (!files.isFile(name)) {
            throw new Failed(name + " is missing");
        }
        return files.read(name);
    }

    private static Set<String> ending(Set<String> names, String suffix) {
        Set<String> ending = new TreeSet<>(names);
        ending.removeIf(name -> !name.endsWith(suffix));
        return ending;
    }

    private static String allOf(String passed, List<String> wrong) throws Failed {
        if (wrong.isEmpty()) {
            return passed;
        }
        String more = wrong.size() > DIFFERENCES_SHOWN ? ", and " + (wrong.size() - DIFFERENCES_SHOWN) + " more" : "";
        throw new Failed(String.join(", ", wrong.subList(0, Math.min(wrong.size(), DIFFERENCES_SHOWN))) + more);
    }
}
