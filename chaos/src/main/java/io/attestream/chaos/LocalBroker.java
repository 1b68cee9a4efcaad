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
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A real KRaft broker in a JVM of its own, on loopback. Its ports and its data survive {@link #kill} and {@link #restart}.
 * Topics are not created by themselves.
 */
public final class LocalBroker implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(90);
    private static final String SETTINGS = "server.properties";
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
        return prepare(installation, List.of(directory), directory, light, Map.of())
                .get(0);
    }

    /**
     * Brokers of one cluster, each of them a controller, too.
     *
     * @param directories one for each
     * @param logs directory of what they say
     * @param advertised links in front of the first broker, by the parts that are to know it by them
     */
    static List<LocalBroker> prepare(
            Installation installation,
            List<Path> directories,
            Path logs,
            boolean light,
            Map<String, TcpProxy> advertised) {
        String clusterId = ClusterId.random();
        List<Ports> ports = directories.stream().map(Ports::of).toList();
        List<LocalBroker> brokers = new ArrayList<>();
        for (int node = 0; node < directories.size(); node++) {
            brokers.add(prepare(installation, directories.get(node), logs, light, node, ports, clusterId, advertised));
        }
        return brokers;
    }

    private record Ports(int port, int controllerPort) {
        /** Those it had, if nobody took them meanwhile. */
        static Ports of(Path directory) {
            Properties old = new Properties();
            Path settings = directory.resolve(SETTINGS);
            try {
                if (Files.exists(settings)) {
                    try (var in = Files.newInputStream(settings)) {
                        old.load(in);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(settings + " cannot be read", e);
            }
            return new Ports(
                    FreePorts.preferring(Integer.parseInt(old.getProperty("attestream.port", "0"))),
                    FreePorts.preferring(Integer.parseInt(old.getProperty("attestream.controller.port", "0"))));
        }
    }

    private static LocalBroker prepare(
            Installation installation,
            Path directory,
            Path logs,
            boolean light,
            int node,
            List<Ports> ports,
            String clusterId,
            Map<String, TcpProxy> advertised) {
        try {
            Files.createDirectories(directory);
            Files.createDirectories(logs);
            Path settings = directory.resolve(SETTINGS);
            boolean fresh = !Files.exists(directory.resolve("data/meta.properties"));
            Files.writeString(settings, settings(directory, node, ports) + listeners(node, ports, advertised));
            String name = node == 0 ? "broker" : "broker-" + (node + 1);
            Path log = logs.resolve(name + ".log");
            if (fresh) {
                format(installation, settings, log, clusterId);
            }
            ManagedProcess process = new ManagedProcess(name, command(installation, settings, light), Map.of(), log);
            return new LocalBroker(process, ports.get(node).port());
        } catch (IOException e) {
            throw new UncheckedIOException("the broker's directory " + directory + " cannot be prepared", e);
        }
    }

    /** One for everybody, one for controllers, and in front of the first broker one for each part that has a link of its own. */
    private static String listeners(int node, List<Ports> ports, Map<String, TcpProxy> links) {
        Ports own = ports.get(node);
        StringBuilder listeners = new StringBuilder(
                "listeners=PLAINTEXT://127.0.0.1:" + own.port() + ",CONTROLLER://127.0.0.1:" + own.controllerPort());
        StringBuilder advertised = new StringBuilder("advertised.listeners=PLAINTEXT://127.0.0.1:" + own.port());
        StringBuilder protocols =
                new StringBuilder("listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        links.forEach((part, link) -> {
            String name = part.toUpperCase(Locale.ROOT);
            listeners.append(",").append(name).append("://127.0.0.1:").append(link.targetPort());
            advertised.append(",").append(name).append("://127.0.0.1:").append(link.port());
            protocols.append(",").append(name).append(":PLAINTEXT");
        });
        return listeners + "\n" + advertised + "\n" + protocols + "\ninter.broker.listener.name=PLAINTEXT\n";
    }

    private static List<String> command(Installation installation, Path settings, boolean light) {
        JvmCommand jvm = new JvmCommand(installation, light ? 256 : 768);
        if (light) {
            jvm.with("-XX:TieredStopAtLevel=1");
        }
        return jvm.with(
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        "-Dorg.slf4j.simpleLogger.showDateTime=true",
                        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
                .main(installation.brokerLib(), "kafka.Kafka", settings.toString());
    }

    private static String settings(Path directory, int node, List<Ports> ports) {
        String voters = IntStream.range(0, ports.size())
                .mapToObj(
                        voter -> (voter + 1) + "@127.0.0.1:" + ports.get(voter).controllerPort())
                .collect(Collectors.joining(","));
        return """
                process.roles=broker,controller
                node.id=%1$d
                attestream.port=%2$d
                attestream.controller.port=%3$d
                controller.listener.names=CONTROLLER
                controller.quorum.voters=%4$s
                log.dirs=%5$s
                auto.create.topics.enable=false
                default.replication.factor=%6$d
                offsets.topic.replication.factor=%6$d
                offsets.topic.num.partitions=4
                transaction.state.log.replication.factor=%6$d
                transaction.state.log.min.isr=%7$d
                transaction.state.log.num.partitions=4
                group.initial.rebalance.delay.ms=0
                group.min.session.timeout.ms=1000
                # Segments are preallocated on some file systems; small ones keep a local cluster small.
                log.segment.bytes=67108864
                log.cleaner.dedupe.buffer.size=4194304
                num.io.threads=4
                num.network.threads=2
                background.threads=2
                """.formatted(
                        node + 1,
                        ports.get(node).port(),
                        ports.get(node).controllerPort(),
                        voters,
                        escaped(directory.resolve("data").toString()),
                        ports.size(),
                        (ports.size() + 1) / 2);
    }

    /** As a value in a properties file, which is read as Latin-1. */
    static String escaped(String path) {
        StringBuilder value = new StringBuilder();
        path.chars().forEach(c -> {
            if (c == '\\') {
                value.append("\\\\");
            } else if (c < ' ' || c > '~') {
                value.append(String.format("\\u%04x", c));
            } else {
                value.append((char) c);
            }
        });
        return value.toString();
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
