// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.attestream.cli.DrillCheck.Outcome;
import io.attestream.proofs.note.NoteSigner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a drill leaves behind can be read by others, and not be edited. */
class DrillEvidenceTest {
    private static final String ALTERED = "1 found; first segments/0.seg: expected the digest in its name";
    private static final EvidenceOrigin ORIGIN = new EvidenceOrigin("c".repeat(40), true);
    private static final Drill.Settings SETTINGS = new Drill.Settings(2, 300, true);

    @TempDir
    private Path scratch;

    private NoteSigner key;
    private Path root;

    @BeforeEach
    void makeKeyAndLogs() throws IOException {
        root = scratch.resolve("drills");
        key = DrillEvidence.key(root.resolve("drill.skey"));
        Files.createDirectories(scratch.resolve("logs"));
        Files.writeString(scratch.resolve("logs/broker.log"), "a line");
    }

    /** Holds a document of evidence against its published schema; what it violates. */
    static List<String> violations(Path directory, String document) throws IOException {
        Path schema = Path.of(System.getProperty("attestream.home"))
                .resolve("docs/drill-evidence")
                .resolve(document.replace(".json", ".schema.json"));
        JsonSchema read =
                JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(Files.readString(schema));
        return read.validate(Files.readString(directory.resolve(document)), InputFormat.JSON).stream()
                .map(Object::toString)
                .toList();
    }

    private static List<DrillCheck.Result> checks(DrillCheck failed, String detail) {
        List<DrillCheck.Result> results = new ArrayList<>();
        for (DrillCheck check : DrillCheck.values()) {
            boolean bad = check == failed;
            results.add(new DrillCheck.Result(
                    check, bad ? Outcome.FAILED : Outcome.PASSED, bad ? detail : "as it must be", 12));
        }
        return results;
    }

    private static Drill.Outcomes outcomes(Optional<DrillMutation> mutation, List<DrillCheck.Result> checks) {
        Map<String, Object> state = Output.object(
                "takenAt",
                "2026-01-05T09:00:00.123Z",
                "ledgerKey",
                "k",
                "generation",
                2,
                "epoch",
                7,
                "eventLeaves",
                300,
                "checkpoint",
                "note",
                "heads",
                List.of(Output.object(
                        "shard",
                        0,
                        "size",
                        5,
                        "root",
                        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                        "nextOffset",
                        9)),
                "groupOffsets",
                Map.of("0", 9),
                "changelogs",
                List.of(),
                "acknowledged",
                300);
        return new Drill.Outcomes(
                DrillCase.OBJECT_STORE,
                mutation,
                SETTINGS,
                Instant.parse("2026-01-05T09:00:00Z"),
                Instant.parse("2026-01-05T09:02:00Z"),
                checks.stream().allMatch(result -> result.outcome() == Outcome.PASSED),
                checks,
                Map.of("restore", 1_000L, "publish", 500L),
                300,
                0,
                0,
                "refused",
                List.of(),
                state,
                state);
    }

    private DrillEvidence written(Drill.Outcomes outcomes) {
        DrillEvidence evidence = DrillEvidence.create(root);
        evidence.write(outcomes, ORIGIN, scratch.resolve("logs"), key);
        return evidence;
    }

    private DrillEvidence passed() {
        return written(outcomes(Optional.empty(), checks(null, "")));
    }

    @Test
    void everyDocumentIsOfItsSchema() throws Exception {
        Path directory = passed().directory();
        for (String document : DrillEvidence.DOCUMENTS) {
            assertThat(violations(directory, document)).as(document).isEmpty();
        }
        assertThat(directory.resolve("logs/broker.log")).hasContent("a line");
        JsonNode summary = new ObjectMapper()
                .readTree(directory.resolve(DrillEvidence.SUMMARY).toFile());
        assertThat(summary.path("commit").asText()).isEqualTo(ORIGIN.commit());
        assertThat(summary.path("treeClean")).isEqualTo(BooleanNode.TRUE);
    }

    @Test
    void aSchemaRefusesWhatIsNotOfIt() throws Exception {
        Path directory = passed().directory();
        Path summary = directory.resolve(DrillEvidence.SUMMARY);
        Files.writeString(summary, Files.readString(summary).replace("\"pass\" : true", "\"passed\" : true"));
        assertThat(violations(directory, DrillEvidence.SUMMARY)).hasSize(2);
    }

    @Test
    void whatWasSignedVerifies() {
        assertThat(passed().verified(key.verifier(), Optional.empty(), true)
                        .path("pass")
                        .asBoolean())
                .isTrue();
    }

    @Test
    void anEditedFileIsRefusedAndNamed() throws Exception {
        for (String document : DrillEvidence.DOCUMENTS) {
            DrillEvidence evidence = passed();
            Path file = evidence.directory().resolve(document);
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
            assertRefused(evidence, document + " has SHA-256 ");
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
        }
    }

    @Test
    void aMissingOrAddedFileIsRefused() throws Exception {
        DrillEvidence missing = passed();
        Files.delete(missing.directory().resolve("logs/broker.log"));
        assertRefused(missing, "logs/broker.log has SHA-256 no file");
        Files.writeString(missing.directory().resolve("logs/broker.log"), "a line");

        DrillEvidence added = passed();
        Files.writeString(added.directory().resolve("logs/more.log"), "x");
        assertRefused(added, "logs/more.log was added later");
        Files.delete(added.directory().resolve("logs/more.log"));

        DrillEvidence unsigned = passed();
        Files.delete(unsigned.directory().resolve("evidence.note"));
        assertRefused(unsigned, "it has no evidence.note");
    }

    @Test
    void aDrillThatWasTakenAwayOrMovedIsMissed() throws Exception {
        // given
        DrillEvidence first = passed();
        DrillEvidence second = passed();
        Path aside = scratch.resolve("aside");

        // then
        Files.move(first.directory(), aside);
        assertRefused(second, "a drill before it was taken away");
        Files.move(aside, first.directory());
        assertThat(DrillHistory.read(root, key.verifier()).entries()).hasSize(2);
        Path later = second.directory().resolveSibling("2099-01-01T00-00-00Z");
        Files.move(second.directory(), later);
        assertRefused(new DrillEvidence(later), "it was moved");
    }

    @Test
    void aDrillThatDidNotEndIsNoEvidence() throws Exception {
        DrillEvidence.create(root);
        assertThatThrownBy(() -> DrillHistory.read(root, key.verifier())).hasMessageContaining("has no drill");
        passed();
        assertThat(DrillHistory.read(root, key.verifier()).entries()).hasSize(1);
    }

    @Test
    void evidenceOfAnotherKeyIsRefused() throws Exception {
        NoteSigner other = DrillEvidence.key(scratch.resolve("other.skey"));
        DrillEvidence evidence = DrillEvidence.create(root);
        evidence.write(outcomes(Optional.empty(), checks(null, "")), ORIGIN, scratch.resolve("logs"), other);
        assertRefused(evidence, "evidence.note");
    }

    private void assertRefused(DrillEvidence evidence, String why) throws IOException {
        assertThatThrownBy(() -> DrillHistory.read(root, key.verifier()))
                .as(evidence.directory().toString())
                .isInstanceOfSatisfying(CliException.class, e -> {
                    assertThat(e.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
                    assertThat(e.getMessage()).contains(why);
                });
    }

    @Test
    void theirPageAndSchemasNameEveryCaseCheckAndMutation() throws Exception {
        Path docs = Path.of(System.getProperty("attestream.home")).resolve("docs");
        String page = Files.readString(docs.resolve("drills.md"));
        String summary = Files.readString(docs.resolve("drill-evidence/drill_summary.schema.json"));
        String output = Files.readString(docs.resolve("drill-evidence/verifier_output.schema.json"));
        String input = Files.readString(docs.resolve("drill-evidence/drill_input.schema.json"));
        for (DrillCase drill : DrillCase.values()) {
            assertThat(page).contains("| `" + drill.word() + "` |");
            assertThat(List.of(summary, input))
                    .allSatisfy(schema -> assertThat(schema).contains('"' + drill.word() + '"'));
            assertThat(DrillMutation.of(drill)).as("mutated twins of " + drill).isNotEmpty();
        }
        for (DrillCheck check : DrillCheck.values()) {
            assertThat(page).contains("| `" + check.word() + "` |");
            assertThat(output).contains('"' + check.word() + '"');
        }
        for (DrillMutation mutation : DrillMutation.values()) {
            assertThat(page)
                    .containsPattern("`" + mutation.word() + "`: .* \\| `"
                            + mutation.drill().word() + "` \\| `"
                            + mutation.check().word() + "`");
            assertThat(List.of(summary, input))
                    .allSatisfy(schema -> assertThat(schema).contains('"' + mutation.word() + '"'));
        }
    }

    @Test
    void theHistoryCountsPassesInARowOfEachCase() throws Exception {
        // given: passed, failed, passed, passed; and a spoilt one, which counts for nothing
        passed();
        written(outcomes(Optional.empty(), checks(DrillCheck.DEDUP, "2 leaves were added")));
        passed();
        written(outcomes(Optional.of(DrillMutation.ALTERED_OBJECT), checks(DrillCheck.ARCHIVE, ALTERED)));
        passed();

        // when
        DrillHistory history = DrillHistory.read(root, key.verifier());

        // then
        assertThat(history.entries()).hasSize(5);
        assertThat(history.consecutivePasses()).containsExactly(Map.entry("object-store", 2));
    }

    @Test
    void aSpoiltDrillIsAsItHasToBeOnlyIfItFailedForItsReason() {
        Optional<DrillMutation> spoilt = Optional.of(DrillMutation.ALTERED_OBJECT);
        assertThat(outcomes(spoilt, checks(DrillCheck.ARCHIVE, ALTERED)).isAsExpected())
                .isTrue();
        assertThat(outcomes(spoilt, checks(DrillCheck.ARCHIVE, "something else"))
                        .isAsExpected())
                .isFalse();
        assertThat(outcomes(spoilt, checks(DrillCheck.ROOTS, ALTERED)).isAsExpected())
                .isFalse();
        assertThat(outcomes(spoilt, checks(null, "")).isAsExpected())
                .as("it passed")
                .isFalse();
        List<DrillCheck.Result> more = new ArrayList<>(checks(DrillCheck.ARCHIVE, ALTERED));
        more.add(new DrillCheck.Result(DrillCheck.CONSISTENCY, Outcome.FAILED, "a shard shrank", 1));
        assertThat(outcomes(spoilt, more).isAsExpected())
                .as("it failed in something else too")
                .isFalse();
    }
}
