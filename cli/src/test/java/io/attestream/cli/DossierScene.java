// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.cli.DossierDecision.Outcome;
import io.attestream.proofs.note.NoteSigner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A small tree with a policy and evidence that is good, for tests; git is what the test says. */
final class DossierScene implements DossierTree {
    static final Instant MADE_AT = Instant.parse("2026-01-05T09:00:00Z");
    static final String COMMIT = "a".repeat(40);
    static final String REPORT = "evidence/report.json";
    static final String NOTES = "evidence/notes.md";

    private static final ObjectMapper JSON = new ObjectMapper();

    final Path root;
    final NoteSigner evidence = NoteSigner.generate("example.com/evidence", new SecureRandom());
    final NoteSigner owner = NoteSigner.generate("example.com/owner", new SecureRandom());
    final NoteSigner release = NoteSigner.generate("example.com/release", new SecureRandom());
    final Set<String> ancestors = new HashSet<>(Set.of(COMMIT));
    List<String> changes = List.of();
    final Set<String> uncommitted = new HashSet<>();
    private int built;

    /** With one criterion, {@code report}, that passes, and one, {@code scan}, that nobody assessed and that does not block. */
    DossierScene(Path root) throws IOException {
        this.root = Files.createDirectories(root);
        write("evidence/report.schema.json", """
                {"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"lost":{"type":"integer"},
                "endedAt":{"type":"string"}},"required":["lost","endedAt"]}
                """);
        write(REPORT, "{\"lost\":0,\"endedAt\":\"" + MADE_AT + "\"}\n");
        write(NOTES, "# Notes\n");
        policy(policy -> {});
        collect(evidence);
    }

    void write(String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).resolveSibling(""));
        Files.writeString(root.resolve(path), text);
    }

    /** Writes the policy, edited. */
    void policy(Consumer<ObjectNode> edit) throws IOException {
        ObjectNode policy = (ObjectNode) JSON.readTree(
                """
                {"v":1,"keys":{"evidence":"%1$s","drills":"%1$s","ledger":"%1$s","waivers":["%2$s"]},"waiverDaysMax":30,"criteria":[
                {"id":"report","claim":"Nothing is <lost>","reference":"a page","evidence":["evidence/report.json","evidence/*.md"],
                 "schemas":[{"files":"evidence/report.json","schema":"evidence/report.schema.json"}],"verify":"files",
                 "require":[{"files":"evidence/report.json","pointer":"/lost","atMost":0}],"allow":[],"maxAgeHours":24,
                 "blocking":true,"waivable":true,"ifMissing":"fails","notAssessedBlocks":true},
                {"id":"scan","claim":"Scanned","reference":"there","evidence":["evidence/scan.json"],"schemas":[],"verify":"files",
                 "require":[],"allow":[],"maxAgeHours":24,"blocking":true,"waivable":true,"ifMissing":"not-assessed",
                 "notAssessedBlocks":false}]}
                """.formatted(evidence.verifier().vkey(), owner.verifier().vkey()));
        edit.accept(policy);
        write("release/policy.json", policy.toString());
    }

    static ObjectNode criterion(ObjectNode policy, int index) {
        return (ObjectNode) policy.path("criteria").path(index);
    }

    /** Collects what is there, as of {@link #COMMIT}. */
    void collect(NoteSigner key) throws IOException {
        Path file = root.resolve("release/evidence.json");
        DossierManifest manifest =
                new DossierFiles(root).collect(readPolicy(), this, DossierManifest.EMPTY, Optional.of(COMMIT));
        Files.write(file, DossierJson.write(manifest));
        Files.write(DossierManifest.envelope(file), manifest.sign(file, key));
    }

    DossierPolicy readPolicy() throws IOException {
        return DossierPolicy.parse(
                Path.of("release/policy.json"), Files.readAllBytes(root.resolve("release/policy.json")));
    }

    void waive(String name, NoteSigner key, DossierWaiver waiver) throws IOException {
        Files.createDirectories(root.resolve("release/waivers"));
        Files.write(root.resolve("release/waivers").resolve(name), waiver.sign(key));
    }

    DossierDecision build() {
        return build(MADE_AT.plusSeconds(3_600));
    }

    DossierDecision build(Instant at) {
        return build(newDirectory(), at);
    }

    DossierDecision build(Path out, Instant at) {
        return Dossier.build(
                new Dossier.Inputs(
                        root, this, "release/policy.json", "release/evidence.json", "release/waivers", out, at),
                Optional.of(release));
    }

    Path newDirectory() {
        return root.resolveSibling("dossier-" + built++);
    }

    static void flip(Path file, int at) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[at] ^= 1;
        Files.write(file, bytes);
    }

    /** What a criterion came to. */
    static Outcome outcome(DossierDecision decision, String id) {
        return decision.criteria().stream()
                .filter(criterion -> criterion.id().equals(id))
                .findFirst()
                .orElseThrow()
                .outcome();
    }

    // ---- git

    @Override
    public String head() {
        return COMMIT;
    }

    @Override
    public List<String> changes() {
        return new ArrayList<>(changes);
    }

    @Override
    public boolean isCommitted(String path, byte[] bytes) {
        return !uncommitted.contains(path);
    }

    @Override
    public boolean isAncestor(String commit) {
        return ancestors.contains(commit);
    }

    @Override
    public Optional<Change> lastChange(String path) {
        return Optional.of(new Change(COMMIT, MADE_AT));
    }
}
