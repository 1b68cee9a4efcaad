// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.verbs.ChaosRefused;
import io.attestream.chaos.verbs.ChaosResult;
import io.attestream.chaos.verbs.ChaosRun;
import io.attestream.chaos.verbs.ChaosSkipped;
import io.attestream.chaos.verbs.ChaosTarget;
import io.attestream.chaos.verbs.ComposeTarget;
import io.attestream.chaos.verbs.Injection;
import io.attestream.chaos.verbs.LocalTarget;
import io.attestream.chaos.verbs.Parameters;
import io.attestream.chaos.verbs.Verb;
import io.attestream.cli.Output.Tone;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Does a fault to a running system for a time. */
@Command(
        name = "chaos",
        mixinStandardHelpOptions = true,
        header = "Do a fault to a service of a cluster that allows it, for a time, and undo it.",
        description = {
            "Verbs: kill, stop, pause, partition, delay, reset, bandwidth, disk-full, fsync-error, power-cut,"
                    + " clock-skew, cpu, memory, bit-flip, truncate. The fault is undone when its time is over, on Ctrl-C"
                    + " or SIGTERM, and when the abort condition holds; after SIGKILL of this command \"attestream chaos"
                    + " heal\" undoes it, and does nothing if there is nothing to be undone. Exit code 0 if it was done"
                    + " and undone, 1 if it was aborted or failed, 2 if it is refused, 6 if it cannot be done here: then"
                    + " it is skipped, and nothing was tested.",
            ""
        },
        footer = {
            "",
            "Examples, for a cluster started with: attestream up --chaos",
            "  attestream chaos kill processors-0 --for 10s",
            "  attestream chaos delay gateway-0 --delay 800ms --for 1m",
            "  attestream chaos partition checkpointer --for 30s --dry-run",
            "  attestream chaos heal"
        })
final class ChaosCommand implements Callable<Integer> {
    private static final String HEAL = "heal";

    enum Target {
        LOCAL,
        COMPOSE
    }

    @Mixin
    private OutputOption form = new OutputOption();

    @picocli.CommandLine.Parameters(index = "0", paramLabel = "<verb>", description = "What is done, or heal.")
    private String verb = "";

    @picocli.CommandLine.Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "<service>",
            description = "To which: gateway-0, processors-0, checkpointer, broker, registry.")
    private String service = "";

    @Option(
            names = "--target",
            paramLabel = "local|compose",
            defaultValue = "local",
            description = "Which kind of cluster (default: ${DEFAULT-VALUE}).")
    private Target target = Target.LOCAL;

    @Option(
            names = "--for",
            paramLabel = "<time>",
            defaultValue = "30s",
            converter = Durations.class,
            description = "How long, 1s to 10m (default: ${DEFAULT-VALUE}).")
    private Duration lasts = Duration.ofSeconds(30);

    @Option(
            names = "--data-dir",
            paramLabel = "<dir>",
            defaultValue = "attestream-data",
            description = "Of a local cluster (default: ${DEFAULT-VALUE}).")
    private Path dataDirectory = Path.of("attestream-data");

    @Option(names = "--dry-run", description = "Say what would be done and undone; touch nothing.")
    private boolean dryRun;

    @Option(
            names = "--abort-when",
            paramLabel = "<url>",
            description = "Undo it at once when this URL does not answer 200.")
    private @Nullable URI abortWhen;

    @Option(names = "--allow", paramLabel = "<project>", description = "The compose project that may be struck.")
    private @Nullable String project;

    @Option(names = "--allow-remote-engine", description = "The containers may be on another machine than this.")
    private boolean remoteEngine;

    @Option(
            names = "--compose-file",
            paramLabel = "<file>",
            defaultValue = "deploy/docker-compose.yml",
            description = "Of the project (default: ${DEFAULT-VALUE}).")
    private Path composeFile = Path.of("deploy/docker-compose.yml");

    @Option(
            names = "--toxiproxy",
            paramLabel = "<url>",
            defaultValue = "http://127.0.0.1:8474",
            description = "REST API of the project's Toxiproxy (default: ${DEFAULT-VALUE}).")
    private URI toxiproxy = URI.create("http://127.0.0.1:8474");

    @Option(
            names = "--delay",
            paramLabel = "<time>",
            defaultValue = "500ms",
            converter = Durations.class,
            description = "delay: 1ms to 60s (default: ${DEFAULT-VALUE}).")
    private Duration delay = Parameters.DEFAULT.delay();

    @Option(
            names = "--jitter",
            paramLabel = "<time>",
            defaultValue = "0s",
            converter = Durations.class,
            description = "delay: more or less by so much (default: ${DEFAULT-VALUE}).")
    private Duration jitter = Parameters.DEFAULT.jitter();

    @Option(
            names = "--rate",
            paramLabel = "<KB/s>",
            defaultValue = "64",
            description = "bandwidth: 1 to 1000000 (default: ${DEFAULT-VALUE}).")
    private long rate;

    @Option(
            names = "--percent",
            paramLabel = "<n>",
            defaultValue = "80",
            description = "cpu, memory: how much is taken away, 1 to 95 (default: ${DEFAULT-VALUE}).")
    private int percent;

    @Option(
            names = "--skew",
            paramLabel = "<time>",
            defaultValue = "10m",
            converter = Durations.class,
            description = "clock-skew: up to 24h, or backwards, for example -10m (default: ${DEFAULT-VALUE}).")
    private Duration skew = Parameters.DEFAULT.skew();

    @Option(
            names = "--directory",
            paramLabel = "<dir>",
            description = "disk-full in a container: a directory there that is a small disk of its own.")
    private @Nullable String directory;

    @Override
    public Integer call() {
        Output output = form.output();
        try {
            if (verb.equals(HEAL)) {
                return heal(output);
            }
            requireService();
            Verb what = Verb.of(verb);
            Parameters parameters = new Parameters(delay, jitter, rate, percent, skew, Optional.ofNullable(directory));
            ChaosTarget chosen = chosen();
            ChaosRun run = new ChaosRun(chosen, lasts, Optional.ofNullable(abortWhen), output::say);
            return dryRun ? plan(output, chosen, what, parameters) : report(output, run.run(what, service, parameters));
        } catch (ChaosRefused e) {
            return report(output, new ChaosResult.Refused(String.valueOf(e.getMessage()), e.next()));
        } catch (ChaosSkipped e) {
            return report(output, new ChaosResult.Skipped(String.valueOf(e.getMessage())));
        }
    }

    private void requireService() {
        if (service.isEmpty()) {
            throw new ChaosRefused(
                    "no service is named", "Give one after the verb, for example: attestream chaos kill processors-0");
        }
    }

    private ChaosTarget chosen() {
        return target == Target.LOCAL ? LocalTarget.of(dataDirectory) : compose();
    }

    private ComposeTarget compose() {
        return ComposeTarget.of(Optional.ofNullable(project), composeFile, toxiproxy, remoteEngine);
    }

    private int plan(Output output, ChaosTarget chosen, Verb what, Parameters parameters) {
        List<String> steps = chosen.plan(what, service, parameters);
        output.print("would, for " + lasts.toSeconds() + " s:");
        steps.forEach(step -> output.print("  " + step));
        output.json(result("planned", Map.of("steps", steps)));
        return ExitCode.OK;
    }

    private Map<String, Object> result(String word, Map<String, Object> more) {
        Map<String, Object> result = Output.object(
                "verb",
                verb,
                "service",
                service,
                "target",
                target.name().toLowerCase(java.util.Locale.ROOT),
                "result",
                word);
        result.putAll(more);
        return result;
    }

    private int report(Output output, ChaosResult result) {
        String what = "  " + verb + " " + service;
        if (result instanceof ChaosResult.Done done) {
            output.json(result(done.word(), Map.of("details", done.details(), "undone", done.undone())));
            output.print(output.paint(Tone.GOOD, "done") + what + ", and undone: " + String.join(", ", done.undone()));
            return ExitCode.OK;
        }
        if (result instanceof ChaosResult.Aborted aborted) {
            output.json(result(aborted.word(), Map.of("reason", aborted.reason(), "undone", aborted.undone())));
            output.print(output.paint(Tone.BAD, "aborted") + what + ", and undone: " + aborted.reason());
            return ExitCode.ERROR;
        }
        if (result instanceof ChaosResult.Skipped skipped) {
            output.json(result(skipped.word(), Map.of("reason", skipped.reason())));
            output.print(output.paint(Tone.WARNING, "skipped") + what + ": " + skipped.reason());
            return ExitCode.UNAVAILABLE;
        }
        ChaosResult.Refused refused = (ChaosResult.Refused) result;
        output.json(result(refused.word(), Map.of("reason", refused.reason(), "next", refused.next())));
        throw new CliException(ExitCode.USAGE, refused.reason(), refused.next());
    }

    /** Undoes what a killed command left. */
    private int heal(Output output) {
        List<String> undone = target == Target.LOCAL
                ? Injection.heal(dataDirectory)
                : compose().heal();
        output.json(Output.object("undone", undone));
        output.print(undone.isEmpty() ? "there is nothing to be undone" : "undone: " + String.join(", ", undone));
        return ExitCode.OK;
    }
}
