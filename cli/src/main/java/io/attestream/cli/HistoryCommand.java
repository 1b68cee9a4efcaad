// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.history.AnomalyKind;
import io.attestream.chaos.history.HistoryChecker;
import io.attestream.chaos.history.InvalidHistory;
import io.attestream.chaos.history.Tolerated;
import io.attestream.chaos.history.Verdict;
import io.attestream.cli.Output.Tone;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Histories of what clients did. */
@Command(
        name = "history",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "<command>",
        header = "Judge what clients of a ledger did and were told.",
        description = {
            "Drills, faults and game days record every operation of every client in one file of JSON lines: when it was sent, and"
                    + " whether it was answered, refused, or nobody knows.",
            ""
        },
        footer = {"", "Example:", "  attestream history check history.jsonl"},
        subcommands = HistoryCommand.Check.class)
final class HistoryCommand {
    @Command(
            name = "check",
            mixinStandardHelpOptions = true,
            header = "Look for what no history of a good ledger shows.",
            description = {
                "Looks for acknowledged events that are lost, in the tree twice, out of order or there though they were refused;"
                        + " leaves nobody sent; gaps; what was shown and is not in the tree at the end; two roots of one size, and"
                        + " checkpoints that shrink; receipts that do not verify, lead elsewhere or stay pending. Names up to eight"
                        + " examples of each kind, with the numbers of the operations in the file (\"op\").",
                "Every event that was acknowledged has to be found, so one that was acknowledged when the leaves were being read is an"
                        + " anomaly too, and so is one that is said to be lost with a topic that was replaced; but for what --tolerate"
                        + " names.",
                "",
                "Exit code 3 if anything is found, or if the history has no read of all leaves at its end; 2 if the file is no"
                        + " history. Half a line at the end is what a recorder that was killed leaves: it is told, and no"
                        + " error. No service is asked.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream history check artifacts/drills/2026-11-29T20-11-47Z/logs/history.jsonl",
                "  attestream history check history.jsonl -o json",
                "  attestream history check history.jsonl --tolerate loss"
            })
    static final class Check implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Option(
                names = "--tolerate",
                paramLabel = "<what>",
                split = ",",
                description =
                        "late: clients went on when the leaves were read. loss: the topic was lost and replaced, as in the drill"
                                + " of case kafka. clock: a clock was set back. Several: late,loss.")
        private List<String> tolerated = List.of();

        @Parameters(paramLabel = "<file>", description = "The history.")
        private Path file = Path.of("");

        @Override
        public Integer call() {
            Output output = form.output();
            Verdict verdict = check();
            show(output, verdict);
            output.json(json(verdict));
            return verdict.isValid() ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
        }

        private Verdict check() {
            try {
                return HistoryChecker.check(file, tolerated());
            } catch (InvalidHistory e) {
                throw new CliException(
                        ExitCode.USAGE,
                        file + " is no history: " + e.getMessage(),
                        "Give the history.jsonl of a drill's logs.");
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.USAGE, file + " cannot be read: " + e, "Give the history.jsonl of a drill's logs.");
            }
        }

        private Set<Tolerated> tolerated() {
            Set<Tolerated> all = EnumSet.noneOf(Tolerated.class);
            for (String word : tolerated) {
                all.add(Arrays.stream(Tolerated.values())
                        .filter(one -> one.word().equals(word))
                        .findFirst()
                        .orElseThrow(() -> new CliException(
                                ExitCode.USAGE,
                                "--tolerate " + word + " is nothing that can be tolerated",
                                "Give some of late, loss, clock, comma-separated.")));
            }
            return all;
        }

        private static void show(Output output, Verdict verdict) {
            Verdict.Statistics statistics = verdict.statistics();
            output.print((verdict.isValid() ? output.paint(Tone.GOOD, "valid") : output.paint(Tone.BAD, "INVALID"))
                    + "  " + counted(statistics));
            if (statistics.isTorn()) {
                output.print(output.paint(Tone.WARNING, "torn") + "  the last line is incomplete and was left out");
            }
            if (!verdict.isValid()) {
                List<List<String>> rows = new ArrayList<>();
                rows.add(List.of("anomaly", "found", "what"));
                verdict.anomalies()
                        .forEach((kind, found) ->
                                rows.add(List.of(kind.word(), Long.toString(found.count()), kind.what())));
                Output.table(rows).forEach(output::print);
                verdict.anomalies().forEach((kind, found) -> {
                    output.print("");
                    output.print(kind.word() + ":");
                    found.examples().forEach(example -> output.print("  " + example));
                });
            }
        }

        private static String counted(Verdict.Statistics statistics) {
            return statistics.operations() + " operations: " + statistics.ok() + " ok, " + statistics.fail()
                    + " fail, " + statistics.info() + " info; " + statistics.acknowledged() + " events acknowledged"
                    + (statistics.toldLost() == 0
                            ? ""
                            : ", " + statistics.toldLost() + " of them told to be lost with their topic")
                    + (statistics.unjudged() == 0
                            ? ""
                            : ", " + statistics.unjudged()
                                    + " of them when the leaves were being read, which is not judged")
                    + "; " + statistics.leaves() + " leaves"
                    + (statistics.worstPublicationMillis().isEmpty()
                            ? ""
                            : "; published after at most "
                                    + statistics.worstPublicationMillis().getAsLong() + " ms");
        }

        private static Map<String, Object> json(Verdict verdict) {
            Verdict.Statistics statistics = verdict.statistics();
            Map<String, Object> anomalies = new LinkedHashMap<>();
            verdict.anomalies()
                    .forEach((AnomalyKind kind, Verdict.Anomalies found) -> anomalies.put(
                            kind.word(), Output.object("count", found.count(), "examples", found.examples())));
            Map<String, Object> counts = Output.object(
                    "operations", statistics.operations(),
                    "ok", statistics.ok(),
                    "fail", statistics.fail(),
                    "info", statistics.info(),
                    "acknowledged", statistics.acknowledged(),
                    "toldLost", statistics.toldLost(),
                    "unjudged", statistics.unjudged(),
                    "leaves", statistics.leaves());
            statistics.worstPublicationMillis().ifPresent(millis -> counts.put("worstPublicationMillis", millis));
            return Output.object(
                    "valid",
                    verdict.isValid(),
                    "anomalies",
                    anomalies,
                    "statistics",
                    counts,
                    "torn",
                    statistics.isTorn());
        }
    }
}
