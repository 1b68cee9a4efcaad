// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.chaos.Installation;
import io.attestream.chaos.monitoring.MissingProgram;
import io.attestream.chaos.verbs.ChaosSkipped;
import io.attestream.cli.GameDayReport.Moment;
import io.attestream.cli.Output.Tone;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows that who is on call is told, and can mend it. */
@Command(
        name = "gameday",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "<command>",
        header = "Show that who is on call is told, and can mend it, before it is needed.",
        description = {
            "A game day starts a cluster of its own under load, with a real Prometheus and Alertmanager and the rules of this"
                    + " repository, does a fault, and from then on nothing but what a page's runbook says.",
            ""
        },
        subcommands = {GameDayCommand.Run.class, GameDayCommand.Scenarios.class})
final class GameDayCommand {
    @Command(
            name = "scenarios",
            mixinStandardHelpOptions = true,
            header = "List the scenarios, with what is expected of each.")
    static final class Scenarios implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Override
        public Integer call() {
            Output output = form.output();
            List<List<String>> rows = new ArrayList<>();
            for (GameDayScenario scenario : GameDayScenario.values()) {
                List<String> pages = scenario.pages().stream().sorted().toList();
                rows.add(List.of(scenario.word(), pages.isEmpty() ? "nobody is woken" : String.join(" or ", pages)));
                output.json(Output.object(
                        "scenario", scenario.word(), "hypothesis", scenario.hypothesis(), "pages", pages));
            }
            Output.table(rows).forEach(output::print);
            return ExitCode.OK;
        }
    }

    @Command(
            name = "run",
            mixinStandardHelpOptions = true,
            header = "Play a scenario: fault, page, mitigation as the runbook says, recovery, end of the page.",
            description = {
                "Needs prometheus and prometheus-alertmanager (deploy/prometheus/install.sh). Exit code 0 only if the expected"
                        + " alert paged, the runbook's commands worked, users had all of it again, the page ended, and every event"
                        + " that was acknowledged is proved. Takes some ten minutes for each: alerts on budgets look five minutes back.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream gameday scenarios",
                "  attestream gameday run processors-down",
                "  attestream gameday run --all --strict"
            })
    static final class Run implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Parameters(paramLabel = "<scenario>", arity = "0..1", description = "See attestream gameday scenarios.")
        private @Nullable String scenario;

        @Option(names = "--all", description = "All scenarios, one after the other.")
        private boolean all;

        @Option(names = "--strict", description = "A finding of any severity is a failure.")
        private boolean strict;

        @Option(
                names = "--dir",
                paramLabel = "<dir>",
                defaultValue = "artifacts/game-days",
                description = "Directory of the evidence, one below it for each game day (default: ${DEFAULT-VALUE}).")
        private Path directory = Path.of("artifacts/game-days");

        @Option(names = "--in-own-mounts", hidden = true)
        private boolean inOwnMounts;

        @Override
        public Integer call() {
            Output output = form.output();
            if (all == (scenario != null)) {
                throw new CliException(
                        ExitCode.USAGE,
                        all ? "--all is instead of a scenario" : "which scenario?",
                        "Give --all or one of " + String.join(", ", GameDayScenario.words()) + ".");
            }
            List<GameDayScenario> chosen =
                    scenario == null ? Arrays.asList(GameDayScenario.values()) : List.of(GameDayScenario.of(scenario));
            requirePrograms();
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("scenario", "result", "detected", "MTTR", "acknowledged", "lost", "evidence"));
            boolean good = true;
            for (GameDayScenario one : chosen) {
                output.say(Tone.STRONG, "Game day " + one.word());
                output.say("  " + one.hypothesis());
                good &= !one.mounts().isEmpty() && !inOwnMounts && SmallDisks.canUnshare()
                        ? playInOwnMounts(one, output, rows)
                        : play(one, output, rows);
            }
            if (rows.size() > 1) {
                Output.table(rows).forEach(output::print);
            }
            output.print(good ? output.paint(Tone.GOOD, "passed") : output.paint(Tone.BAD, "FAILED"));
            return good ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
        }

        private static void requirePrograms() {
            try {
                GameDayScene.requirePrograms();
            } catch (MissingProgram e) {
                throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), "");
            }
        }

        private boolean play(GameDayScenario one, Output output, List<List<String>> rows) {
            EvidenceOrigin origin = EvidenceOrigin.now();
            Path data = newDirectory();
            Instant startedAt = Instant.now();
            try (SmallDisks disks = new SmallDisks()) {
                Optional<String> refusal = disks.mount(data, one.mounts());
                if (refusal.isPresent()) {
                    rows.add(row(one.word(), "skipped: " + refusal.get(), ""));
                    return false;
                }
                GameDayReport report =
                        new GameDay(one, GameDay.Limits.DEFAULT, line -> output.say("  " + line)).run(data);
                Path evidence = GameDayEvidence.write(directory, report, origin, strict, data.resolve("logs"));
                rows.add(List.of(
                        one.word(),
                        report.isPassed(strict) ? "passed" : "FAILED",
                        seconds(report.between(Moment.INJECTED, Moment.PAGE_RECEIVED)),
                        seconds(report.timeToRecover()),
                        Integer.toString(report.acknowledgedEvents()),
                        Integer.toString(report.lostEvents()),
                        evidence.toString()));
                output.json(report.json(strict));
                return report.isPassed(strict);
            } catch (ChaosSkipped e) {
                rows.add(row(one.word(), "skipped: " + e.getMessage(), ""));
                return false;
            } catch (RuntimeException e) {
                // One that could not be played is not passed; the others still can be.
                String why = e instanceof CliException || e instanceof IllegalStateException
                        ? String.valueOf(e.getMessage())
                        : e.toString();
                output.say(Tone.BAD, "  " + why);
                String what = why.lines().findFirst().orElse("");
                Path logs = GameDayEvidence.writeLogs(directory, startedAt, data.resolve("logs"));
                rows.add(row(one.word(), "FAILED: " + what, logs.toString()));
                return false;
            } finally {
                delete(data);
            }
        }

        /** Of a game day that another process played. */
        static List<String> row(Path report) {
            JsonNode played = GameDayEvidence.read(report);
            return List.of(
                    played.path("scenario").asText(),
                    played.path("passed").asBoolean() ? "passed" : "FAILED",
                    seconds(played.path("detectSeconds")),
                    seconds(played.path("mttrSeconds")),
                    played.path("acknowledgedEvents").asText(),
                    played.path("acknowledgedEventsLost").asText(),
                    String.valueOf(report.getParent()));
        }

        private static String seconds(JsonNode seconds) {
            return seconds.isNumber() ? String.format(Locale.ROOT, "%.1f s", seconds.asDouble()) : "-";
        }

        private static List<String> row(String scenario, String result, String evidence) {
            return List.of(scenario, result, "", "", "", "", evidence);
        }

        private static String seconds(Optional<Duration> duration) {
            return duration.map(value -> String.format(Locale.ROOT, "%.1f s", GameDayReport.seconds(value)))
                    .orElse("-");
        }

        private static Path newDirectory() {
            try {
                return Files.createTempDirectory("attestream-game-day-");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void delete(Path data) {
            try (Stream<Path> files = Files.walk(data)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** What is mounted there goes with it, whatever becomes of it. */
        private boolean playInOwnMounts(GameDayScenario one, Output output, List<List<String>> rows) {
            List<String> command = new ArrayList<>(List.of(
                    "unshare",
                    "--map-root-user",
                    "--mount",
                    Installation.find().home().resolve("attestream").toString(),
                    "gameday",
                    "run",
                    one.word(),
                    "--in-own-mounts",
                    "--dir",
                    directory.toString()));
            if (strict) {
                command.add("--strict");
            }
            if (output.isJson()) {
                command.addAll(List.of("-o", "json"));
            }
            Set<Path> before = GameDayEvidence.reports(directory);
            try {
                Process child = new ProcessBuilder(command).inheritIO().start();
                Thread ending = new Thread(child::destroy, "game-day-ending");
                Runtime.getRuntime().addShutdownHook(ending);
                boolean passed = child.waitFor() == 0;
                Runtime.getRuntime().removeShutdownHook(ending);
                rows.add(GameDayEvidence.reports(directory).stream()
                        .filter(report -> !before.contains(report))
                        .findFirst()
                        .map(Run::row)
                        .orElseGet(() -> row(one.word(), (passed ? "passed" : "FAILED") + ", see above", "")));
                return passed;
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.UNAVAILABLE,
                        one.word() + " needs disks of its own: " + e.getMessage(),
                        "Install util-linux, whose unshare mounts them.");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }
}
