// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.history.History;
import io.attestream.cli.DeployCheck.Check;
import io.attestream.cli.Output.Tone;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Looks at a deployment before it goes live. */
@Command(
        name = "deploy",
        mixinStandardHelpOptions = true,
        description = "Looks at a deployment before it goes live.",
        synopsisSubcommandLabel = "<command>",
        subcommands = DeployCommand.CheckCommand.class)
final class DeployCommand {
    private DeployCommand() {}

    /** {@code attestream deploy check}. */
    @Command(
            name = "check",
            mixinStandardHelpOptions = true,
            header = "Prove that a deployment starts as it is, and not once something in it is wrong.",
            description = {
                "Starts every service with its environment, for a check only: nothing is opened. Then again and again with one"
                        + " thing wrong in it (no key set, no issuer, no audience, a policy for development, weak algorithms,"
                        + " a relaxed library, no signing key), and expects that it is refused with a reason that names it."
                        + " Run it where the services will run: the files they are to read have to be there.",
                "Writes a checklist with what was seen; values of variables are not in it. Exit code 3 if anything is not as"
                        + " expected.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream deploy check --profile prod --env-file production.env",
                "  attestream deploy check --profile staging --env-file gateway=gateway.env \\",
                "      --env-file processors=processors.env --env-file checkpointer=checkpointer.env"
            })
    static final class CheckCommand implements Callable<Integer> {
        private static final DateTimeFormatter NAME =
                DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
        private static final long FILE_SIZE_BYTES_MAX = 1 << 20;

        @Mixin
        private OutputOption form = new OutputOption();

        @Option(
                names = "--profile",
                required = true,
                paramLabel = "<profile>",
                description = "What it is for: ${COMPLETION-CANDIDATES}.")
        private DeployCheck.@Nullable Profile profile;

        @Option(
                names = "--env-file",
                required = true,
                paramLabel = "[<service>=]<file>",
                description =
                        "Environment of gateway, processors, checkpointer, or of all: lines NAME=value, # begins a comment.")
        private List<String> files = List.of();

        @Option(
                names = "--dir",
                paramLabel = "<dir>",
                description = "Where the checklist goes (default: artifacts/deploy-checks/<time>).")
        private @Nullable Path directory;

        @Override
        public Integer call() throws IOException, InterruptedException {
            Output output = form.output();
            Map<ServiceProgram, Path> environments = environments();
            List<Check> checks = new ArrayList<>();
            Map<String, Object> digests = new LinkedHashMap<>();
            for (Map.Entry<ServiceProgram, Path> environment : environments.entrySet()) {
                String text = read(environment.getValue());
                digests.put(environment.getKey().word(), History.sha256(text.getBytes(StandardCharsets.UTF_8)));
                checks.addAll(new DeployCheck(required(profile), output)
                        .run(environment.getKey(), EnvironmentFile.parse(environment.getValue(), text)));
            }
            boolean passed = checks.stream().allMatch(Check::passed);
            Map<String, Object> report = Output.object(
                    "verdict",
                    passed ? "passed" : "failed",
                    "profile",
                    required(profile).name().toLowerCase(Locale.ROOT),
                    "at",
                    Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                    "environmentSha256",
                    digests,
                    "checks",
                    checks);
            Path written = write(report, checks, passed);
            print(output, checks, passed, written);
            output.json(report);
            return passed ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
        }

        private Map<ServiceProgram, Path> environments() {
            Map<ServiceProgram, Path> environments = new EnumMap<>(ServiceProgram.class);
            for (String file : files) {
                int equals = file.indexOf('=');
                if (equals >= 0) {
                    environments.put(service(file.substring(0, equals)), Path.of(file.substring(equals + 1)));
                }
            }
            for (String file : files) {
                if (file.indexOf('=') < 0) {
                    Stream.of(ServiceProgram.values())
                            .forEach(service -> environments.putIfAbsent(service, Path.of(file)));
                }
            }
            for (ServiceProgram service : ServiceProgram.values()) {
                if (!environments.containsKey(service)) {
                    throw new CliException(
                            ExitCode.USAGE,
                            "no environment of the " + service.word() + " was given",
                            "A deployment has all three: give --env-file " + service.word() + "=<file>.");
                }
            }
            return environments;
        }

        private static ServiceProgram service(String word) {
            return Stream.of(ServiceProgram.values())
                    .filter(service -> service.word().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new CliException(
                            ExitCode.USAGE,
                            "--env-file names " + word + ", which is no service",
                            "There are gateway, processors and checkpointer."));
        }

        private static String read(Path file) {
            try {
                if (Files.size(file) <= FILE_SIZE_BYTES_MAX) {
                    return Files.readString(file);
                }
            } catch (IOException e) {
                // Said below.
            }
            throw new CliException(
                    ExitCode.USAGE, file + " cannot be read as a file of at most 1 MiB", "Check --env-file.");
        }

        private Path write(Map<String, Object> report, List<Check> checks, boolean passed) throws IOException {
            Path to = directory != null ? directory : Path.of("artifacts", "deploy-checks", NAME.format(Instant.now()));
            Files.createDirectories(to);
            Files.writeString(
                    to.resolve("deploy_check.json"),
                    new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n");
            StringBuilder page =
                    new StringBuilder("# Deployment check: " + (passed ? "passed" : "FAILED") + "\n\nProfile "
                            + report.get("profile") + ", " + report.get("at") + ". Environments (SHA-256): "
                            + report.get("environmentSha256")
                            + ".\n\n| | service | with | expected | seen |\n| --- | --- | --- | --- | --- |\n");
            checks.forEach(check -> page.append("| ")
                    .append(check.passed() ? "x" : "**FAILED**")
                    .append(" | ")
                    .append(String.join(
                            " | ", check.service(), cell(check.id()), check.expected(), cell(check.observed())))
                    .append(" |\n"));
            Files.writeString(to.resolve("checklist.md"), page);
            return to;
        }

        private static String cell(String text) {
            return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;");
        }

        private static void print(Output output, List<Check> checks, boolean passed, Path written) {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("", "service", "with", "seen"));
            checks.forEach(check ->
                    rows.add(List.of(check.passed() ? "ok" : "FAIL", check.service(), check.id(), check.observed())));
            Output.table(rows).forEach(output::print);
            long failed = checks.stream().filter(check -> !check.passed()).count();
            output.print(
                    passed
                            ? output.paint(Tone.GOOD, "passed") + "  " + checks.size() + " checks; checklist in "
                                    + written
                            : output.paint(Tone.BAD, "FAILED") + "  " + failed + " of " + checks.size()
                                    + " checks; checklist in " + written);
        }

        private static DeployCheck.Profile required(DeployCheck.@Nullable Profile profile) {
            if (profile == null) {
                throw new IllegalStateException("picocli requires it");
            }
            return profile;
        }
    }
}
