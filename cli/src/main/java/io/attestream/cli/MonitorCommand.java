// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.monitor.HttpCheckpointSource;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorResult;
import io.attestream.checkpointer.monitor.MonitorState;
import io.attestream.checkpointer.monitor.MonitorStateFile;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Follows the ledger from outside. */
@Command(
        name = "monitor",
        mixinStandardHelpOptions = true,
        header = "Follow the checkpoints from outside and verify every one.",
        description = {
            "Verifies of every epoch: signature, ledger log, heads, and that every shard extends what it was. Trusts"
                    + " nothing but the first public key. Exit code 3 at the first violation. Runs until Ctrl-C; with -o json"
                    + " one object a line.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream monitor --data-dir ./attestream-data",
            "  attestream monitor --url https://ledger.example.com \\",
            "      --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…' \\",
            "      --state monitor.json --interval 5",
            "  attestream monitor --data-dir ./attestream-data --metrics-port 9402 --canary 5"
        })
final class MonitorCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Mixin
    private KeptKeys keptKeys = new KeptKeys();

    @Option(
            names = "--state",
            paramLabel = "<file>",
            description = "Where to keep what was verified (default: monitor.json in --data-dir, or here).")
    private @Nullable Path stateFile;

    @Option(names = "--once", description = "Verify up to the newest checkpoint and end.")
    private boolean once;

    @Option(
            names = "--interval",
            paramLabel = "<seconds>",
            defaultValue = "5",
            description = "Time between looks (default: ${DEFAULT-VALUE}).")
    private int intervalSeconds;

    @Option(
            names = "--metrics-port",
            paramLabel = "<port>",
            description =
                    "Serve /metrics for Prometheus on this port (0: a free one), and go on after a violation, which is"
                            + " counted.")
    private @Nullable Integer metricsPort;

    @Option(
            names = "--metrics-host",
            paramLabel = "<address>",
            defaultValue = "127.0.0.1",
            description =
                    "Address of --metrics-port (default: ${DEFAULT-VALUE}). Nobody who can reach it is asked who he is.")
    private String metricsHost = "";

    @Option(
            names = "--canary",
            paramLabel = "<seconds>",
            description =
                    "Every so many seconds send an event, wait for its proof, and verify it. Needs a token that may send"
                            + " and read, and --metrics-port.")
    private @Nullable Integer canarySeconds;

    @Override
    public Integer call() throws IOException {
        Output output = form.output();
        Limits.check("--interval", intervalSeconds, 1, Limits.WAIT_SECONDS_MAX);
        NoteVerifier key = connection.ledgerKey();
        Api api = connection.api("auditor");
        MonitorStateFile file = new MonitorStateFile(stateFile());
        MonitorState state = file.read().orElseGet(() -> MonitorState.initial(key.keyName(), key));
        KeyHistory kept = keptKeys.read(key);
        Monitor monitor = newMonitor(kept, api, state);
        Optional<MonitorMetrics> metrics = metrics(output, monitor, kept, api);
        while (true) {
            MonitorResult result = monitor.check();
            file.write(monitor.state());
            metrics.ifPresent(counted -> counted.looked(result));
            if (result instanceof MonitorResult.Violation violation) {
                report(output, "violation", violation.kind() + ": " + violation.detail());
                if (metrics.isEmpty()) {
                    return ExitCode.VERIFICATION_FAILED;
                }
            }
            if (result instanceof MonitorResult.Behind behind) {
                report(output, "behind", "verified to size " + behind.size() + "; " + behind.reason());
                if (once) {
                    return lacksToken(behind) ? ExitCode.AUTH : ExitCode.UNAVAILABLE;
                }
            } else if (result instanceof MonitorResult.Ok ok) {
                if (ok.newEpochs() > 0 || once) {
                    report(output, "ok", "verified to size " + ok.size() + ", " + ok.newEpochs() + " new epochs");
                }
                if (ok.newEpochs() == Monitor.EPOCHS_MAX) {
                    continue; // more is waiting
                }
                if (once) {
                    return ExitCode.OK;
                }
            }
            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(intervalSeconds));
        }
    }

    private Optional<MonitorMetrics> metrics(Output output, Monitor monitor, KeyHistory kept, Api api) {
        if (metricsPort == null) {
            if (canarySeconds != null) {
                throw new CliException(
                        ExitCode.USAGE, "--canary is for --metrics-port", "Give --metrics-port 0 for a free one.");
            }
            return Optional.empty();
        }
        Limits.check("--metrics-port", metricsPort, 0, 65_535);
        MonitorMetrics metrics = new MonitorMetrics(monitor, System::currentTimeMillis, System::nanoTime);
        if (canarySeconds != null) {
            Limits.check("--canary", canarySeconds, 1, Limits.WAIT_SECONDS_MAX);
            var unused = new Canary(connection.api("ingester"), api, kept)
                    .sendEvery(Duration.ofSeconds(canarySeconds), metrics::canary);
        }
        output.say("metrics on http://" + metricsHost + ":" + metrics.serve(metricsHost, metricsPort) + "/metrics");
        return Optional.of(metrics);
    }

    /** As {@code HttpCheckpointSource} says it: whoever starts this again and again must not take it for an outage. */
    private static boolean lacksToken(MonitorResult.Behind behind) {
        return behind.reason().matches(".* answered 40[13]");
    }

    private static Monitor newMonitor(KeyHistory kept, Api api, MonitorState state) {
        try {
            return new Monitor(kept.origin(), kept, new HttpCheckpointSource(api.base(), api.token()), state);
        } catch (IllegalArgumentException e) {
            throw new CliException(
                    ExitCode.USAGE, String.valueOf(e.getMessage()), "Give each ledger its own --state file.");
        }
    }

    private Path stateFile() {
        if (stateFile != null) {
            return stateFile;
        }
        return connection.dataDirectory().orElse(Path.of("")).resolve("monitor.json");
    }

    private static void report(Output output, String status, String detail) {
        Tone tone = status.equals("violation") ? Tone.BAD : status.equals("ok") ? Tone.GOOD : Tone.WARNING;
        output.print(output.paint(tone, status) + "  " + detail);
        output.json(Output.object("status", status, "detail", detail));
    }
}
