// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The directory of one game day, named by its time in UTC: report as JSON and for people, samples, plot, logs. */
final class GameDayEvidence {
    static final String REPORT = "game_day_report.json";
    static final String PEOPLE = "report.md";
    static final String SAMPLES = "slis.csv";

    private static final String PLOT = "slis.svg";
    private static final String RUNNING = ".running";
    private static final String FAILED = ".failed";
    private static final DateTimeFormatter NAME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH-mm-ss'Z'").withZone(ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private GameDayEvidence() {}

    /**
     * Writes all of it; the directory gets its name when it is complete.
     *
     * @param origin of before it was played
     * @param logs of the cluster; copied
     * @return the directory
     */
    static Path write(Path root, GameDayReport report, EvidenceOrigin origin, boolean strict, Path logs) {
        String name = NAME.format(report.startedAt());
        Path running = root.resolve(name + RUNNING);
        Path directory = root.resolve(name);
        try {
            Files.createDirectories(running.resolve("logs"));
            Map<String, Object> document = report.json(strict);
            origin.putInto(document);
            Files.write(running.resolve(REPORT), JSON.writeValueAsBytes(document));
            Files.writeString(running.resolve(SAMPLES), csv(report.samples()));
            Files.writeString(running.resolve(PLOT), GameDayPlot.of(report));
            Files.writeString(running.resolve(PEOPLE), people(report, strict));
            copy(logs, running);
            return Files.move(running, directory);
        } catch (IOException e) {
            throw LocalFiles.failure("write", running, e);
        }
    }

    /** Files of reports below a directory, which need not be there. */
    static Set<Path> reports(Path root) {
        if (!Files.isDirectory(root)) {
            return Set.of();
        }
        try (Stream<Path> directories = Files.list(root)) {
            return directories
                    .filter(directory -> !directory.toString().endsWith(RUNNING))
                    .map(directory -> directory.resolve(REPORT))
                    .filter(Files::isRegularFile)
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw LocalFiles.failure("list", root, e);
        }
    }

    static JsonNode read(Path report) {
        try {
            return JSON.readTree(Files.readAllBytes(report));
        } catch (IOException e) {
            throw LocalFiles.failure("read", report, e);
        }
    }

    /** Logs and history of one that came to no report. */
    static Path writeLogs(Path root, Instant startedAt, Path logs) {
        Path directory = root.resolve(NAME.format(startedAt) + FAILED);
        try {
            Files.createDirectories(directory.resolve("logs"));
            copy(logs, directory);
            return directory;
        } catch (IOException e) {
            throw LocalFiles.failure("write", directory, e);
        }
    }

    private static void copy(Path logs, Path directory) throws IOException {
        try (Stream<Path> files = Files.list(logs)) {
            for (Path log : files.filter(Files::isRegularFile).toList()) {
                Files.copy(log, directory.resolve("logs").resolve(log.getFileName()));
            }
        }
    }

    private static String csv(List<SliProbe.Sample> samples) {
        StringBuilder csv = new StringBuilder(
                "at,not_acknowledged,since_acknowledged_seconds,oldest_unpublished_seconds,checkpoint_age_seconds,since_proof_seconds\n");
        for (SliProbe.Sample sample : samples) {
            csv.append(String.format(
                    Locale.ROOT,
                    "%s,%d,%.3f,%.3f,%.3f,%.3f%n",
                    sample.at(),
                    sample.notAcknowledged(),
                    sample.sinceAcknowledgedSeconds(),
                    sample.oldestUnpublishedSeconds(),
                    sample.checkpointAgeSeconds(),
                    sample.sinceProofSeconds()));
        }
        return csv.toString();
    }

    private static String people(GameDayReport report, boolean strict) {
        List<String> lines = new ArrayList<>();
        lines.add("# Game day: " + report.scenario().word());
        lines.add("");
        lines.add("**" + (report.isPassed(strict) ? "Passed" : "FAILED") + "**, " + report.startedAt() + ". "
                + report.scenario().hypothesis());
        lines.add("");
        lines.add(String.format(
                Locale.ROOT,
                "Users were without some of it for **%s** (MTTR, until the indicators were good again). Acknowledged: %d"
                        + " events, of which **%d** were lost.",
                report.timeToRecover()
                        .map(time -> String.format(Locale.ROOT, "%.1f s", GameDayReport.seconds(time)))
                        .orElse("ever"),
                report.acknowledgedEvents(),
                report.lostEvents()));
        lines.add("");
        lines.add("![What users had of the ledger](" + PLOT + ")");
        timeline(lines, report);
        table(lines, "Indicators", "indicator | bad seconds | of thirty days' budget", rows(report));
        table(
                lines,
                "Alerts, expected to page: "
                        + (report.scenario().pages().isEmpty()
                                ? "none"
                                : String.join(
                                        " or ",
                                        report.scenario().pages().stream()
                                                .sorted()
                                                .toList())),
                "at | alert | | ",
                report.alerts().stream()
                        .map(alert -> alert.at() + " | " + alert.name() + " | " + (alert.page() ? "page" : "ticket")
                                + " | " + (alert.firing() ? "firing" : "resolved"))
                        .toList());
        table(
                lines,
                "Mitigation, as the runbook says",
                "at | for | command | exit code",
                report.steps().stream()
                        .map(step -> step.at() + " | " + step.alert() + " | "
                                + (step.byHand()
                                        ? "by hand: " + cell(step.command()) + " | "
                                        : "`" + cell(step.command()) + "` | " + step.exitCode()))
                        .toList());
        table(
                lines,
                "The ledger afterwards",
                "check | | what was seen",
                report.checks().stream()
                        .map(check ->
                                check.check().word() + " | " + check.outcome().word() + " | " + cell(check.detail()))
                        .toList());
        table(
                lines,
                "Follow-ups",
                "severity | what",
                report.findings().stream()
                        .map(finding ->
                                finding.severity().name().toLowerCase(Locale.ROOT) + " | " + cell(finding.what()))
                        .toList());
        return String.join("\n", lines) + "\n";
    }

    private static void timeline(List<String> lines, GameDayReport report) {
        table(
                lines,
                "Timeline",
                "at | what",
                report.timeline().stream()
                        .map(moment -> moment.get("at") + " | " + moment.get("what"))
                        .toList());
    }

    private static List<String> rows(GameDayReport report) {
        Map<String, Double> spent = report.budgetSpentPercent();
        return report.badSeconds().entrySet().stream()
                .map(bad -> bad.getKey() + " | " + bad.getValue() + " | "
                        + String.format(Locale.ROOT, "%.3f %%", spent.getOrDefault(bad.getKey(), 0.0)))
                .toList();
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replace("\n", " ");
    }

    private static void table(List<String> lines, String heading, String header, List<String> rows) {
        lines.add("");
        lines.add("## " + heading);
        lines.add("");
        if (rows.isEmpty()) {
            lines.add("None.");
            return;
        }
        lines.add("| " + header + " |");
        lines.add("|" + " --- |".repeat(header.split("[|]", -1).length));
        rows.forEach(row -> lines.add("| " + row + " |"));
    }
}
