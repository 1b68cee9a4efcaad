// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.FreePorts;
import io.attestream.chaos.Installation;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.Checkpoint;
import java.io.File;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Looks for what commonly goes wrong. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Looks for what commonly goes wrong: Java, build, loopback, disk, and a running cluster.",
        footer = {"", "Example:", "  attestream doctor --data-dir ./attestream-data"})
final class DoctorCommand implements Callable<Integer> {
    private static final long DISK_MIN_BYTES = 2L << 30;

    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    private final List<Finding> findings = new ArrayList<>();

    private record Finding(String verdict, String what, String detail) {}

    @Override
    public Integer call() {
        Output output = form.output();
        checkJava();
        checkBuild();
        checkLoopback();
        checkDisk();
        try {
            connection.cluster().ifPresent(this::checkCluster);
        } catch (CliException e) {
            add(false, "cluster", "", e.getMessage() + ". " + e.next());
        }
        List<List<String>> rows = findings.stream()
                .map(finding -> List.of(finding.verdict(), finding.what(), finding.detail()))
                .toList();
        Output.table(rows).forEach(output::print);
        boolean failed = findings.stream().anyMatch(finding -> finding.verdict().equals("FAIL"));
        output.json(Output.object(
                "ok",
                !failed,
                "findings",
                findings.stream()
                        .map(finding -> Map.of(
                                "verdict", finding.verdict(), "what", finding.what(), "detail", finding.detail()))
                        .toList()));
        return failed ? ExitCode.ERROR : ExitCode.OK;
    }

    private void checkJava() {
        int version = Runtime.version().feature();
        add(version >= 17, "java", version + " (17 or newer is needed)", "set JAVA_HOME to a newer JDK");
    }

    private void checkBuild() {
        try {
            List<String> missing = Installation.find().missingParts();
            add(missing.isEmpty(), "build", "all parts", "missing " + missing + ": run mvn package -DskipTests");
        } catch (IllegalStateException e) {
            add(false, "build", "", String.valueOf(e.getMessage()));
        }
    }

    private void checkLoopback() {
        try {
            add(true, "loopback", "port " + FreePorts.pick() + " could be bound", "");
        } catch (RuntimeException e) {
            add(false, "loopback", "", "no port can be bound on 127.0.0.1: " + e.getMessage());
        }
    }

    private void checkDisk() {
        Path at = connection.dataDirectory().orElse(Path.of("")).toAbsolutePath();
        // A directory that is yet to be made has the space of the one it will be in.
        for (Path up = at; up != null && !Files.exists(at); up = up.getParent()) {
            at = up;
        }
        long free = new File(at.toString()).getUsableSpace();
        add(
                free >= DISK_MIN_BYTES,
                "disk",
                (free >> 20) + " MiB free at " + at,
                (free >> 20) + " MiB free at " + at + ": at least 2048 MiB are needed");
    }

    private void checkCluster(ClusterFile cluster) {
        Api management = new Api(URI.create(cluster.managementUrl()), null);
        try {
            Api.Reply ready = management.get("/q/health/ready", "application/json");
            add(ready.status() == 200, "gateway", "ready at " + cluster.url(), "not ready: " + ready.text());
        } catch (CliException e) {
            add(
                    false,
                    "gateway",
                    "",
                    e.getMessage() + ": attestream up --data-dir "
                            + connection.dataDirectory().orElseThrow());
            return;
        }
        try {
            Api api = connection.api("auditor");
            Api.Reply reply = api.get("/v1/checkpoint", "text/plain");
            Optional<Checkpoint> checkpoint = reply.status() == 404
                    ? Optional.empty()
                    : Optional.of(Checkpoints.verified(
                            Api.good("GET /v1/checkpoint", reply).text(),
                            LedgerKeys.told(api, KeyHistory.of(connection.ledgerKey())),
                            "the newest checkpoint"));
            add(
                    true,
                    "checkpoint",
                    checkpoint
                            .map(newest -> "size " + newest.size() + ", signature verified")
                            .orElse("none published yet"),
                    "");
        } catch (CliException e) {
            add(false, "checkpoint", "", String.valueOf(e.getMessage()));
        }
    }

    private void add(boolean good, String what, String detail, String whatToDo) {
        findings.add(new Finding(good ? "ok" : "FAIL", what, good ? detail : whatToDo));
    }
}
