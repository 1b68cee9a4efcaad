// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.cli.DossierDecision.Line;
import io.attestream.cli.DossierDecision.Outcome;
import io.attestream.operations.slo.InvalidSlo;
import io.attestream.operations.slo.PrometheusRules;
import io.attestream.operations.slo.SloReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How evidence of a kind is judged again, whatever it says of itself. */
enum DossierCheck {
    /** Nothing but what holds for all evidence. */
    @JsonProperty("files")
    FILES {
        @Override
        List<Line> judge(Material material) {
            return List.of();
        }
    },
    /** Every scenario was played, and is as it says by its own looks. */
    @JsonProperty("game-days")
    GAME_DAYS {
        @Override
        List<Line> judge(Material material) throws IOException {
            List<Line> lines = new ArrayList<>();
            for (GameDayScenario scenario : GameDayScenario.values()) {
                Optional<String> report = material.files().stream()
                        .filter(file -> file.endsWith("/" + scenario.word() + "/" + GameDayEvidence.REPORT))
                        .findFirst();
                lines.add(
                        report.isEmpty()
                                ? Line.of(scenario.word(), "", "was played", "no report", false)
                                : gameDay(scenario, report.get(), material));
            }
            return lines;
        }

        private Line gameDay(GameDayScenario scenario, String report, Material material) throws IOException {
            GameDayKept kept = GameDayKept.read(material.path(report).resolveSibling(""));
            List<String> findings = kept.scenario().equals(scenario.word())
                    ? kept.findings()
                    : List.of("it is one of " + kept.scenario());
            return Line.of(
                    scenario.word(),
                    report,
                    "judged again by every look: no finding",
                    findings.isEmpty() ? "no finding" : String.join("; ", findings),
                    findings.isEmpty());
        }
    },
    /** Every fault was survived at each of its moments. */
    @JsonProperty("durability-matrix")
    DURABILITY_MATRIX {
        @Override
        List<Line> judge(Material material) throws IOException {
            List<Line> lines = new ArrayList<>();
            for (String file : material.files()) {
                List<JsonNode> results = FaultMatrix.list(DossierJson.tree(Files.readAllBytes(material.path(file)))
                        .path("faults"));
                for (Fault fault : Fault.values()) {
                    lines.add(results.stream()
                            .filter(result -> result.path("fault").asText().equals(fault.word()))
                            .findFirst()
                            .map(result -> fault(fault, result, file, material))
                            .orElse(Line.of(fault.word(), file, SURVIVED, "not there", false)));
                }
            }
            return lines;
        }

        private Line fault(Fault fault, JsonNode result, String file, Material material) {
            if (FaultMatrix.isUntested(result)) {
                String why = "not tested: " + result.path("untested").asText();
                return new Line(
                        fault.word(),
                        file,
                        SURVIVED,
                        why,
                        material.criterion().allow().contains(fault.word()) ? Outcome.NOT_ASSESSED : Outcome.FAILED);
            }
            List<JsonNode> cells = FaultMatrix.list(result.path("cells"));
            List<JsonNode> checks = FaultMatrix.list(result.path("checks"));
            boolean complete = cells.stream()
                    .map(cell -> cell.path("part").asText() + " "
                            + cell.path("moment").asText())
                    .toList()
                    .equals(fault.cells().stream()
                            .map(cell -> cell.part() + " " + cell.moment().word())
                            .toList());
            long survived = cells.stream()
                    .filter(cell -> cell.path("strikes").asInt() > 0
                            && cell.path("survived").asInt()
                                    == cell.path("strikes").asInt())
                    .count();
            long passed = checks.stream()
                    .filter(check -> check.path("outcome").asText().equals("passed"))
                    .count();
            return Line.of(
                    fault.word(),
                    file,
                    SURVIVED,
                    survived + " of " + cells.size() + " moments, " + passed + " of " + checks.size() + " checks"
                            + (complete ? "" : ", not those moments it has to have"),
                    complete && survived == cells.size() && passed == checks.size() && passed > 0);
        }
    },
    /** Of each case the newest drill passed strictly; no evidence of a drill was edited or taken away. */
    @JsonProperty("drills")
    DRILLS {
        @Override
        List<Line> judge(Material material) {
            Set<Path> roots = new LinkedHashSet<>();
            material.files().stream()
                    .filter(file -> file.endsWith("/" + DrillEvidence.SUMMARY))
                    .forEach(file ->
                            roots.add(material.path(file).resolveSibling("").resolveSibling("")));
            List<DrillHistory.Entry> drills = new ArrayList<>();
            String directory = "";
            for (Path root : roots) {
                directory = material.name(root);
                drills.addAll(DrillHistory.readWithoutLogs(
                                root,
                                Connection.parseKey(material.policy().keys().drills()))
                        .entries());
            }
            List<Line> lines = new ArrayList<>();
            for (DrillCase drill : DrillCase.values()) {
                Optional<DrillHistory.Entry> newest = drills.stream()
                        .filter(entry -> entry.drill().equals(drill.word())
                                && entry.mutation().isEmpty())
                        .reduce((first, second) -> second);
                boolean holds = newest.isPresent()
                        && newest.get().isPass()
                        && newest.get().summary().path("strict").asBoolean();
                lines.add(Line.of(
                        drill.word(),
                        newest.isEmpty() ? "" : directory + "/" + newest.get().name() + "/" + DrillEvidence.SUMMARY,
                        "the newest drill, signed by the drills' key, passed strictly",
                        newest.isEmpty() ? "no drill" : holds ? "passed strictly" : "did not pass strictly",
                        holds));
            }
            return lines;
        }
    },
    /** The alerting rules are those of the objectives. */
    @JsonProperty("objectives")
    OBJECTIVES {
        @Override
        List<Line> judge(Material material) throws IOException {
            String rules = "deploy/prometheus/rules/slo.yaml";
            Path objectives = material.path("runbooks/slo");
            if (!Files.isDirectory(objectives) || !material.files().contains(rules)) {
                return List.of(Line.of("rules", rules, "made of the objectives", "not there", false));
            }
            try {
                boolean same = PrometheusRules.yaml(SloReader.readAll(objectives))
                        .equals(Files.readString(material.path(rules)));
                return List.of(Line.of(
                        "rules", rules, "made of the objectives", same ? "they are" : "they are of others", same));
            } catch (InvalidSlo e) {
                return List.of(
                        Line.of("rules", rules, "made of the objectives", String.valueOf(e.getMessage()), false));
            }
        }
    },
    /** Every figure of a page that has to reach something does. */
    @JsonProperty("performance")
    PERFORMANCE {
        @Override
        List<Line> judge(Material material) throws IOException {
            List<Line> lines = new ArrayList<>();
            for (String file : material.files()) {
                String heading = "";
                for (String row : Files.readAllLines(material.path(file))) {
                    heading = row.startsWith("#") ? row.replaceAll("^#+ *", "") : heading;
                    Matcher target = TARGET.matcher(row);
                    if (target.matches()) {
                        lines.add(figure(heading, file, target));
                    }
                }
            }
            if (lines.isEmpty()) {
                lines.add(Line.of("figures", "", "figures that have to reach something", "none", false));
            }
            return lines;
        }

        /** A share has to be at least so much, a time at most. */
        private Line figure(String heading, String file, Matcher target) {
            String[] cells = target.group(1).replace("*", "").split("\\|", -1);
            boolean isTime = cells[1].strip().endsWith(" ms");
            double limit = number(target.group(2));
            double seen = number(isTime ? cells[1].replace(" ms", "") : cells[3]);
            boolean holds = isTime ? seen <= limit : seen >= limit;
            return Line.of(
                    heading + ": " + cells[0].strip() + (isTime ? "" : ", against " + cells[4].strip()),
                    file,
                    (isTime ? "at most " : "at least ") + target.group(2),
                    isTime ? cells[1].strip() : cells[3].strip(),
                    holds);
        }

        private double number(String text) {
            return Double.parseDouble(text.strip().replace(",", ""));
        }
    },
    /** What {@code attestream release verify -o json} came to, check by check; each check it makes has to be there. */
    @JsonProperty("release")
    RELEASE {
        @Override
        List<Line> judge(Material material) throws IOException {
            List<Line> lines = new ArrayList<>();
            for (String file : material.files()) {
                Set<String> missing = new LinkedHashSet<>(ReleaseVerifier.CHECKS);
                for (JsonNode check : DossierJson.tree(Files.readAllBytes(material.path(file)))
                        .path("checks")) {
                    lines.add(check(check, file, material));
                    missing.remove(check.path("name").asText());
                }
                missing.forEach(name -> lines.add(Line.of(name, file, VERIFIES, "was not made", false)));
            }
            return lines;
        }

        private Line check(JsonNode check, String file, Material material) {
            String name = check.path("name").asText();
            Outcome outcome = switch (check.path("outcome").asText()) {
                case "passed" -> Outcome.PASSED;
                case "not-assessed" ->
                    material.criterion().allow().contains(name) ? Outcome.NOT_ASSESSED : Outcome.FAILED;
                default -> Outcome.FAILED;
            };
            String observed =
                    check.path("outcome").asText() + ": " + check.path("detail").asText();
            return new Line(name, file, VERIFIES, observed, outcome);
        }
    },
    /** Every other file of evidence is an event of the ledger. */
    @JsonProperty("books")
    BOOKS {
        @Override
        List<Line> judge(Material material) throws IOException {
            return DossierBooks.judge(material);
        }
    };

    private static final String VERIFIES = "verifies without a network";
    private static final String SURVIVED = "survived at each of its moments, and every check passed";
    /** The last two cells of a row: against what, and what it must reach. */
    private static final Pattern TARGET =
            Pattern.compile("\\| (.*) \\| ([0-9.,]+): (?:\\*\\*missed\\*\\*|reached) \\|");

    /**
     * What is judged: copies of files that verified.
     *
     * @param root of the copies
     * @param files of the criterion, ordered
     */
    record Material(
            Path root,
            DossierPolicy policy,
            DossierPolicy.Criterion criterion,
            DossierManifest manifest,
            List<String> files) {
        Path path(String file) {
            return root.resolve(file);
        }

        String name(Path path) {
            return root.relativize(path).toString().replace('\\', '/');
        }
    }

    abstract List<Line> judge(Material material) throws IOException;

    /** As {@link #judge}; evidence that cannot be read shows nothing. */
    List<Line> lines(Material material) {
        try {
            return judge(material);
        } catch (IOException | RuntimeException e) {
            return List.of(Line.of(
                    name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    material.files().size() == 1 ? material.files().get(0) : "",
                    "can be judged again",
                    "cannot be read: " + (e.getMessage() == null ? e.toString() : e.getMessage()),
                    false));
        }
    }
}
