// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The workflows, and the rulesets that require them. */
class WorkflowsTest {
    private static final Path GITHUB = Script.HOME.resolve(".github");
    private static final String GITHUB_ACTIONS = "15368";
    private static final Set<String> GATES = Set.of(
            "on-main",
            "unit",
            "integration",
            "migration",
            "fuzz",
            "drill",
            "game-day",
            "sbom",
            "reproducible",
            "scan",
            "signature-verification");

    /** Until it was seen green (docs/releases.md). */
    private static final Set<String> NOT_REQUIRED = Set.of("reproducible");

    /** One that keeps every rule. */
    private static final String GOOD = """
            name: good
            on:
              pull_request:
            permissions: {}
            concurrency:
              group: good
            jobs:
              test:
                runs-on: ubuntu-24.04
                timeout-minutes: 5
                permissions:
                  contents: read
                strategy:
                  matrix:
                    java: [17, 25]
                steps:
                  - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
                    with:
                      persist-credentials: false
                  - run: mvn verify
              release:
                needs: [test]
                runs-on: ubuntu-24.04
                timeout-minutes: 5
                permissions:
                  contents: write
                steps:
                  - run: echo released
            """;

    private static Map<String, Workflow> workflows() throws IOException {
        Map<String, Workflow> workflows = new TreeMap<>();
        try (Stream<Path> files = Files.list(GITHUB.resolve("workflows"))) {
            for (Path file : files.toList()) {
                workflows.put("./.github/workflows/" + file.getFileName(), Workflow.parse(Files.readString(file)));
            }
        }
        assertThat(workflows).hasSizeGreaterThanOrEqualTo(3);
        return workflows;
    }

    @Test
    void keepTheRules() throws Exception {
        workflows()
                .forEach((file, workflow) ->
                        assertThat(workflow.violations()).as(file).isEmpty());
    }

    @Test
    void releaseNothingThatDidNotPassEveryGate() throws Exception {
        Workflow governance = workflows().get("./.github/workflows/release-governance.yml");

        for (String job : List.of("draft", "release")) {
            assertThat(governance.ungated(job, GATES)).isEmpty();
        }
        assertThat(governance.ungated("release", Set.of("draft", "download"))).isEmpty();
        assertThat(governance.ungated("download", Set.of("draft"))).isEmpty();
        assertThat(governance.triggers()).containsExactly("push");
        assertThat(governance.root().at("/on/push").fieldNames()).toIterable().containsExactly("tags");
    }

    @Test
    void reportUnderTheNamesThatTheRulesetRequires() throws Exception {
        Map<String, Workflow> workflows = workflows();
        Set<String> contexts = new TreeSet<>();
        workflows.values().stream()
                .filter(workflow -> workflow.triggers().contains("pull_request"))
                .forEach(workflow -> contexts.addAll(workflow.contexts(workflows)));

        Set<String> required = required(Files.readString(GITHUB.resolve("rulesets/main.json")));

        assertThat(required).isNotEmpty().isSubsetOf(contexts);
        assertThat(contexts)
                .as("jobs of changes that no ruleset requires: require them, or say here why not")
                .containsExactlyInAnyOrderElementsOf(
                        Stream.concat(required.stream(), NOT_REQUIRED.stream()).toList());
    }

    /** Alerts of CodeQL fail no job. */
    @Test
    void alertsOfCodeScanningAreInTheWayOfAChange() throws Exception {
        JsonNode rules = new ObjectMapper()
                .readTree(GITHUB.resolve("rulesets/main.json").toFile())
                .path("rules");
        assertThat(rules.findValuesAsText("tool")).containsExactly("CodeQL");
        assertThat(rules.findValuesAsText("security_alerts_threshold")).containsExactly("high_or_higher");
    }

    private static Set<String> required(String ruleset) throws JsonProcessingException {
        return new TreeSet<>(new ObjectMapper().readTree(ruleset).findValuesAsText("context"));
    }

    @Test
    void areGuardedByRulesetsThatNobodyBypasses() throws Exception {
        for (String file : List.of("main.json", "tags.json")) {
            JsonNode ruleset = new ObjectMapper()
                    .readTree(GITHUB.resolve("rulesets/" + file).toFile());
            assertThat(ruleset.path("enforcement").asText()).as(file).isEqualTo("active");
            assertThat(ruleset.path("bypass_actors").isArray()).as(file).isTrue();
            assertThat(ruleset.path("bypass_actors")).as(file).isEmpty();
            assertThat(ruleset.path("rules").findValuesAsText("type"))
                    .as(file)
                    .contains("deletion", "non_fast_forward", "required_signatures");
        }
    }

    /** A tag on a commit whose own workflow has no gates would be a way past them. */
    @Test
    void areBegunByAdministratorsAloneAndForACommitOfMain() throws Exception {
        JsonNode ruleset = new ObjectMapper()
                .readTree(GITHUB.resolve("rulesets/tag-creation.json").toFile());
        Workflow governance = workflows().get("./.github/workflows/release-governance.yml");

        assertThat(ruleset.path("enforcement").asText()).isEqualTo("active");
        assertThat(ruleset.path("rules").findValuesAsText("type")).containsExactly("creation");
        assertThat(ruleset.at("/conditions/ref_name/include/0").asText()).isEqualTo("refs/tags/v*");
        assertThat(ruleset.path("bypass_actors")).hasSize(1);
        assertThat(ruleset.at("/bypass_actors/0/actor_type").asText()).isEqualTo("RepositoryRole");
        assertThat(ruleset.at("/bypass_actors/0/actor_id").asInt()).isEqualTo(5);
        assertThat(governance.root().at("/jobs/on-main/steps").findValuesAsText("run"))
                .containsExactly("git merge-base --is-ancestor \"$GITHUB_SHA\" origin/main");
    }

    @Test
    void countNoCheckThatAnotherAppReports() throws Exception {
        JsonNode main =
                new ObjectMapper().readTree(GITHUB.resolve("rulesets/main.json").toFile());

        main.findValues("required_status_checks").stream()
                .filter(JsonNode::isArray)
                .forEach(checks -> checks.forEach(
                        check -> assertThat(check.path("integration_id").asText())
                                .as(check.toString())
                                .isEqualTo(GITHUB_ACTIONS)));
    }

    @Test
    void areChangedByNobodyWithoutAnOwner() throws Exception {
        List<String> owned = Files.readAllLines(GITHUB.resolve("CODEOWNERS")).stream()
                .filter(line -> line.startsWith("/"))
                .map(line -> line.split(" +", -1)[0])
                .toList();
        JsonNode main =
                new ObjectMapper().readTree(GITHUB.resolve("rulesets/main.json").toFile());

        assertThat(owned).contains("/.github/", "/.ci/", "/release/");
        for (String path : owned) {
            Path named = Script.HOME.resolve(path.substring(1).replace("*", ".sh"));
            assertThat(named).as(path).exists();
        }
        assertThat(main.findValue("require_code_owner_review").asBoolean()).isTrue();
    }

    @Test
    void askForNoTestThatIsNotThere() throws Exception {
        Set<String> tests = new TreeSet<>();
        for (Path sources : testSources()) {
            try (Stream<Path> files = Files.walk(sources)) {
                files.map(file -> file.getFileName().toString())
                        .filter(name -> name.endsWith(".java"))
                        .forEach(name -> tests.add(name.replace(".java", "")));
            }
        }
        for (Map.Entry<String, Workflow> workflow : workflows().entrySet()) {
            assertThat(tests)
                    .as(workflow.getKey())
                    .containsAll(workflow.getValue().namedTests());
        }
    }

    /** Of each module; nothing else of the checkout is looked into, where builds and drills make and remove files meanwhile. */
    private static List<Path> testSources() throws IOException {
        try (Stream<Path> modules = Files.list(Script.HOME)) {
            return modules.map(module -> module.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .toList();
        }
    }

    /** Of a change; each test without a tag runs in the part before, and no test with one does. */
    @Test
    void runTheTestCommandByItselfAndThenAllThatItsProfilesAdd() throws Exception {
        String script = Files.readString(Script.HOME.resolve(".ci/run"));
        assertThat(script).contains("\nmvn -B -ntp verify \"$@\"\n");
        Set<String> profiles = Set.of(between(script, " -P", " ").split(","));
        Set<String> groups = Set.of(between(script, "-Dgroups='", "'").split(" [|] "));
        assertThat(profiles).isNotEmpty();
        Set<String> expected = new TreeSet<>(profiles);
        expected.add("drills"); // of those that are tagged `restores`, which are run every night
        assertThat(groups).containsExactlyInAnyOrderElementsOf(expected);
    }

    private static String between(String text, String before, String after) {
        int from = text.indexOf(before) + before.length();
        return text.substring(from, text.indexOf(after, from));
    }

    @Test
    void scanNothingByExceptionsThatAreNotHeldToTheirDay() throws Exception {
        for (Map.Entry<String, Workflow> workflow : workflows().entrySet()) {
            workflow.getValue().root().path("jobs").forEach(job -> {
                if (job.toString().contains("TRIVY_VEX")) {
                    assertThat(job.path("steps").findValuesAsText("run"))
                            .as(workflow.getKey())
                            .contains("scripts/vex_days.sh");
                }
            });
        }
        assertThat(workflows().get("./.github/workflows/ci.yml").root().toString())
                .contains("TRIVY_VEX");
    }

    // ---- each rule, seen to fail

    @Test
    void theOneThatKeepsEveryRuleIsGood() throws Exception {
        Workflow good = Workflow.parse(GOOD);

        assertThat(good.violations()).isEmpty();
        assertThat(good.ungated("release", Set.of("test"))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "permissions: {}                | permissions: read-all          | permissions at the top must be {}",
                "permissions: {}                | env: {}                        | permissions at the top must be {}",
                "concurrency:                   | env:                           | concurrency is missing",
                "pull_request:                  | pull_request_target:           | trigger pull_request_target is not trusted",
                "pull_request:                  | workflow_run:                  | trigger workflow_run is not trusted",
                "pull_request:                  | issue_comment:                 | trigger issue_comment is not trusted",
                "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 | @v5                 | not pinned by a commit",
                "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 | @08c6903            | not pinned by a commit",
                "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 | docker://alpine:3 | not pinned by a commit",
                "' # v5.0.0'                    | ''                             | does not say which version",
                "'timeout-minutes: 5'           | 'environment: test'            | test has no timeout-minutes",
                "persist-credentials: false     | persist-credentials: true      | keeps credentials",
                "persist-credentials: false     | fetch-depth: 0                 | keeps credentials",
                "persist-credentials: false     | 'ref: main'                    | checks out another commit",
                "run: mvn verify                | 'run: echo ${{ github.event.pull_request.title }}' | interpolates into run",
                "run: mvn verify                | 'run: echo ${{ github.head_ref }}' | interpolates into run",
                "run: mvn verify                | 'run: echo $A\n        env:\n          A: ${{ secrets.A }}' | has a secret",
            })
    void aPlantedFaultIsFound(String good, String bad, String violation) throws Exception {
        assertThat(GOOD).contains(good);
        assertThat(Workflow.parse(GOOD.replace(good, bad)).violations()).anyMatch(found -> found.contains(violation));
    }

    @Test
    void whatDoesNotParseIsFound() {
        assertThatThrownBy(() -> Workflow.parse(GOOD + "  release:\n    needs: []\n"))
                .isInstanceOf(JsonProcessingException.class);
        assertThatThrownBy(() -> Workflow.parse(GOOD.replace("jobs:", "jobs: [")))
                .isInstanceOf(JsonProcessingException.class);
    }

    @Test
    void aGateThatIsNotNeededOrMayBeSkippedIsFound() throws Exception {
        assertThat(Workflow.parse(GOOD.replace("needs: [test]", "needs: []")).ungated("release", Set.of("test")))
                .containsExactly("release does not need test");
        assertThat(Workflow.parse(GOOD).ungated("release", Set.of("drill"))).containsExactly("there is no job drill");
        assertThat(Workflow.parse(GOOD.replace("needs: [test]", "needs: [test]\n    if: always()"))
                        .ungated("release", Set.of("test")))
                .containsExactly("release may run without its gates");
        for (String skip : List.of("    if: github.actor != 'me'\n", "    continue-on-error: true\n")) {
            assertThat(Workflow.parse(GOOD.replace("  test:\n", "  test:\n" + skip))
                            .ungated("release", Set.of("test")))
                    .containsExactly("test may be skipped, or fail without failing");
        }
        assertThat(Workflow.parse(GOOD.replace("run: mvn verify", "run: mvn verify\n        continue-on-error: true"))
                        .ungated("release", Set.of("test")))
                .containsExactly("test may be skipped, or fail without failing");
    }

    @Test
    void jobsReportUnderTheirNamesTheirMatrixAndTheirCaller() throws Exception {
        Workflow good = Workflow.parse(GOOD);
        assertThat(good.contexts(Map.of())).containsExactly("release", "test (17)", "test (25)");

        Workflow named = Workflow.parse(GOOD.replace("  test:\n", "  test:\n    name: on ${{ matrix.java }}\n"));
        assertThat(named.contexts(Map.of())).containsExactly("on 17", "on 25", "release");

        Workflow caller = Workflow.parse("""
                on: push
                jobs:
                  all:
                    uses: ./.github/workflows/good.yml
                """);
        assertThat(caller.contexts(Map.of("./.github/workflows/good.yml", good)))
                .containsExactly("all / release", "all / test (17)", "all / test (25)");
    }

    @Test
    void aRequiredNameThatNobodyReportsUnderIsFound() throws Exception {
        String ruleset = Files.readString(GITHUB.resolve("rulesets/main.json"));
        Workflow ci = workflows().get("./.github/workflows/ci.yml");

        assertThat(ci.contexts(Map.of())).containsAll(required(ruleset));
        assertThat(ci.contexts(Map.of())).doesNotContainAnyElementsOf(List.of("verify", "verify (21)"));
        assertThat(required(ruleset.replace("verify (25)", "verify (21)"))).contains("verify (21)");
    }
}
