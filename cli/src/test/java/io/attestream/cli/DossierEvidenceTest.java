// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.cli.DossierDecision.Outcome;
import io.attestream.cli.DossierDecision.Reason;
import io.attestream.cli.DossierDecision.Verdict;
import io.attestream.cli.DossierManifest.Entry;
import io.attestream.cli.DossierPolicy.IfMissing;
import io.attestream.proofs.note.NoteSigner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The evidence in this repository by the policy in it, in a copy that is signed by a key of the test: a change of a page does not
 * need the key of the evidence, only a release does.
 */
class DossierEvidenceTest {
    private static final Path RELEASE = Script.HOME.resolve("release");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path scratch;

    private final NoteSigner key = NoteSigner.generate("example.com/test", new SecureRandom());
    private Path root;
    private DossierManifest manifest = DossierManifest.EMPTY;
    private int built;

    /** @param newest when what is not collected yet was made, so that the test does not depend on the day */
    private record Clean(Instant newest) implements DossierTree {
        @Override
        public String head() {
            return "c".repeat(40);
        }

        @Override
        public List<String> changes() {
            return List.of();
        }

        @Override
        public boolean isCommitted(String path, byte[] bytes) {
            return true;
        }

        @Override
        public boolean isAncestor(String commit) {
            return true;
        }

        @Override
        public Optional<Change> lastChange(String path) {
            return Optional.of(new Change(head(), newest));
        }
    }

    @BeforeEach
    void copyAndSign() throws IOException {
        root = Files.createDirectory(scratch.resolve("tree"));
        DossierPolicy policy = policy();
        DossierFiles committed = new DossierFiles(Script.HOME);
        Stream<String> schemas = policy.criteria().stream()
                .flatMap(criterion -> criterion.schemas().stream())
                .map(DossierPolicy.FileSchema::schema);
        DossierManifest before = DossierManifest.parse(
                RELEASE.resolve("evidence.json"), Files.readAllBytes(RELEASE.resolve("evidence.json")));
        // and not what a drill left here and nobody committed
        DossierTree git = DossierTree.of(Script.HOME);
        Stream<String> evidence = committed.found(policy).stream()
                .filter(path ->
                        before.find(path).isPresent() || git.lastChange(path).isPresent());
        for (String path : Stream.concat(evidence, schemas).collect(Collectors.toSet())) {
            Path to = root.resolve(path);
            Files.createDirectories(to.resolveSibling(""));
            Files.copy(Script.HOME.resolve(path), to);
        }
        edit(json -> {
            ((ObjectNode) json.path("keys")).put("evidence", key.verifier().vkey());
            // how old one file is beside another is no matter of a change of the code
            json.path("criteria").forEach(criterion -> ((ObjectNode) criterion).put("maxAgeHours", 8_784));
        });
        sign(new DossierFiles(root).collect(policy, new Clean(newest(before)), before, Optional.empty()));
    }

    private void edit(Consumer<ObjectNode> edit) throws IOException {
        ObjectNode policy = (ObjectNode) JSON.readTree(Files.readAllBytes(RELEASE.resolve("policy.json")));
        edit.accept(policy);
        Files.createDirectories(root.resolve("release"));
        Files.write(root.resolve("release/policy.json"), JSON.writeValueAsBytes(policy));
    }

    private static DossierPolicy policy() throws IOException {
        return DossierPolicy.parse(RELEASE.resolve("policy.json"), Files.readAllBytes(RELEASE.resolve("policy.json")));
    }

    private static Instant newest(DossierManifest manifest) {
        return manifest.files().stream()
                .map(Entry::madeAtInstant)
                .max(Instant::compareTo)
                .orElseThrow();
    }

    private DossierDecision build() {
        return Dossier.build(
                new Dossier.Inputs(
                        root,
                        new Clean(newest(manifest)),
                        "release/policy.json",
                        "release/evidence.json",
                        "release/waivers",
                        scratch.resolve("dossier-" + built++),
                        newest(manifest).plusSeconds(1)),
                Optional.empty());
    }

    /** What is as it was when it was collected, so that it has to be in the books. */
    private List<String> recorded() throws IOException {
        Path file = RELEASE.resolve("evidence.json");
        DossierManifest committed = DossierManifest.parse(file, Files.readAllBytes(file));
        return manifest.files().stream()
                .filter(entry -> committed.find(entry.path()).equals(Optional.of(entry)))
                .map(Entry::path)
                .toList();
    }

    private static List<String> files(DossierDecision decision) {
        return decision.reasons().stream().map(Reason::file).toList();
    }

    @Test
    void manifestAndPolicyAreOfTheirSchemasAndTheManifestIsSigned() throws Exception {
        DossierPolicy policy = policy();
        Path file = RELEASE.resolve("evidence.json");
        assertThat(DossierManifest.problem(
                        file,
                        Files.readAllBytes(file),
                        Files.readAllBytes(DossierManifest.envelope(file)),
                        policy.evidenceKey()))
                .isEmpty();
        assertThat(DossierManifest.parse(file, Files.readAllBytes(file)).files())
                .isNotEmpty();
    }

    /** What is here verifies and shows what it has to; what is not here yet is a reason, and so is nothing else. */
    @Test
    void whatIsMissingIsAllThatIsWrong() throws Exception {
        DossierDecision decision = build();
        assertThat(decision.reasons())
                .filteredOn(
                        reason -> !reason.criterion().equals("books")) // what is newer than the last release's record
                .allSatisfy(reason -> {
                    assertThat(reason.file()).isEmpty();
                    assertThat(reason.what()).containsAnyOf("there is none", "no drill");
                });
        for (String id : List.of("game-days", "error-budgets", "durability", "objectives")) {
            assertThat(DossierScene.outcome(decision, id)).as(id).isEqualTo(Outcome.PASSED);
        }
        for (DossierPolicy.Criterion criterion : policy().criteria()) {
            if (manifest.files().stream().map(Entry::path).noneMatch(criterion::has)) {
                assertThat(DossierScene.outcome(decision, criterion.id()))
                        .as(criterion.id())
                        .isEqualTo(criterion.ifMissing() == IfMissing.FAILS ? Outcome.FAILED : Outcome.NOT_ASSESSED);
            }
        }
    }

    @Test
    void eachFileInTurnIsDeletedAndAlteredAndNamed() throws Exception {
        assertThat(manifest.files()).hasSizeGreaterThan(50);
        assertThat(files(build())).as("named as it is: nothing would be seen").doesNotContainAnyElementsOf(recorded());
        for (Entry entry : manifest.files()) {
            Path file = root.resolve(entry.path());
            byte[] bytes = Files.readAllBytes(file);

            DossierScene.flip(file, bytes.length / 2);
            DossierDecision altered = build();
            assertThat(altered.decision()).as(entry.path()).isEqualTo(Verdict.NO_GO);
            assertThat(files(altered)).contains(entry.path());

            Files.delete(file);
            DossierDecision deleted = build();
            assertThat(deleted.decision()).as(entry.path()).isEqualTo(Verdict.NO_GO);
            assertThat(files(deleted)).contains(entry.path());
            Files.write(file, bytes);
        }
    }

    /** Its digest is right, and it is signed: only who judges it again sees it. */
    @Test
    void evidenceThatWasMadeUpAndSignedIsJudgedAgain() throws Exception {
        forge("docs/game-day-evidence/bit-flip/slis.csv", text -> text.replaceFirst("(?s)(.*\n[^,\n]+),0,", "$1,7,"));
        forge(
                "docs/game-day-evidence/broker-loss/game_day_report.json",
                text -> text.replace(
                        "\"check\" : \"roots\",\n    \"outcome\" : \"passed\"",
                        "\"check\" : \"roots\",\n    \"outcome\" : \"failed\""));
        forge("docs/durability-matrix.json", text -> text.replaceFirst("\"survived\" : 1,", "\"survived\" : 0,"));
        forge("deploy/prometheus/rules/slo.yaml", text -> text.replaceFirst("14\\.4", "24.4"));
        DossierDecision decision = build();
        assertThat(files(decision))
                .contains(
                        "docs/game-day-evidence/bit-flip/game_day_report.json",
                        "docs/game-day-evidence/broker-loss/game_day_report.json",
                        "docs/durability-matrix.json",
                        "deploy/prometheus/rules/slo.yaml");
    }

    /** The manifest's key is not the drills' key: who holds the one cannot make up the other. */
    @Test
    void aDrillThatWasMadeUpIsNotSignedByTheDrillsKey() throws Exception {
        String summary = manifest.files().stream()
                .map(Entry::path)
                .filter(path -> path.endsWith("/drill_summary.json"))
                .findFirst()
                .orElseThrow();
        forge(summary, text -> text.replaceFirst("\"acknowledgedEvents\" : ", "\"acknowledgedEvents\" : 9"));
        DossierDecision decision = build();
        assertThat(DossierScene.outcome(decision, "restore-drills")).isEqualTo(Outcome.FAILED);
        assertThat(decision.reasons())
                .anySatisfy(reason -> assertThat(reason.what()).contains("is not what was signed"));
    }

    private void sign(DossierManifest edited) throws IOException {
        manifest = edited;
        Path file = root.resolve("release/evidence.json");
        Files.write(file, DossierJson.write(manifest));
        Files.write(DossierManifest.envelope(file), manifest.sign(file, key));
    }

    /** Edits a file, and signs it as if it had been so. */
    private void forge(String path, UnaryOperator<String> edit) throws IOException {
        Path file = root.resolve(path);
        String before = Files.readString(file);
        String after = edit.apply(before);
        assertThat(after).as(path).isNotEqualTo(before);
        Files.writeString(file, after);
        DossierPolicy policy = policy();
        sign(new DossierFiles(root).collect(policy, new Clean(newest(manifest)), manifest, Optional.empty()));
    }
}
