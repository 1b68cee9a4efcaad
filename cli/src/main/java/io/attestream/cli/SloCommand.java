// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.operations.slo.InvalidSlo;
import io.attestream.operations.slo.PrometheusRules;
import io.attestream.operations.slo.Slo;
import io.attestream.operations.slo.SloReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Objectives, and what Prometheus makes of them. */
@Command(
        name = "slo",
        mixinStandardHelpOptions = true,
        header = "Check service level objectives, and make Prometheus rules of them.",
        description = {
            "Reads a directory of OpenSLO v1 files, one objective each, and lists them. With --rules it writes recording and alerting"
                    + " rules: multi-window, multi-burn-rate, pages at 14.4 and 6 times the budget's pace, tickets at 3 and 1."
                    + " Exit code 2 if a file is no objective, or names a metric of ours that nothing exports; nothing is written then.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream slo runbooks/slo",
            "  attestream slo runbooks/slo --rules deploy/prometheus/rules/slo.yaml"
        })
final class SloCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Parameters(paramLabel = "<dir>", description = "Directory of the files (*.yaml).")
    private Path directory = Path.of("");

    @Option(names = "--rules", paramLabel = "<file>", description = "Where to write the rules.")
    private @Nullable Path rules;

    @Override
    public Integer call() {
        Output output = form.output();
        List<Slo> slos = read();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("objective", "target", "days", "budget in minutes", "what"));
        slos.forEach(slo -> rows.add(List.of(
                slo.name(),
                String.format(Locale.ROOT, "%.3f %%", 100 * slo.target()),
                Integer.toString(slo.windowDays()),
                String.format(Locale.ROOT, "%.0f", slo.budget() * slo.windowDays() * 24 * 60),
                slo.displayName())));
        Output.table(rows).forEach(output::print);
        output.json(Output.object(
                "objectives",
                slos.stream()
                        .map(slo -> Output.object(
                                "name", slo.name(),
                                "displayName", slo.displayName(),
                                "target", slo.target(),
                                "windowDays", slo.windowDays()))
                        .toList()));
        if (rules != null) {
            LocalFiles.writeText(rules, PrometheusRules.yaml(slos));
            output.say("Wrote " + rules + ". Check it with: promtool check rules " + rules);
        }
        return ExitCode.OK;
    }

    private List<Slo> read() {
        if (!Files.isDirectory(directory)) {
            throw new CliException(
                    ExitCode.USAGE, directory + " is no directory", "Example: attestream slo runbooks/slo");
        }
        try {
            return SloReader.readAll(directory);
        } catch (InvalidSlo e) {
            throw new CliException(
                    ExitCode.USAGE,
                    String.valueOf(e.getMessage()),
                    "Those in runbooks/slo show what a file must have.");
        } catch (IOException e) {
            throw LocalFiles.failure("read", directory, e);
        }
    }
}
