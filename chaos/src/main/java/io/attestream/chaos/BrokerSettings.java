// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a broker of a local cluster is told.
 *
 * @param node from 0 on
 * @param ports of all brokers
 * @param links in front of the first broker, by the parts that are to know it by them
 * @param security empty if nobody is asked who he is
 */
record BrokerSettings(int node, List<Ports> ports, Map<String, TcpProxy> links, Optional<BrokerSecurity> security) {
    static final String FILE = "server.properties";

    private static final String CLIENTS = "CLIENTS";
    private static final String CONTROLLER = "CONTROLLER";
    private static final String BROKERS = "BROKERS";

    record Ports(int port, int controllerPort, int brokersPort) {
        /** Those it had, if nobody took them meanwhile. */
        static Ports of(Path directory) {
            Properties old = new Properties();
            Path settings = directory.resolve(FILE);
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
                    FreePorts.preferring(Integer.parseInt(old.getProperty("attestream.controller.port", "0"))),
                    FreePorts.preferring(Integer.parseInt(old.getProperty("attestream.brokers.port", "0"))));
        }
    }

    Ports own() {
        return ports.get(node);
    }

    /** Of the file. */
    String text(Path directory) {
        return general(directory)
                + listeners()
                + security.map(of -> of.settings(clientListeners(), List.of(CONTROLLER, BROKERS)))
                        .orElse("");
    }

    private List<String> clientListeners() {
        List<String> names = new ArrayList<>(List.of(CLIENTS));
        links.keySet().forEach(part -> names.add(part.toUpperCase(Locale.ROOT)));
        return names;
    }

    /** One for everybody, one for controllers, and in front of the first broker one for each part that has a link of its own. */
    private String listeners() {
        List<String> listeners = new ArrayList<>();
        List<String> advertised = new ArrayList<>();
        listeners.add(at(CLIENTS, own().port()));
        listeners.add(at(CONTROLLER, own().controllerPort()));
        advertised.add(at(CLIENTS, own().port()));
        if (security.isPresent()) {
            listeners.add(at(BROKERS, own().brokersPort()));
            advertised.add(at(BROKERS, own().brokersPort()));
        }
        links.forEach((part, link) -> {
            listeners.add(at(part.toUpperCase(Locale.ROOT), link.targetPort()));
            advertised.add(at(part.toUpperCase(Locale.ROOT), link.port()));
        });
        String protocol = security.isPresent() ? "SASL_PLAINTEXT" : "PLAINTEXT";
        String protocols = listeners.stream()
                .map(listener -> listener.substring(0, listener.indexOf(':')) + ":" + protocol)
                .collect(Collectors.joining(","));
        return "listeners=" + String.join(",", listeners)
                + "\nadvertised.listeners=" + String.join(",", advertised)
                + "\nlistener.security.protocol.map=" + protocols
                + "\ninter.broker.listener.name=" + (security.isPresent() ? BROKERS : CLIENTS) + "\n";
    }

    private static String at(String listener, int port) {
        return listener + "://127.0.0.1:" + port;
    }

    private String general(Path directory) {
        String voters = IntStream.range(0, ports.size())
                .mapToObj(
                        voter -> (voter + 1) + "@127.0.0.1:" + ports.get(voter).controllerPort())
                .collect(Collectors.joining(","));
        return """
                process.roles=broker,controller
                node.id=%1$d
                attestream.port=%2$d
                attestream.controller.port=%3$d
                attestream.brokers.port=%8$d
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
                        own().port(),
                        own().controllerPort(),
                        voters,
                        escaped(directory.resolve("data").toString()),
                        ports.size(),
                        (ports.size() + 1) / 2,
                        own().brokersPort());
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
}
