// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.cli.DossierDecision.Outcome;
import io.attestream.cli.DossierDecision.Reason;
import io.attestream.cli.DossierDecision.Verdict;
import io.attestream.proofs.attestation.Statement;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What makes a launch a NO-GO, and what does not. */
class DossierTest {
    private static final Instant LATER = DossierScene.MADE_AT.plusSeconds(3_600);

    @TempDir
    private Path scratch;

    private DossierScene scene;

    @BeforeEach
    void makeGoodEvidence() throws IOException {
        scene = new DossierScene(scratch.resolve("tree"));
    }

    private static void assertNoGo(DossierDecision decision, String file, String why) {
        assertThat(decision.decision()).isEqualTo(Verdict.NO_GO);
        assertThat(decision.reasons()).anySatisfy(reason -> {
            assertThat(reason.file()).isEqualTo(file);
            assertThat(reason.what()).contains(why);
        });
    }

    private static Map<String, String> contents(Path directory) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(directory.relativize(file).toString(), DrillEvidence.sha256(Files.readAllBytes(file)));
            }
        }
        return contents;
    }

    @Test
    void goodEvidenceIsGoAndWhatNobodyAssessedIsNotCountedAsPassed() throws Exception {
        // when
        Path out = scene.newDirectory();
        DossierDecision decision = scene.build(out, LATER);

        // then
        assertThat(decision.reasons()).isEmpty();
        assertThat(decision.decision()).isEqualTo(Verdict.GO);
        assertThat(DossierScene.outcome(decision, "report")).isEqualTo(Outcome.PASSED);
        assertThat(DossierScene.outcome(decision, "scan")).isEqualTo(Outcome.NOT_ASSESSED);
        byte[] json = Files.readAllBytes(out.resolve(Dossier.DECISION));
        byte[] schema = Files.readAllBytes(Script.HOME.resolve("release/" + DossierDecision.SCHEMA));
        assertThat(DossierJson.violation(schema, json)).isEmpty();
        assertThat(out.resolve("evidence").resolve(DossierScene.REPORT))
                .hasSameBinaryContentAs(scene.root.resolve(DossierScene.REPORT));
    }

    @Test
    void theSameFilesTimeAndKeyGiveTheSameBytes() throws Exception {
        Path first = scene.newDirectory();
        Path second = scene.newDirectory();
        scene.build(first, LATER);
        scene.build(second, LATER);
        assertThat(contents(first)).isEqualTo(contents(second)).containsKey(Dossier.STATEMENT);
    }

    @Test
    void theStatementSaysWhatTheDecisionIsAndIsSignedByTheKey() throws Exception {
        // given
        Path out = scene.newDirectory();
        scene.build(out, LATER);
        byte[] envelope = Files.readAllBytes(out.resolve(Dossier.STATEMENT));

        // when
        Statement statement =
                Statement.parse(DossierManifest.opened(envelope, Statement.MEDIA_TYPE, scene.release.verifier()));

        // then
        assertThat(statement.predicateType()).isEqualTo(Dossier.PREDICATE_TYPE);
        assertThat(statement.predicate().string("verificationResult")).isEqualTo("PASSED");
        assertThat(statement.subjects())
                .containsOnlyKeys(Dossier.DECISION, Dossier.PAGE, Dossier.HTML, "policy.json")
                .containsEntry(
                        Dossier.DECISION, DrillEvidence.sha256(Files.readAllBytes(out.resolve(Dossier.DECISION))));
        assertThatThrownBy(() -> DossierManifest.opened(envelope, Statement.MEDIA_TYPE, scene.evidence.verifier()))
                .hasMessageContaining("no signature is by the given key");
    }

    @Test
    void aNoGoIsSaidInTheStatementToo() throws Exception {
        scene.changes = List.of("README.md");
        Path out = scene.newDirectory();
        assertNoGo(scene.build(out, LATER), "README.md", "not as it was committed");
        Statement statement = Statement.parse(DossierManifest.opened(
                Files.readAllBytes(out.resolve(Dossier.STATEMENT)), Statement.MEDIA_TYPE, scene.release.verifier()));
        assertThat(statement.predicate().string("verificationResult")).isEqualTo("FAILED");
    }

    @ParameterizedTest
    @ValueSource(strings = {DossierScene.REPORT, DossierScene.NOTES})
    void aFileThatIsGoneOrEditedIsNamed(String file) throws Exception {
        DossierScene.flip(scene.root.resolve(file), 0);
        assertNoGo(scene.build(), file, "has SHA-256");
        Files.delete(scene.root.resolve(file));
        assertNoGo(scene.build(), file, "is missing");
    }

    @Test
    void aLinkIsNoEvidence() throws Exception {
        Path notes = scene.root.resolve(DossierScene.NOTES);
        Files.move(notes, scratch.resolve("elsewhere.md"));
        Files.createSymbolicLink(notes, scratch.resolve("elsewhere.md"));
        assertNoGo(scene.build(), DossierScene.NOTES, "is no regular file of the tree");
    }

    @Test
    void everyByteOfManifestAndSignatureIsHeld() throws Exception {
        for (String name : List.of("release/evidence.json", "release/evidence.dsse.json")) {
            Path file = scene.root.resolve(name);
            int size = Files.readAllBytes(file).length;
            for (int i = 0; i < size; i += 7) {
                DossierScene.flip(file, i);
                assertThat(scene.build().reasons())
                        .as(name + " byte " + i)
                        .extracting(Reason::file)
                        .contains("release/evidence.json");
                DossierScene.flip(file, i);
            }
            assertThat(scene.build().decision()).isEqualTo(Verdict.GO);
        }
        Path envelope = scene.root.resolve("release/evidence.dsse.json");
        Files.writeString(envelope, "\n", StandardOpenOption.APPEND);
        assertNoGo(scene.build(), "release/evidence.json", "must be canonical");
        Files.delete(envelope);
        assertNoGo(scene.build(), "release/evidence.dsse.json", "is missing");
    }

    @Test
    void aManifestOfAnotherKeyIsNotBelieved() throws Exception {
        scene.collect(scene.owner);
        assertNoGo(scene.build(), "release/evidence.json", "no signature is by the given key");
    }

    @Test
    void aFileNobodyCollectedIsNoEvidence() throws Exception {
        scene.write("evidence/more.md", "good news");
        assertNoGo(scene.build(), "evidence/more.md", "is not in the manifest");
    }

    @Test
    void aSchemaThatWasRelaxedIsNoSchema() throws Exception {
        scene.write("evidence/report.schema.json", "{}");
        assertNoGo(scene.build(), DossierScene.REPORT, "a schema, evidence/report.schema.json, that was changed");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "release/policy.json",
                "release/evidence.json",
                "release/evidence.dsse.json",
                "release/waivers/report.json",
                DossierScene.REPORT,
                DossierScene.NOTES,
                "evidence/report.schema.json"
            })
    void whatIsReadAndNotCommittedIsNoGoThoughGitSaysNothingChanged(String file) throws Exception {
        scene.waive("report.json", scene.owner, waiver(LATER.plusSeconds(1)));
        assertThat(scene.build().decision()).isEqualTo(Verdict.GO);
        scene.uncommitted.add(file);
        String named = file.endsWith(".schema.json") ? DossierScene.REPORT : file;
        assertNoGo(scene.build(), named, DossierFiles.NOT_COMMITTED);
        scene.changes = List.of(file);
        assertThat(scene.build().reasons()).as("said once").doesNotHaveDuplicates();
    }

    @Test
    void evidenceThatWasCollectedWithAnotherSchemaThanThePolicysIsRefused() throws Exception {
        scene.policy(policy -> DossierScene.criterion(policy, 0).putArray("schemas"));
        assertNoGo(scene.build(), DossierScene.REPORT, "was collected with schema \"evidence/report.schema.json\"");
        scene.collect(scene.evidence);
        assertThat(scene.build().decision()).isEqualTo(Verdict.GO);
        scene.policy(policy -> {});
        assertNoGo(scene.build(), DossierScene.REPORT, "the policy has \"evidence/report.schema.json\"");
    }

    @Test
    void evidenceThatIsNotOfItsSchemaShowsNothing() throws Exception {
        scene.write(DossierScene.REPORT, "{\"lost\":\"0\",\"endedAt\":\"" + DossierScene.MADE_AT + "\"}");
        scene.collect(scene.evidence);
        assertNoGo(scene.build(), DossierScene.REPORT, "is not of its schema");
    }

    @Test
    void evidenceIsStaleOneSecondAfterItsLastHour() {
        Instant last = DossierScene.MADE_AT.plusSeconds(24 * 3_600);
        assertThat(scene.build(last).decision()).isEqualTo(Verdict.GO);
        DossierDecision stale = scene.build(last.plusSeconds(1));
        assertNoGo(stale, DossierScene.REPORT, "at most 24 h old");
        assertNoGo(stale, DossierScene.NOTES, "at most 24 h old");
    }

    @Test
    void evidenceOfTheFutureIsRefused() {
        assertNoGo(
                scene.build(DossierScene.MADE_AT.minusSeconds(1)),
                DossierScene.REPORT,
                "after the time of the decision");
    }

    @Test
    void evidenceOfAnotherCommitIsRefused() {
        scene.ancestors.clear();
        assertNoGo(scene.build(), DossierScene.REPORT, "is evidence of commit " + DossierScene.COMMIT);
    }

    @Test
    void evidenceThatSaysItWasMadeElsewhereIsRefused() throws Exception {
        writeReportOf(DossierScene.COMMIT, true, "");
        assertThat(scene.build().decision()).isEqualTo(Verdict.GO);

        writeReportOf(DossierScene.COMMIT, false, "");
        assertNoGo(scene.build(), DossierScene.REPORT, "in a tree with changes that no commit has");

        writeReportOf("d".repeat(40), true, "");
        assertNoGo(scene.build(), DossierScene.REPORT, "was made of commit " + "d".repeat(40));

        // and: what is no commit, or no answer
        scene.ancestors.add("HEAD");
        writeReportOf("HEAD", true, "");
        assertNoGo(scene.build(), DossierScene.REPORT, "was made of commit HEAD");
        writeReportOf(DossierScene.COMMIT, "\"true\"", "");
        assertNoGo(scene.build(), DossierScene.REPORT, "in a tree with changes that no commit has");

        // and: a part of a matrix
        String part = ",\"faults\":[{\"takenAt\":\"%s\",\"commit\":\"%s\",\"treeClean\":false}]";
        writeReportOf(DossierScene.COMMIT, true, part.formatted(DossierScene.MADE_AT, DossierScene.COMMIT));
        assertNoGo(scene.build(), DossierScene.REPORT, "in a tree with changes that no commit has");
    }

    private void writeReportOf(String commit, Object treeClean, String more) throws IOException {
        scene.write(
                DossierScene.REPORT,
                "{\"lost\":0,\"endedAt\":\"%s\",\"commit\":\"%s\",\"treeClean\":%s%s}"
                        .formatted(DossierScene.MADE_AT, commit, treeClean, more));
        scene.collect(scene.evidence);
    }

    @Test
    void staleOrMissingEvidenceOfACriterionThatDoesNotBlockIsNoGoToo() throws Exception {
        scene.policy(policy -> DossierScene.criterion(policy, 0).put("blocking", false));
        assertNoGo(scene.build(DossierScene.MADE_AT.plusSeconds(25 * 3_600)), DossierScene.NOTES, "24 h old");
        Files.delete(scene.root.resolve(DossierScene.REPORT));
        Files.delete(scene.root.resolve(DossierScene.NOTES));
        scene.collect(scene.evidence);
        assertNoGo(scene.build(), "", "there is none");
    }

    @Test
    void aValueThatIsNotAsRequiredBlocksIfThePolicySaysSo() throws Exception {
        // given
        scene.write(DossierScene.REPORT, "{\"lost\":1,\"endedAt\":\"" + DossierScene.MADE_AT + "\"}");
        scene.collect(scene.evidence);

        // then
        assertNoGo(scene.build(), DossierScene.REPORT, "value: 1; required: /lost at most 0");
        scene.policy(policy -> DossierScene.criterion(policy, 0).put("blocking", false));
        DossierDecision decision = scene.build();
        assertThat(decision.decision()).isEqualTo(Verdict.GO);
        assertThat(DossierScene.outcome(decision, "report")).as("never passed").isEqualTo(Outcome.FAILED);
    }

    @Test
    void whatWasNotAssessedBlocksIfThePolicySaysSo() throws Exception {
        scene.policy(policy -> DossierScene.criterion(policy, 1).put("notAssessedBlocks", true));
        DossierDecision decision = scene.build();
        assertNoGo(decision, "", "there is none");
        assertThat(DossierScene.outcome(decision, "scan")).isEqualTo(Outcome.NOT_ASSESSED);
    }

    @Test
    void aReleaseOfWhichNotAllWasAssessedIsNotVerifiedUnlessThePolicyAllowsIt() throws Exception {
        // given
        String report = releaseReport(ReleaseVerifier.CHECKS);
        Files.delete(scene.root.resolve(DossierScene.NOTES));
        scene.policy(policy -> DossierScene.criterion(policy, 0).put("verify", "release"));
        scene.write(DossierScene.REPORT, report.formatted("not-assessed"));
        scene.collect(scene.evidence);

        // then
        assertNoGo(scene.build(), DossierScene.REPORT, "sbom: not-assessed: why");
        scene.policy(policy -> DossierScene.criterion(policy, 0)
                .put("verify", "release")
                .putArray("allow")
                .add("sbom"));
        assertThat(scene.build().decision()).isEqualTo(Verdict.GO);
        scene.write(DossierScene.REPORT, report.formatted("failed"));
        scene.collect(scene.evidence);
        assertNoGo(scene.build(), DossierScene.REPORT, "sbom: failed");
    }

    /** All checks passed, but that of the SBOM, which is to be put in. */
    private static String releaseReport(List<String> checks) {
        return "{\"lost\":0,\"endedAt\":\"" + DossierScene.MADE_AT + "\",\"checks\":["
                + checks.stream()
                        .map(name -> "{\"name\":\"" + name + "\",\"outcome\":\""
                                + (name.equals("sbom") ? "%s" : "passed") + "\",\"detail\":\"why\"}")
                        .collect(Collectors.joining(","))
                + "]}";
    }

    @Test
    void aReleaseOfWhichACheckWasLeftOutIsNotVerified() throws Exception {
        Files.delete(scene.root.resolve(DossierScene.NOTES));
        scene.policy(policy -> DossierScene.criterion(policy, 0).put("verify", "release"));
        for (String name : ReleaseVerifier.CHECKS) {
            List<String> others = new ArrayList<>(ReleaseVerifier.CHECKS);
            others.remove(name);
            scene.write(DossierScene.REPORT, releaseReport(others).replace("%s", "passed"));
            scene.collect(scene.evidence);
            assertNoGo(scene.build(), DossierScene.REPORT, name + ": was not made");
        }
    }

    @Test
    void anEditedPolicyIsAnotherPolicy() throws Exception {
        String before = scene.build().policy().sha256();
        scene.policy(policy -> DossierScene.criterion(policy, 0).put("maxAgeHours", 25));
        assertThat(scene.build().policy().sha256())
                .isNotEqualTo(before)
                .isEqualTo(DrillEvidence.sha256(Files.readAllBytes(scene.root.resolve("release/policy.json"))));
    }

    // ---- waivers

    private void makeReportBad() throws IOException {
        scene.write(DossierScene.REPORT, "{\"lost\":1,\"endedAt\":\"" + DossierScene.MADE_AT + "\"}");
        scene.collect(scene.evidence);
    }

    private static DossierWaiver waiver(Instant expiresAt) {
        return new DossierWaiver("report", "who@example.com", "known, see ticket 12", expiresAt);
    }

    private void assertWaiverCountsForNothing(String why) {
        DossierDecision decision = scene.build();
        assertNoGo(decision, DossierScene.REPORT, "required: /lost at most 0");
        assertThat(decision.waivers())
                .singleElement()
                .satisfies(waiver -> assertThat(waiver.problem()).contains(why));
    }

    @Test
    void aSignedWaiverMakesItGoWithWaivers() throws Exception {
        makeReportBad();
        scene.waive("report.json", scene.owner, waiver(LATER.plusSeconds(1)));
        DossierDecision decision = scene.build();
        assertThat(decision.reasons()).isEmpty();
        assertThat(decision.decision()).isEqualTo(Verdict.GO_WITH_WAIVERS);
        assertThat(DossierScene.outcome(decision, "report")).isEqualTo(Outcome.WAIVED);
    }

    @Test
    void aWaiverNobodyNeedsChangesNothing() throws Exception {
        scene.waive("report.json", scene.owner, waiver(LATER.plusSeconds(1)));
        assertThat(scene.build().decision()).isEqualTo(Verdict.GO);
    }

    @Test
    void aWaiverThatExpiredCountsForNothing() throws Exception {
        makeReportBad();
        scene.waive("report.json", scene.owner, waiver(LATER));
        assertWaiverCountsForNothing("expired at");
    }

    @Test
    void aWaiverForLongerThanThePolicyAllowsCountsForNothing() throws Exception {
        makeReportBad();
        scene.waive("report.json", scene.owner, waiver(LATER.plusSeconds(30 * 86_400 + 1)));
        assertWaiverCountsForNothing("in more than 30 days");
    }

    @Test
    void aWaiverOfAnotherKeyOrOfNoneOrEditedCountsForNothing() throws Exception {
        makeReportBad();
        Path file = scene.root.resolve("release/waivers/report.json");
        scene.waive(
                "report.json",
                NoteSigner.generate("example.com/stranger", new SecureRandom()),
                waiver(LATER.plusSeconds(60)));
        assertWaiverCountsForNothing("is not signed by any key");
        Files.writeString(file, "{\"criterion\":\"report\",\"owner\":\"me\",\"reason\":\"trust me\"}");
        assertWaiverCountsForNothing("is not signed by any key");
        scene.waive("report.json", scene.owner, waiver(LATER.plusSeconds(60)));
        DossierScene.flip(file, 30);
        assertWaiverCountsForNothing("is not signed by any key");
    }

    @Test
    void aCriterionThatMayNotBeWaivedIsNot() throws Exception {
        makeReportBad();
        scene.policy(policy -> DossierScene.criterion(policy, 0).put("waivable", false));
        scene.waive("report.json", scene.owner, waiver(LATER.plusSeconds(60)));
        assertWaiverCountsForNothing("may not be waived");
    }

    @Test
    void nobodyCanWaiveEvidenceThatWasEdited() throws Exception {
        DossierScene.flip(scene.root.resolve(DossierScene.REPORT), 0);
        scene.waive("report.json", scene.owner, waiver(LATER.plusSeconds(60)));
        DossierDecision decision = scene.build();
        assertNoGo(decision, DossierScene.REPORT, "has SHA-256");
        assertThat(DossierScene.outcome(decision, "report")).isEqualTo(Outcome.FAILED);
    }

    // ---- books

    /** The scan's place is taken by the proofs. */
    private void keepBooks(NoteVerifier ledger) throws IOException {
        scene.policy(policy -> {
            ((ObjectNode) policy.path("keys")).put("ledger", ledger.vkey());
            DossierScene.criterion(policy, 1)
                    .put("verify", "books")
                    .put("ifMissing", "fails")
                    .put("waivable", false);
        });
    }

    private void record(StubLedger ledger, List<DossierManifest.Entry> files) throws IOException {
        List<JsonNode> bundles = new ArrayList<>();
        for (DossierManifest.Entry entry : files) {
            ledger.publish(DossierBooks.event(entry));
            int number = bundles.size();
            bundles.add(DossierJson.tree(
                            ledger.receiptJson(number, ledger.goodNote(number)).getBytes(StandardCharsets.UTF_8))
                    .path("bundle"));
        }
        Files.write(
                scene.root.resolve("evidence/scan.json"), DossierBooks.file(files, bundles, ledger.signer.verifier()));
        scene.collect(scene.evidence);
    }

    private List<DossierManifest.Entry> collected() throws IOException {
        byte[] json = Files.readAllBytes(scene.root.resolve("release/evidence.json"));
        return DossierManifest.parse(Path.of("evidence.json"), json).files();
    }

    @Test
    void everyFileIsProvedToBeInTheLedger() throws Exception {
        try (StubLedger ledger = new StubLedger()) {
            keepBooks(ledger.signer.verifier());
            record(ledger, collected());
            assertThat(scene.build().decision()).isEqualTo(Verdict.GO);
        }
    }

    @Test
    void aProofOfAnotherLedgerFileOrDigestProvesNothing() throws Exception {
        try (StubLedger ledger = new StubLedger()) {
            List<DossierManifest.Entry> before = collected();
            keepBooks(ledger.signer.verifier());

            // then: a file that was not recorded
            record(ledger, before.subList(0, 1));
            assertNoGo(scene.build(), before.get(1).path(), "no proof");

            // and one that was edited, and collected again, since
            scene.write(DossierScene.REPORT, "{\"lost\":-1,\"endedAt\":\"" + DossierScene.MADE_AT + "\"}");
            scene.collect(scene.evidence);
            assertNoGo(scene.build(), DossierScene.REPORT, "is an event of the ledger");
        }
        try (StubLedger other = new StubLedger()) {
            record(other, collected().subList(0, 2));
            assertNoGo(scene.build(), DossierScene.REPORT, "note-signature");
        }
    }

    // ---- pages

    @Test
    void nothingOfAFileIsMarkup() throws Exception {
        // given
        makeReportBad();
        scene.waive(
                "report.json",
                scene.owner,
                new DossierWaiver(
                        "report", "<script>alert(1)</script>", "\"'><img src=x onerror=y>|`", LATER.plusSeconds(60)));

        // when
        Path out = scene.newDirectory();
        scene.build(out, LATER);

        // then
        String html = Files.readString(out.resolve(Dossier.HTML));
        assertThat(html)
                .contains("&lt;script&gt;alert(1)&lt;/script&gt;", "&quot;&#39;&gt;&lt;img", "Nothing is &lt;lost&gt;")
                .contains("default-src 'none'")
                .doesNotContain("<script", "<img", "http://", "https://", " style=");
        String page = Files.readString(out.resolve(Dossier.PAGE));
        assertThat(page).contains("&lt;script&gt;").contains("\\|\\`").doesNotContain("<script");
    }

    @Test
    void thePageAllowsItsOwnStyleAndNoOther() throws Exception {
        Path out = scene.newDirectory();
        scene.build(out, LATER);
        String html = Files.readString(out.resolve(Dossier.HTML));
        String style = html.substring(html.indexOf("<style>") + 7, html.indexOf("</style>"));
        String digest = Base64.getEncoder()
                .encodeToString(HexFormat.of().parseHex(DrillEvidence.sha256(style.getBytes(StandardCharsets.UTF_8))));
        assertThat(html).contains("style-src 'sha256-" + digest + "'");
    }

    // ---- what is no question of go or no go

    @Test
    void aDossierIsNeverWrittenOverAnother() throws Exception {
        Path out = Files.createDirectory(scene.newDirectory());
        assertThatThrownBy(() -> scene.build(out, LATER))
                .isInstanceOfSatisfying(
                        CliException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE));
        assertThat(out).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "no JSON",
                "{\"v\":1,\"v\":1}",
            })
    void aPolicyThatIsNoneIsAnErrorAndNothingIsWritten(String policy) throws Exception {
        scene.write("release/policy.json", policy);
        Path out = scene.newDirectory();
        assertThatThrownBy(() -> scene.build(out, LATER))
                .isInstanceOfSatisfying(
                        CliException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE));
        assertThat(out).doesNotExist();
    }

    @Test
    void aCriterionTwiceIsNoPolicy() throws Exception {
        scene.policy(policy -> DossierScene.criterion(policy, 1).put("id", "report"));
        assertThatThrownBy(() -> scene.build()).hasMessageContaining("has criterion report twice");
    }

    @Test
    void collectingAgainKeepsWhatIsAsItWas() throws Exception {
        // given
        DossierManifest before = new DossierFiles(scene.root)
                .collect(scene.readPolicy(), scene, DossierManifest.EMPTY, Optional.of("b".repeat(40)));
        scene.ancestors.add("b".repeat(40));
        scene.write(DossierScene.NOTES, "# Other notes\n");

        // when
        DossierManifest now = new DossierFiles(scene.root).collect(scene.readPolicy(), scene, before, Optional.empty());

        // then
        assertThat(now.find(DossierScene.REPORT)).isEqualTo(before.find(DossierScene.REPORT));
        assertThat(now.find(DossierScene.NOTES).orElseThrow().commit()).isEqualTo(DossierScene.COMMIT);
    }

    @Test
    void collectingAgainKeepsNothingOfACommitThatIsNotInTheHistory() throws Exception {
        // given
        DossierManifest before = new DossierFiles(scene.root)
                .collect(scene.readPolicy(), scene, DossierManifest.EMPTY, Optional.of("b".repeat(40)));

        // when
        DossierManifest now = new DossierFiles(scene.root).collect(scene.readPolicy(), scene, before, Optional.empty());

        // then
        assertThat(now.files()).extracting(DossierManifest.Entry::commit).containsOnly(DossierScene.COMMIT);
    }

    @Test
    void aWaiverEndsAtATimeOrInSoManyDays() throws Exception {
        Path key = Files.writeString(scratch.resolve("owner.skey"), scene.owner.skey());
        for (String expires :
                List.of("7d", Instant.now().plusSeconds(7 * 86_400).toString(), "31d", "7", "-7d")) {
            Path file = scratch.resolve("waiver" + expires.length() + expires.charAt(0) + ".json");
            CommandLine commandLine = Main.commandLine().setErr(new PrintWriter(new StringWriter()));
            int exitCode = commandLine.execute(
                    "dossier",
                    "waive",
                    "--repository",
                    scene.root.toString(),
                    "--criterion",
                    "report",
                    "--owner",
                    "me",
                    "--reason",
                    "why",
                    "--expires",
                    expires,
                    "--key",
                    key.toString(),
                    "--file",
                    file.toString());
            boolean holds = expires.equals("7d") || expires.contains("T");
            assertThat(exitCode).as(expires).isEqualTo(holds ? ExitCode.OK : ExitCode.USAGE);
            if (holds) {
                Instant end = DossierWaiver.judge("w", Files.readAllBytes(file), scene.readPolicy(), Instant.now())
                        .waiver()
                        .orElseThrow()
                        .expiresAt();
                assertThat(end)
                        .isBetween(
                                Instant.now().plusSeconds(7 * 86_400 - 300),
                                Instant.now().plusSeconds(7 * 86_400));
            } else {
                assertThat(file).doesNotExist();
            }
        }
    }
}
