// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.attestream.cli.DossierDecision.Criterion;
import io.attestream.cli.DossierDecision.Evidence;
import io.attestream.cli.DossierDecision.Input;
import io.attestream.cli.DossierDecision.Line;
import io.attestream.cli.DossierDecision.Outcome;
import io.attestream.cli.DossierDecision.Reason;
import io.attestream.cli.DossierDecision.Verdict;
import io.attestream.cli.DossierManifest.Entry;
import io.attestream.cli.DossierPolicy.IfMissing;
import io.attestream.cli.DossierPolicy.Requirement;
import io.attestream.proofs.attestation.Statement;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.NoteSigner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Decides whether to launch, from files alone: verifies every file of evidence, judges it again, and holds it against the policy.
 * Whatever is missing, too old, edited, of another commit or not committed is NO-GO; what was not assessed is never counted as
 * passed. The same files give the same dossier, byte for byte.
 */
final class Dossier {
    static final String DECISION = "decision.json";
    static final String PAGE = "DOSSIER.md";
    static final String HTML = "dossier.html";
    static final String STATEMENT = "decision.dsse.json";
    static final String EVIDENCE = "evidence";
    static final String PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1";
    /** Who verified, in the statement. */
    private static final String VERIFIER = "https://attestream.io/dossier/v1";

    private final Inputs in;
    private final DossierFiles files;
    private final String head;
    private final byte[] policyBytes;
    private final DossierPolicy policy;
    private final List<Reason> reasons = new ArrayList<>();
    private final Map<String, String> problems = new TreeMap<>();
    private final List<DossierWaiver.Judged> waivers = new ArrayList<>();
    private final Map<String, byte[]> outputs = new TreeMap<>();
    /** Empty unless its signature is good. */
    private DossierManifest manifest = DossierManifest.EMPTY;

    /**
     * What a decision is made of.
     *
     * @param root of the repository
     * @param policy and {@code manifest}, {@code waivers}: paths from the root
     * @param waivers directory; may be absent
     * @param out directory that is made
     * @param at the time of the decision
     */
    record Inputs(Path root, DossierTree tree, String policy, String manifest, String waivers, Path out, Instant at) {}

    private Dossier(Inputs in) {
        this.in = in;
        this.files = new DossierFiles(in.root());
        this.head = in.tree().head();
        this.policyBytes = files.required(in.policy());
        this.policy = DossierPolicy.parse(Path.of(in.policy()), policyBytes);
    }

    /**
     * Writes the dossier.
     *
     * @param key signs the decision; none: it is not signed
     * @throws CliException as usage if there is no policy, or the directory is in use: nothing is written then
     */
    static DossierDecision build(Inputs in, Optional<NoteSigner> key) {
        Dossier dossier = new Dossier(in);
        if (Files.exists(in.out())) {
            throw new CliException(
                    ExitCode.USAGE, in.out() + " exists", "A dossier is never written over another: give a new --dir.");
        }
        dossier.readTree();
        dossier.readManifest();
        dossier.verifyFiles();
        dossier.readWaivers();
        return dossier.write(dossier.decide(), key);
    }

    // ---- what is there

    private void readTree() {
        in.tree().changes().forEach(path -> refuse(path, DossierFiles.NOT_COMMITTED));
        holdToCommit(in.policy(), policyBytes);
    }

    /** Whatever git says of the tree, what is read has to be what is committed. */
    private void holdToCommit(String path, byte[] bytes) {
        if (!in.tree().isCommitted(path, bytes)) {
            refuse(path, DossierFiles.NOT_COMMITTED);
        }
    }

    private void refuse(String path, String what) {
        Reason reason = new Reason("", path, what);
        if (!reasons.contains(reason)) {
            reasons.add(reason);
        }
    }

    private void readManifest() {
        Path path = Path.of(in.manifest());
        String envelope = DossierManifest.envelope(path).toString();
        byte[] json = input(in.manifest());
        byte[] signature = input(envelope);
        if (json.length == 0 || signature.length == 0) {
            return;
        }
        Optional<String> problem = DossierManifest.problem(path, json, signature, policy.evidenceKey());
        if (problem.isPresent()) {
            reasons.add(new Reason("", in.manifest(), problem.get() + " (" + envelope + ")"));
            return;
        }
        try {
            manifest = DossierManifest.parse(path, json);
        } catch (CliException e) {
            reasons.add(new Reason("", in.manifest(), String.valueOf(e.getMessage())));
        }
    }

    private byte[] input(String path) {
        DossierFiles.Content content = files.read(path);
        if (content instanceof DossierFiles.Content.Bytes bytes) {
            outputs.put(Path.of(path).getFileName().toString(), bytes.bytes());
            holdToCommit(path, bytes.bytes());
            return bytes.bytes();
        }
        reasons.add(new Reason("", path, ((DossierFiles.Content.None) content).why()));
        return new byte[0];
    }

    private void verifyFiles() {
        for (Entry entry : manifest.files()) {
            String schema = policy.schemaOf(entry.path());
            if (!entry.schema().equals(schema)) {
                problems.put(
                        entry.path(),
                        "was collected with schema \"" + entry.schema() + "\", the policy has \"" + schema + "\"");
                continue;
            }
            // these very bytes are judged and kept: the file could be another one when it is read again
            DossierFiles.Content content = files.verified(entry, in.tree(), in.at());
            if (content instanceof DossierFiles.Content.Bytes bytes) {
                outputs.put(EVIDENCE + "/" + entry.path(), bytes.bytes());
            } else {
                problems.put(entry.path(), ((DossierFiles.Content.None) content).why());
            }
        }
        for (String path : files.found(policy)) {
            if (manifest.find(path).isEmpty() && !manifest.files().isEmpty()) {
                problems.put(path, "is not in the manifest: nobody signed it");
            }
        }
        problems.forEach(this::refuse);
    }

    private void readWaivers() {
        Path directory = in.root().resolve(in.waivers());
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (Stream<Path> found = Files.list(directory)) {
            for (String name : found.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".json"))
                    .sorted()
                    .toList()) {
                String path = in.waivers() + "/" + name;
                byte[] bytes = files.required(path);
                holdToCommit(path, bytes);
                waivers.add(DossierWaiver.judge(path, bytes, policy, in.at()));
                outputs.put("waivers/" + name, bytes);
            }
        } catch (IOException e) {
            throw LocalFiles.failure("read", directory, e);
        }
    }

    // ---- what it comes to

    private DossierDecision decide() {
        Path copies = in.out().resolve(EVIDENCE);
        write(outputs); // judged is what is in the dossier, and nothing that can change meanwhile
        List<Criterion> criteria = new ArrayList<>();
        for (DossierPolicy.Criterion criterion : policy.criteria()) {
            criteria.add(judge(criterion, copies));
        }
        boolean waived = criteria.stream().anyMatch(criterion -> criterion.outcome() == Outcome.WAIVED);
        Verdict verdict = !reasons.isEmpty() ? Verdict.NO_GO : waived ? Verdict.GO_WITH_WAIVERS : Verdict.GO;
        return new DossierDecision(
                1,
                verdict,
                in.at().toString(),
                head,
                new Input(in.policy(), DrillEvidence.sha256(policyBytes)),
                new Input(in.manifest(), outputDigest(in.manifest())),
                List.copyOf(reasons),
                criteria,
                waivers.stream().map(Dossier::shown).toList());
    }

    private String outputDigest(String path) {
        byte[] bytes = outputs.get(Path.of(path).getFileName().toString());
        return bytes == null ? "" : DrillEvidence.sha256(bytes);
    }

    private static DossierDecision.Waiver shown(DossierWaiver.Judged judged) {
        Optional<DossierWaiver> waiver = judged.waiver();
        return new DossierDecision.Waiver(
                judged.path(),
                judged.sha256(),
                waiver.map(DossierWaiver::criterion).orElse(""),
                waiver.map(DossierWaiver::owner).map(DossierDecision::shown).orElse(""),
                waiver.map(DossierWaiver::reason).map(DossierDecision::shown).orElse(""),
                waiver.map(signed -> signed.expiresAt().toString()).orElse(""),
                judged.problem());
    }

    private Criterion judge(DossierPolicy.Criterion criterion, Path copies) {
        List<Evidence> evidence = evidence(criterion);
        List<Line> lines = new ArrayList<>();
        if (evidence.isEmpty()) {
            Outcome missing = criterion.ifMissing() == IfMissing.FAILS ? Outcome.FAILED : Outcome.NOT_ASSESSED;
            lines.add(new Line("evidence", "", String.join(", ", criterion.evidence()), "there is none", missing));
            return criterion(criterion, lines, evidence, true);
        }
        List<Evidence> bad =
                evidence.stream().filter(file -> !file.problem().isEmpty()).toList();
        if (!bad.isEmpty()) {
            bad.forEach(file -> lines.add(Line.of("evidence", file.path(), "verifies", file.problem(), false)));
            return criterion(criterion, lines, evidence, true);
        }
        ages(criterion, evidence, lines);
        boolean stale = lines.stream().anyMatch(line -> line.outcome() == Outcome.FAILED);
        List<String> paths = evidence.stream().map(Evidence::path).toList();
        DossierCheck.Material material = new DossierCheck.Material(copies, policy, criterion, manifest, paths);
        lines.addAll(criterion.verify().lines(material));
        criterion.require().forEach(requirement -> lines.addAll(required(requirement, material)));
        return criterion(criterion, lines, evidence, stale);
    }

    /** Files in the manifest, and those that should be. */
    private List<Evidence> evidence(DossierPolicy.Criterion criterion) {
        List<Evidence> evidence = new ArrayList<>();
        for (Entry entry : manifest.files()) {
            if (criterion.has(entry.path())) {
                evidence.add(new Evidence(
                        entry.path(),
                        entry.sha256(),
                        entry.sizeBytes(),
                        entry.schema(),
                        entry.commit(),
                        entry.madeAt(),
                        problems.getOrDefault(entry.path(), "")));
            }
        }
        problems.forEach((path, problem) -> {
            if (criterion.has(path) && manifest.find(path).isEmpty()) {
                evidence.add(new Evidence(path, "", 0, "", "", "", problem));
            }
        });
        return evidence;
    }

    private void ages(DossierPolicy.Criterion criterion, List<Evidence> evidence, List<Line> lines) {
        Duration max = Duration.ofHours(criterion.maxAgeHours());
        String required = "at most " + criterion.maxAgeHours() + " h old";
        for (Evidence file : evidence) {
            Duration age = Duration.between(Instant.parse(file.madeAt()), in.at());
            if (age.compareTo(max) > 0) {
                lines.add(Line.of("age", file.path(), required, "of " + file.madeAt(), false));
            }
        }
        if (lines.isEmpty()) {
            String oldest = evidence.stream()
                    .map(file -> Instant.parse(file.madeAt()))
                    .min(Instant::compareTo)
                    .map(Instant::toString)
                    .orElse("");
            lines.add(Line.of("age", "", required, "the oldest file is of " + oldest, true));
        }
    }

    private static List<Line> required(Requirement requirement, DossierCheck.Material material) {
        List<Line> failed = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        int held = 0;
        for (String file : material.files()) {
            if (!DossierPolicy.matches(requirement.files(), file)) {
                continue;
            }
            JsonNode value = value(material.path(file), requirement.pointer());
            if (requirement.holds(value)) {
                held++;
                seen.add(value.toString());
            } else {
                String observed = value.isMissingNode() ? "not there" : value.toString();
                failed.add(Line.of("value", file, requirement.text(), observed, false));
            }
        }
        if (!failed.isEmpty()) {
            return failed;
        }
        String observed =
                held == 0 ? "no file" : String.join(", ", seen.stream().sorted().toList());
        return List.of(Line.of("value", "", requirement.text() + " in " + requirement.files(), observed, held > 0));
    }

    private static JsonNode value(Path file, String pointer) {
        try {
            return DossierJson.tree(Files.readAllBytes(file)).at(pointer);
        } catch (IOException | IllegalArgumentException e) {
            return MissingNode.getInstance();
        }
    }

    /**
     * What the lines come to, after waivers.
     *
     * @param unconditional whether a failure is one of the evidence itself, which blocks whatever the policy says of the criterion
     */
    private Criterion criterion(
            DossierPolicy.Criterion criterion, List<Line> lines, List<Evidence> evidence, boolean unconditional) {
        boolean edited = evidence.stream().anyMatch(file -> !file.problem().isEmpty());
        Outcome outcome = outcome(lines);
        boolean blocks = switch (outcome) {
            case FAILED -> unconditional || criterion.blocking();
            case NOT_ASSESSED -> criterion.notAssessedBlocks();
            default -> false;
        };
        boolean waived = blocks && !edited && isWaived(criterion.id());
        if (blocks && !waived) {
            lines.stream()
                    .filter(line -> line.outcome() != Outcome.PASSED)
                    .filter(line -> outcome == Outcome.NOT_ASSESSED || line.outcome() == Outcome.FAILED)
                    .filter(line -> !problems.containsKey(line.file())) // said already
                    .forEach(line -> reasons.add(new Reason(
                            criterion.id(),
                            line.file(),
                            line.what() + ": " + line.observed() + "; required: " + line.required())));
        }
        return new Criterion(
                criterion.id(),
                criterion.claim(),
                criterion.reference(),
                waived ? Outcome.WAIVED : outcome,
                blocks && !waived,
                List.copyOf(lines),
                evidence);
    }

    /** Nothing that was not assessed makes a pass of what has passed; something that has passed makes it more than nothing. */
    private static Outcome outcome(List<Line> lines) {
        if (lines.stream().anyMatch(line -> line.outcome() == Outcome.FAILED)) {
            return Outcome.FAILED;
        }
        return lines.stream().allMatch(line -> line.outcome() == Outcome.NOT_ASSESSED)
                ? Outcome.NOT_ASSESSED
                : Outcome.PASSED;
    }

    private boolean isWaived(String criterion) {
        return waivers.stream()
                .filter(DossierWaiver.Judged::counts)
                .flatMap(judged -> judged.waiver().stream())
                .anyMatch(waiver -> waiver.criterion().equals(criterion));
    }

    // ---- what is written

    private DossierDecision write(DossierDecision decision, Optional<NoteSigner> key) {
        byte[] json = DossierJson.write(decision);
        Map<String, byte[]> made = new TreeMap<>();
        made.put(DECISION, json);
        made.put(PAGE, DossierPages.markdown(decision));
        made.put(HTML, DossierPages.html(decision));
        made.put("policy.json", policyBytes);
        key.ifPresent(signer -> made.put(
                STATEMENT, statement(decision, made).sign(signer::signBytes).encode()));
        write(made);
        return decision;
    }

    /** A verification summary (SLSA VSA v1), of all that is in the dossier beside its evidence, which the manifest names. */
    private Statement statement(DossierDecision decision, Map<String, byte[]> made) {
        Map<String, String> subjects = new TreeMap<>();
        made.forEach((name, bytes) -> subjects.put(name, DrillEvidence.sha256(bytes)));
        boolean go = decision.decision() != Verdict.NO_GO;
        JsonObject predicate = new JsonObject(Map.of(
                "verifier", new JsonObject(Map.of("id", new JsonString(VERIFIER))),
                "timeVerified", new JsonString(decision.at()),
                "resourceUri", new JsonString("git+commit:" + decision.commit()),
                "policy", resource(decision.policy()),
                "inputAttestations", new JsonArray(List.of(resource(decision.evidence()))),
                "verificationResult", new JsonString(go ? "PASSED" : "FAILED"),
                "verifiedLevels",
                        new JsonArray(List.of(new JsonString(
                                "ATTESTREAM_" + decision.decision().name())))));
        return new Statement(subjects, PREDICATE_TYPE, predicate);
    }

    private static JsonValue resource(Input input) {
        return new JsonObject(Map.of(
                "uri", new JsonString(input.path()),
                "digest", new JsonObject(Map.of("sha256", new JsonString(input.sha256())))));
    }

    private void write(Map<String, byte[]> contents) {
        try {
            Files.createDirectories(in.out().resolve(EVIDENCE));
            for (Map.Entry<String, byte[]> content : contents.entrySet()) {
                Path file = in.out().resolve(content.getKey());
                Files.createDirectories(file.resolveSibling(""));
                Files.write(file, content.getValue());
            }
        } catch (IOException e) {
            throw LocalFiles.failure("write", in.out(), e);
        }
    }
}
