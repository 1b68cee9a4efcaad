// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A real KRaft broker in a JVM of its own, on loopback. Its ports and its data survive {@link #kill} and {@link #restart}.
 * Topics are not created by themselves.
 */
public final class LocalBroker implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(90);
    private static final int ANSWER_TIMEOUT_MILLIS = 5_000;
    /** A request of Kafka's protocol: its length, key 18 in version 0, a correlation id, no client id. */
    private static final byte[] API_VERSIONS = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 0, -1, -1};

    private final ManagedProcess process;
    private final int port;

    private LocalBroker(ManagedProcess process, int port) {
        this.process = process;
        this.port = port;
    }

    /** A light broker for tests: small heap, quick start. Returns when it answers. */
    public static LocalBroker start(Path directory) {
        return start(Installation.find(), directory, true);
    }

    /** @param light small heap and quick start; otherwise as a local cluster's, fit for load */
    public static LocalBroker start(Installation installation, Path directory, boolean light) {
        LocalBroker broker = prepare(installation, directory, light);
        broker.process.start();
        broker.awaitReady();
        return broker;
    }

    /** Formats the directory if it is new; the process is not started yet. */
    static LocalBroker prepare(Installation installation, Path directory, boolean light) {
        return prepare(installation, List.of(directory), directory, light, Map.of(), Optional.empty())
                .get(0);
    }

    /** A light broker for tests that asks everybody who he is. */
    public static LocalBroker start(Path directory, BrokerSecurity security) {
        LocalBroker broker = prepare(
                        Installation.find(), List.of(directory), directory, true, Map.of(), Optional.of(security))
                .get(0);
        broker.process.start();
        broker.awaitReady();
        return broker;
    }

    /**
     * Brokers of one cluster, each of them a controller, too.
     *
     * @param directories one for each
     * @param logs directory of what they say
     * @param advertised links in front of the first broker, by the parts that are to know it by them
     * @param security empty if nobody is asked who he is
     */
    static List<LocalBroker> prepare(
            Installation installation,
            List<Path> directories,
            Path logs,
            boolean light,
            Map<String, TcpProxy> advertised,
            Optional<BrokerSecurity> security) {
        String clusterId = ClusterId.random();
        List<BrokerSettings.Ports> ports =
                directories.stream().map(BrokerSettings.Ports::of).toList();
        List<LocalBroker> brokers = new ArrayList<>();
        for (int node = 0; node < directories.size(); node++) {
            BrokerSettings settings = new BrokerSettings(node, ports, advertised, security);
            brokers.add(prepare(installation, directories.get(node), logs, light, settings, clusterId));
        }
        return brokers;
    }

    private static LocalBroker prepare(
            Installation installation, Path directory, Path logs, boolean light, BrokerSettings of, String clusterId) {
        try {
            Files.createDirectories(directory);
            Files.createDirectories(logs);
            Path settings = directory.resolve(BrokerSettings.FILE);
            boolean fresh = !Files.exists(directory.resolve("data/meta.properties"));
            Secrets.replace(settings, of.text(directory));
            String name = of.node() == 0 ? "broker" : "broker-" + (of.node() + 1);
            Path log = logs.resolve(name + ".log");
            if (fresh) {
                format(installation, settings, log, clusterId);
            }
            ManagedProcess process =
                    new ManagedProcess(name, command(installation, settings, light, of.security()), Map.of(), log);
            return new LocalBroker(process, of.own().port());
        } catch (IOException e) {
            throw new UncheckedIOException("the broker's directory " + directory + " cannot be prepared", e);
        }
    }

    private static List<String> command(
            Installation installation, Path settings, boolean light, Optional<BrokerSecurity> security) {
        JvmCommand jvm = new JvmCommand(installation, light ? 256 : 768);
        security.ifPresent(of -> jvm.with("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + of.jwksUrl()));
        if (light) {
            jvm.with("-XX:TieredStopAtLevel=1");
        }
        return jvm.with(
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        "-Dorg.slf4j.simpleLogger.showDateTime=true",
                        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
                .main(installation.brokerLib(), "kafka.Kafka", settings.toString());
    }

    private static void format(Installation installation, Path settings, Path log, String clusterId)
            throws IOException {
        List<String> command = new JvmCommand(installation, 128)
                .with("-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                .main(
                        installation.brokerLib(),
                        "kafka.tools.StorageTool",
                        "format",
                        "--cluster-id",
                        clusterId,
                        "--config",
                        settings.toString());
        Process format = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        try {
            if (!format.waitFor(60, TimeUnit.SECONDS) || format.exitValue() != 0) {
                format.destroyForcibly();
                throw new IOException("formatting failed; see " + log);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while formatting", e);
        }
    }

    /** {@code host:port} for clients. */
    public String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    public ManagedProcess process() {
        return process;
    }

    /** SIGKILL. */
    public void kill() {
        process.kill();
    }

    /** Starts it again after it ended, with the same data and ports, and waits until it answers. */
    public void restart() {
        process.start();
        awaitReady();
    }

    void awaitReady() {
        process.await("does not answer on port " + port, START_TIMEOUT, this::answers);
    }

    /** Whether it tells its API versions: for a process that stands still the kernel takes connections, too. */
    boolean answers() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
            socket.setSoTimeout(ANSWER_TIMEOUT_MILLIS);
            socket.getOutputStream().write(API_VERSIONS);
            return socket.getInputStream().read() >= 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
