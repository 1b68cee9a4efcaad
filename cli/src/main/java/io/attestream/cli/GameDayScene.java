// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.chaos.FreePorts;
import io.attestream.chaos.Installation;
import io.attestream.chaos.JvmCommand;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import io.attestream.chaos.monitoring.LocalAlertmanager;
import io.attestream.chaos.monitoring.LocalPrometheus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * All that a game day is played with: a cluster of its own under load, a monitor with a canary, a Prometheus and an Alertmanager with
 * the configuration of the repository, a pager, somebody on call, and a probe of what users have of it.
 */
final class GameDayScene implements AutoCloseable {
    private static final Duration READY_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration SETTLED_TIMEOUT = Duration.ofMinutes(3);
    private static final int SETTLED_SECONDS = 5;
    private static final int MONITOR_HEAP_MIB = 128;

    private final DrillCluster cluster;
    private final FaultScene faults;
    private final DrillRecord record;
    private final DrillLoad load;
    private final SliProbe probe;
    private final Pager pager;
    private final Responder responder;
    private final LocalPrometheus prometheus;
    private final ManagedProcess monitor;
    /** In the order in which they end. */
    private final List<AutoCloseable> parts = new CopyOnWriteArrayList<>();
    /** Of them, what somebody has to end. */
    private final List<ByHand> byHand = new CopyOnWriteArrayList<>();

    private final List<Surge> surges = new CopyOnWriteArrayList<>();

    /** @param what is done to end it */
    private record ByHand(String what, AutoCloseable fault) {}

    /** @throws io.attestream.chaos.monitoring.MissingProgram if there is no Prometheus or Alertmanager here */
    static void requirePrograms() {
        LocalPrometheus.requireInstalled();
        LocalAlertmanager.requireInstalled();
    }

    /** Starts everything; see {@link #requirePrograms}. */
    GameDayScene(Path data, GameDayScenario scenario, Consumer<String> progress) {
        try {
            progress.accept("starting an isolated cluster in " + data);
            cluster = keep(
                    DrillCluster.startWithTwoProcessors(data, scenario.topology(), scenario.settings(), step -> {}));
            record = keep(new DrillRecord(cluster, Optional.of(Canary.SOURCE)));
            load = keep(new DrillLoad(record).start());
            load.expectTrouble(true);
            faults = new FaultScene(cluster, load);
            progress.accept("starting monitor, Prometheus and Alertmanager");
            int monitorPort = FreePorts.pick();
            URI metrics = URI.create("http://127.0.0.1:" + monitorPort + "/metrics");
            monitor = keep(monitorProcess(data, monitorPort));
            monitor.start().awaitReady(metrics, READY_TIMEOUT);
            responder = keep(new Responder(Installation.find().home(), data, data.resolve("logs"), this::endByHand));
            pager = keep(Pager.start(responder::page));
            LocalAlertmanager alertmanager = keep(LocalAlertmanager.start(
                    directory(data, "alertmanager"),
                    Map.of("pager", pager.url("page"), "tickets", pager.url("ticket")),
                    Optional.empty()));
            probe = keep(SliProbe.start(load, () -> cluster.api("auditor"), metrics));
            // A start is no outage, and nobody is to be told of it.
            if (!GameDay.await(SETTLED_TIMEOUT, () -> probe.isGoodFor(SETTLED_SECONDS))) {
                throw new IllegalStateException("users have not all of it " + SETTLED_TIMEOUT.toSeconds()
                        + " s after the cluster was ready: " + probe.last());
            }
            prometheus = keep(LocalPrometheus.start(
                    directory(data, "prometheus"),
                    new LocalPrometheus.Options(
                            LocalPrometheus.targetsOf(cluster.local(), List.of(metrics)),
                            Optional.of(alertmanager.url()),
                            Optional.empty())));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T keep(T part) {
        parts.add(0, part);
        return part;
    }

    private static Path directory(Path data, String name) {
        try {
            return Files.createDirectories(data.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As {@code attestream monitor}, a process of its own. */
    private static ManagedProcess monitorProcess(Path data, int port) {
        Installation installation = Installation.find();
        List<String> command = new JvmCommand(installation, MONITOR_HEAP_MIB)
                .with("-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error")
                .main(
                        installation.home().resolve("cli/target/app/lib"),
                        "io.attestream.cli.Main",
                        "monitor",
                        "--data-dir",
                        data.toString(),
                        "--interval",
                        "1",
                        "--metrics-port",
                        Integer.toString(port),
                        "--canary",
                        "1");
        return new ManagedProcess("monitor", command, Map.of(), data.resolve("logs/monitor.log"));
    }

    /** Nobody is woken any more; who was follows his runbook to its end; then nobody sends any more, nor looks at what users see. */
    void end() {
        pager.close();
        responder.finish();
        probe.close();
        load.close();
        monitor.stop();
    }

    /**
     * Something the one on call ends before the commands of a page; it ends with the scene at the latest.
     *
     * @param what is done then, for the report
     */
    void untilByHand(String what, AutoCloseable fault) {
        byHand.add(new ByHand(what, keep(fault)));
    }

    /** Others send more than there is room for, until somebody makes them stop. */
    void surge() {
        Surge surge = Surge.start(record.withoutReading());
        surges.add(surge);
        untilByHand("who surges is made to stop", surge);
    }

    /** By the load and by all who surged; the monitor's canaries are its own. */
    int acknowledgedEvents() {
        return load.count() + surges.stream().mapToInt(Surge::acknowledgedCount).sum();
    }

    private List<String> endByHand() {
        for (ByHand fault : byHand) {
            end(fault.fault());
            parts.remove(fault.fault());
        }
        return byHand.stream().map(ByHand::what).toList();
    }

    private static void end(AutoCloseable part) {
        try {
            part.close();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The one of several that publishes. */
    String activeCheckpointer() {
        LocalCluster local = cluster.local();
        return local.services().stream()
                .filter(service -> service.startsWith(DrillCluster.CHECKPOINTER))
                .filter(service -> Scrape.value(
                                local.serviceUrl(service).resolve("/metrics"), "attestream_checkpointer_epoch")
                        .isPresent())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no checkpointer has its turn"));
    }

    DrillCluster cluster() {
        return cluster;
    }

    FaultScene faults() {
        return faults;
    }

    DrillRecord record() {
        return record;
    }

    DrillLoad load() {
        return load;
    }

    SliProbe probe() {
        return probe;
    }

    Pager pager() {
        return pager;
    }

    Responder responder() {
        return responder;
    }

    /** Alerts that are pending or firing now. */
    JsonNode alerts() {
        return prometheus.alerts();
    }

    /** SIGKILL of everything, for a hook that has no time. */
    void killAll() {
        faults.killAll();
    }

    /** Ends all of it, whatever one of its parts does. */
    @Override
    public void close() {
        RuntimeException failure = null;
        for (AutoCloseable part : List.copyOf(parts)) {
            try {
                end(part);
            } catch (RuntimeException e) {
                failure = failure == null ? e : failure;
            }
            parts.remove(part);
        }
        if (failure != null) {
            throw failure;
        }
    }
}
