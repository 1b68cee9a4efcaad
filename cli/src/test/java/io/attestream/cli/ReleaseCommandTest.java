// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Envelope;
import io.attestream.proofs.attestation.PemKeys;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A release of three jars, and everything that can be done to it between who made it and who downloads it. */
class ReleaseCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final String OTHER_COMMIT = "fedcba9876543210fedcba9876543210fedcba98";
    private static final String BUILDER = "https://ci.example.com/release";
    private static final String LIBRARY = "attestream-1.0/lib/library-2.0.jar";
    private static final String GENERATED = "attestream-1.0/app/quarkus/generated-bytecode.jar";
    private static final List<String> FILES = List.of(
            "SHA256SUMS",
            "SHA256SUMS.sig",
            "attestream-1.0.cdx.json",
            "attestream-1.0.intoto.jsonl",
            "attestream-1.0.zip");

    @TempDir
    private Path scratch;

    private final StringWriter err = new StringWriter();
    private final Map<String, byte[]> jars = new LinkedHashMap<>();
    private Path dist;
    private Path secret;
    private Path key;
    private Path licences;
    private int lastExitCode;

    @BeforeEach
    void makeRelease() throws Exception {
        dist = scratch.resolve("dist");
        secret = scratch.resolve("release.pem");
        key = scratch.resolve("release.pub.pem");
        licences = Files.writeString(scratch.resolve("licences.txt"), "# those we read\nApache-2.0\n");
        writeKeys(secret, key);
        jars.put("attestream-1.0/lib/attestream-cli-1.0.jar", utf8("ours"));
        jars.put(LIBRARY, utf8("of others"));
        jars.put("attestream-1.0/app/lib/org.example.library-2.0.jar", utf8("of others"));
        jars.put(GENERATED, utf8("made by the build"));
        jars.put("attestream-1.0/README.md", utf8("read me"));
        assertThat(assemble()).as(err.toString()).isZero();
        assertThat(sign(secret)).as(err.toString()).isZero();
    }

    private static void writeKeys(Path secret, Path key) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair pair = generator.generateKeyPair();
        Files.writeString(secret, pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
        Files.writeString(key, pem("PUBLIC KEY", pair.getPublic().getEncoded()));
    }

    private static String pem(String label, byte[] der) {
        String body = Base64.getMimeEncoder(64, utf8("\n")).encodeToString(der);
        return "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n";
    }

    private int assemble() throws IOException {
        Path archive = Files.write(scratch.resolve("attestream-1.0.zip"), zip());
        return run(
                "release",
                "assemble",
                "--archive",
                archive.toString(),
                "--sbom",
                Files.write(scratch.resolve("bom.json"), buildSbom("Apache-2.0"))
                        .toString(),
                "--licences",
                licences.toString(),
                "--dir",
                dist.toString());
    }

    private int sign(Path secretKey) {
        return run(
                "release",
                "sign",
                "--dir",
                dist.toString(),
                "--key",
                secretKey.toString(),
                "--commit",
                COMMIT,
                "--builder",
                BUILDER,
                "--repository",
                "https://github.com/attestream/attestream");
    }

    private byte[] zip() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> jar : jars.entrySet()) {
                zip.putNextEntry(new ZipEntry(jar.getKey()));
                zip.write(jar.getValue());
            }
        }
        return bytes.toByteArray();
    }

    /** As the build's tool makes it: knows a library that is shipped and one that is not, and nothing that is made later. */
    private static byte[] buildSbom(String licence) throws IOException {
        ObjectNode sbom = JSON.createObjectNode().put("bomFormat", "CycloneDX").put("specVersion", "1.6");
        ArrayNode components = sbom.putArray("components");
        for (String[] each : new String[][] {{"library", "of others"}, {"for-tests", "not shipped"}}) {
            ObjectNode component = components.addObject();
            component
                    .put("type", "library")
                    .put("name", each[0])
                    .put("purl", "pkg:maven/org.example/" + each[0] + "@2.0");
            component.put("bom-ref", "pkg:maven/org.example/" + each[0] + "@2.0");
            component.putArray("hashes").addObject().put("alg", "SHA-256").put("content", sha256(utf8(each[1])));
            component.putArray("licenses").addObject().putObject("license").put("id", licence);
        }
        sbom.putArray("dependencies")
                .addObject()
                .put("ref", "pkg:maven/org.example/library@2.0")
                .putArray("dependsOn")
                .add("pkg:maven/org.example/for-tests@2.0");
        return JSON.writeValueAsBytes(sbom);
    }

    private static String sha256(byte[] bytes) throws IOException {
        return Checksums.sha256(new ByteArrayInputStream(bytes));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private int run(String... arguments) {
        CommandLine commandLine = Main.commandLine();
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments);
    }

    /** What came of verifying. */
    private record Verdict(int exitCode, JsonNode json) {
        Map<String, String> outcomes() {
            Map<String, String> outcomes = new LinkedHashMap<>();
            json.path("checks")
                    .forEach(check -> outcomes.put(
                            check.path("name").asText(), check.path("outcome").asText()));
            return outcomes;
        }

        /** Details of the checks that failed. */
        List<String> failures() {
            List<String> failures = new ArrayList<>();
            json.path("checks").forEach(check -> {
                if (check.path("outcome").asText().equals("failed")) {
                    failures.add(check.path("detail").asText());
                }
            });
            return failures;
        }
    }

    private Verdict verify(Path publicKey, String... more) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("release", "verify", "--dir", dist.toString(), "--key", publicKey.toString(), "-o", "json"));
        command.addAll(List.of(more));
        String json = printed(command.toArray(String[]::new));
        return new Verdict(lastExitCode, JSON.readTree(json));
    }

    /** What a command writes to standard output. */
    private String printed(String... command) {
        PrintStream stdout = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            lastExitCode = run(command);
            return out.toString(StandardCharsets.UTF_8);
        } finally {
            System.setOut(stdout);
        }
    }

    private Verdict verify() throws IOException {
        return verify(key, "--commit", COMMIT, "--builder", BUILDER);
    }

    private void assertRefused(Verdict verdict, String... named) {
        assertThat(verdict.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(verdict.json().path("verified").asBoolean()).isFalse();
        for (String name : named) {
            assertThat(verdict.failures()).as(name).anyMatch(detail -> detail.contains(name));
        }
    }

    /** Signs anew, as who holds the key would, after a file was changed. */
    private void signAgain() throws IOException {
        for (String name : List.of("SHA256SUMS", "SHA256SUMS.sig", "attestream-1.0.intoto.jsonl")) {
            Files.deleteIfExists(dist.resolve(name));
        }
        assertThat(sign(secret)).as(err.toString()).isZero();
    }

    private void changeSbom(Consumer<ArrayNode> change) throws IOException {
        Path file = dist.resolve("attestream-1.0.cdx.json");
        JsonNode sbom = JSON.readTree(file.toFile());
        change.accept((ArrayNode) sbom.path("components"));
        Files.write(file, JSON.writeValueAsBytes(sbom));
    }

    @Test
    void verifiesWhatItMadeAndNamesWhatItCannotKnow() throws Exception {
        // when
        Verdict verdict = verify();

        // then
        assertThat(verdict.failures()).isEmpty();
        assertThat(verdict.exitCode()).isZero();
        assertThat(verdict.outcomes())
                .containsExactly(
                        Map.entry("checksums-signature", "passed"),
                        Map.entry("checksums", "passed"),
                        Map.entry("contents", "passed"),
                        Map.entry("provenance-signature", "passed"),
                        Map.entry("provenance-subjects", "passed"),
                        Map.entry("provenance-commit", "passed"),
                        Map.entry("provenance-builder", "passed"),
                        Map.entry("sbom", "passed"),
                        Map.entry("transparency-log", "not-assessed"),
                        Map.entry("vulnerabilities", "not-assessed"));
        assertThat(verdict.outcomes().keySet()).containsExactlyElementsOf(ReleaseVerifier.CHECKS);
        assertThat(verdict.json().path("originVerified").asBoolean()).isTrue();
        assertThat(names()).isEqualTo(FILES);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(dist)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void doesNotPassACommitOrABuilderThatNobodyExpects() throws Exception {
        Verdict verdict = verify(key);

        assertThat(verdict.exitCode()).isZero();
        assertThat(verdict.outcomes())
                .containsEntry("provenance-commit", "not-assessed")
                .containsEntry("provenance-builder", "not-assessed");
        assertThat(verdict.json().toString()).contains(COMMIT).contains(BUILDER);
        for (Verdict half : List.of(verdict, verify(key, "--commit", COMMIT), verify(key, "--builder", BUILDER))) {
            assertThat(half.json().path("verified").asBoolean()).isTrue();
            assertThat(half.json().path("originVerified").asBoolean(true)).isFalse();
        }
        assertThat(printed("release", "verify", "--dir", dist.toString(), "--key", key.toString()))
                .contains("VERIFIED, but not for which commit and builder");
    }

    @Test
    void refusesOneFlippedByteInAnyFile() throws Exception {
        for (String name : FILES) {
            Path file = dist.resolve(name);
            byte[] good = Files.readAllBytes(file);
            for (int at : new int[] {0, good.length / 3, good.length / 2, good.length - 1}) {
                // given
                byte[] flipped = good.clone();
                flipped[at] ^= 1;
                Files.write(file, flipped);

                // then it is found by its checksum, whatever else finds it
                Verdict verdict = verify();
                assertRefused(verdict, name);
                assertThat(verdict.outcomes())
                        .containsEntry(name.startsWith("SHA256SUMS") ? "checksums-signature" : "checksums", "failed");
            }
            Files.write(file, good);
        }
        assertThat(verify().exitCode()).isZero();
    }

    @Test
    void refusesAMissingFile() throws Exception {
        for (String name : FILES) {
            Path aside = Files.move(dist.resolve(name), scratch.resolve("aside"));
            assertRefused(verify(), name);
            Files.move(aside, dist.resolve(name));
        }
    }

    @Test
    void refusesAFileBeside() throws Exception {
        Path beside = Files.writeString(dist.resolve("install.sh"), "#!/bin/sh\n");
        assertRefused(verify(), "install.sh");

        Files.delete(beside);
        Files.createDirectory(dist.resolve("more"));
        assertRefused(verify(), "more");

        Files.delete(dist.resolve("more"));
        Files.createSymbolicLink(dist.resolve("SHA256SUMS.sigstore.json"), dist.resolve("SHA256SUMS"));
        assertRefused(verify(), "SHA256SUMS.sigstore.json");
    }

    @Test
    void doesNotPassAKeylessSignatureItCannotVerify() throws Exception {
        Files.writeString(dist.resolve("SHA256SUMS.sigstore.json"), "{}");

        Verdict verdict = verify();

        assertThat(verdict.exitCode()).isZero();
        assertThat(verdict.outcomes()).containsEntry("transparency-log", "not-assessed");
        assertThat(verdict.json().toString()).contains("SHA256SUMS.sigstore.json was not looked at");
    }

    @Test
    void refusesAnotherKey() throws Exception {
        Path other = scratch.resolve("other.pub.pem");
        writeKeys(scratch.resolve("other.pem"), other);

        Verdict verdict = verify(other, "--commit", COMMIT);

        assertRefused(verdict, "SHA256SUMS.sig", "attestream-1.0.intoto.jsonl");
        assertThat(verdict.outcomes())
                .containsEntry("provenance-subjects", "not-assessed")
                .containsEntry("provenance-commit", "not-assessed");
    }

    @Test
    void refusesChecksumsOfOneKeyWithProvenanceOfAnother() throws Exception {
        // given a provenance that who has no key made, listed in checksums that the key signed
        Path file = dist.resolve("attestream-1.0.intoto.jsonl");
        Path other = scratch.resolve("other.pem");
        writeKeys(other, scratch.resolve("other.pub.pem"));
        Envelope envelope = Envelope.parse(Files.readAllBytes(file));
        byte[] payload = ((Envelope.Verification.Verified)
                        envelope.verify("application/vnd.in-toto+json", PemKeys.parseVerifier(Files.readString(key))))
                .payload();
        Files.write(
                file,
                Envelope.sign("application/vnd.in-toto+json", payload, PemKeys.parseSigner(Files.readString(other)))
                        .encode());
        signChecksums();

        // then
        Verdict verdict = verify();
        assertRefused(verdict, "attestream-1.0.intoto.jsonl");
        assertThat(verdict.outcomes()).containsEntry("checksums", "passed");
    }

    private void signChecksums() throws Exception {
        Map<String, String> digests = Checksums.parse(Files.readString(dist.resolve("SHA256SUMS")));
        for (Map.Entry<String, String> file : digests.entrySet()) {
            file.setValue(Checksums.sha256(dist.resolve(file.getKey())));
        }
        String text = Checksums.text(digests);
        Files.writeString(dist.resolve("SHA256SUMS"), text);
        byte[] signature = PemKeys.parseSigner(Files.readString(secret)).sign(utf8(text));
        Files.writeString(dist.resolve("SHA256SUMS.sig"), Base64Text.encode(signature) + "\n");
    }

    @Test
    void refusesAnotherArchiveThanTheProvenanceNames() throws Exception {
        // given an archive that was put in after the provenance was made, and checksums that know it
        jars.put("attestream-1.0/lib/attestream-more-1.0.jar", utf8("more"));
        Files.write(dist.resolve("attestream-1.0.zip"), zip());
        signChecksums();

        // then
        Verdict verdict = verify();
        assertRefused(verdict, "attestream-1.0.zip has another SHA-256 than in attestream-1.0.intoto.jsonl");
        assertThat(verdict.outcomes()).containsEntry("checksums", "passed").containsEntry("sbom", "failed");
    }

    @Test
    void refusesAnotherCommitAndAnotherBuilder() throws Exception {
        assertRefused(verify(key, "--commit", OTHER_COMMIT), "attestream-1.0.intoto.jsonl", COMMIT, OTHER_COMMIT);
        assertRefused(verify(key, "--builder", "https://elsewhere.example"), "attestream-1.0.intoto.jsonl", BUILDER);
    }

    @Test
    void refusesAnSbomThatListsLess() throws Exception {
        changeSbom(components -> components.remove(0));
        signAgain();

        assertRefused(verify(), "attestream-1.0.cdx.json", LIBRARY + " is shipped and not listed");
    }

    @Test
    void refusesAnSbomThatListsMore() throws Exception {
        changeSbom(components -> {
            ObjectNode more = components.addObject().put("purl", "pkg:maven/org.example/more@1");
            more.putArray("hashes").addObject().put("alg", "SHA-256").put("content", "0".repeat(64));
        });
        signAgain();

        assertRefused(verify(), "attestream-1.0.cdx.json", "pkg:maven/org.example/more@1 is listed and not shipped");
    }

    @Test
    void refusesAnSbomWithoutDigests() throws Exception {
        changeSbom(components -> ((ObjectNode) components.get(0)).remove("hashes"));
        signAgain();

        assertRefused(verify(), "pkg:maven/org.example/library@2.0 has no SHA-256");
    }

    @Test
    void listsWhatIsShippedAndNothingElse() throws Exception {
        JsonNode sbom = JSON.readTree(dist.resolve("attestream-1.0.cdx.json").toFile());

        assertThat(sbom.path("components").findValuesAsText("name"))
                .containsExactlyInAnyOrder("library", GENERATED, "attestream-1.0/lib/attestream-cli-1.0.jar");
        assertThat(sbom.toString()).doesNotContain("for-tests");
    }

    @Test
    void assemblesTheSameBytesAgain() throws Exception {
        byte[] first = Files.readAllBytes(dist.resolve("attestream-1.0.cdx.json"));
        dist = scratch.resolve("again");

        assertThat(assemble()).isZero();
        assertThat(dist.resolve("attestream-1.0.cdx.json")).hasBinaryContent(first);
    }

    @Test
    void refusesToShipAJarTheBuildDoesNotKnow() throws Exception {
        jars.put("attestream-1.0/lib/unknown-1.jar", utf8("from somewhere"));
        dist = scratch.resolve("again");

        assertThat(assemble()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(err.toString()).contains("attestream-1.0/lib/unknown-1.jar");
        assertThat(dist).doesNotExist();
    }

    @Test
    void refusesToShipALicenceThatIsNotAllowed() throws Exception {
        Files.writeString(licences, "MIT\n");
        dist = scratch.resolve("again");

        assertThat(assemble()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(err.toString()).contains("pkg:maven/org.example/library@2.0 is under [Apache-2.0]");
        assertThat(dist).doesNotExist();
    }

    @Test
    void opensNoArchiveThatTheKeyDidNotSign() throws Exception {
        // given an archive that is refused when it is opened
        jars.put("attestream-1.0/../../etc/profile", utf8("echo"));
        Files.write(dist.resolve("attestream-1.0.zip"), zip());

        // then
        assertRefused(verify(), "attestream-1.0.zip has another SHA-256");
        assertThat(verify().outcomes()).containsEntry("checksums", "failed").containsEntry("sbom", "not-assessed");
        signAgain();
        Files.writeString(dist.resolve("SHA256SUMS.sig"), "AAAA\n");
        assertThat(verify().outcomes())
                .containsEntry("checksums-signature", "failed")
                .containsEntry("checksums", "passed")
                .containsEntry("sbom", "not-assessed");
    }

    @Test
    void readsNoMoreOfAnArchivesJarsThanMayBe() throws Exception {
        Path archive = Files.write(scratch.resolve("some.zip"), zip());
        long size = jars.entrySet().stream()
                .filter(jar -> jar.getKey().endsWith(".jar"))
                .mapToLong(jar -> jar.getValue().length)
                .sum();
        assertThat(ReleaseArchive.jars(archive, size)).hasSize(4);
        assertThatThrownBy(() -> ReleaseArchive.jars(archive, size - 1))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("its jars are too large");
    }

    @Test
    void refusesToLookIntoAnArchiveThatLeadsOutOfItself() throws Exception {
        jars.put("attestream-1.0/../../etc/profile", utf8("echo"));
        Files.write(dist.resolve("attestream-1.0.zip"), zip());
        signAgain();

        assertRefused(verify(), "attestream-1.0/../../etc/profile");
    }

    @Test
    void answersTwoForWhatIsNoKeyNoDirectoryAndNoCommit() {
        assertThat(run("release", "verify", "--dir", dist.toString(), "--key", secret.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(run("release", "verify", "--dir", "/nowhere", "--key", key.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(run("release", "sign", "--dir", dist.toString(), "--key", secret.toString(), "--commit", "main"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("PUBLIC KEY").contains("/nowhere is no directory");
    }

    @Test
    void signsNothingTwiceAndNothingThatIsNoRelease() throws Exception {
        assertThat(sign(secret)).isEqualTo(ExitCode.ERROR);
        assertThat(err.toString()).contains("SHA256SUMS exists");

        Files.delete(dist.resolve("SHA256SUMS"));
        assertThat(sign(secret)).isEqualTo(ExitCode.USAGE);
        assertThat(verify().exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
    }
}
