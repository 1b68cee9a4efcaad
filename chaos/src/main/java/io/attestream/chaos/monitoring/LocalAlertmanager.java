// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.monitoring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.attestream.chaos.Installation;
import io.attestream.chaos.ManagedProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * An Alertmanager on loopback with the routes and inhibitions of {@code deploy/alertmanager}, whose receivers are those of this
 * machine. It lives no longer than this process. Thread-safe.
 */
public final class LocalAlertmanager implements AutoCloseable {
    private static final String PROGRAM = "prometheus-alertmanager";
    private static final YAMLMapper YAML = new YAMLMapper();

    private final LocalServer server;

    private LocalAlertmanager(LocalServer server) {
        this.server = server;
    }

    /**
     * Before anything is begun that needs it.
     *
     * @throws MissingProgram if no Alertmanager is installed
     */
    public static void requireInstalled() {
        LocalServer.require(PROGRAM);
    }

    /**
     * Starts it and waits until it is ready.
     *
     * @param directory of configuration, data and log; made if absent
     * @param receivers URL of the webhook of each receiver in the repository's file, by its name
     * @param groupWait how long a first message waits for what begins together, where the repository's routes do not say their
     *     own; that of the repository's file if empty
     * @throws MissingProgram if no Alertmanager is installed
     * @throws IllegalArgumentException if the receivers are not exactly those of the repository's file
     * @throws IllegalStateException with the end of its log, if it does not become ready
     */
    public static LocalAlertmanager start(Path directory, Map<String, URI> receivers, Optional<Duration> groupWait) {
        Path repository = Installation.find().home().resolve("deploy/alertmanager/alertmanager.yaml");
        try {
            Files.createDirectories(directory);
            Path config = directory.resolve("alertmanager.yaml");
            YAML.writeValue(config.toFile(), configuration(repository, receivers, groupWait));
            return new LocalAlertmanager(LocalServer.start(
                    PROGRAM,
                    directory,
                    List.of(
                            "--config.file=" + config,
                            "--storage.path=" + directory.resolve("data"),
                            // Alone: it looks for no others.
                            "--cluster.listen-address=",
                            "--log.level=warn")));
        } catch (IOException e) {
            throw new UncheckedIOException("an Alertmanager cannot be prepared in " + directory, e);
        }
    }

    static JsonNode configuration(Path repository, Map<String, URI> receivers, Optional<Duration> groupWait)
            throws IOException {
        JsonNode config = YAML.readTree(repository.toFile());
        groupWait.ifPresent(wait -> ((ObjectNode) config.required("route")).put("group_wait", wait.toMillis() + "ms"));
        Set<String> names = new HashSet<>();
        for (JsonNode receiver : config.required("receivers")) {
            String name = receiver.required("name").asText();
            names.add(name);
            URI url = receivers.get(name);
            if (url != null) {
                receiver.required("webhook_configs").forEach(hook -> ((ObjectNode) hook).put("url", url.toString()));
            }
        }
        if (!names.equals(receivers.keySet())) {
            throw new IllegalArgumentException("URLs are of the receivers " + receivers.keySet()
                    + ", but deploy/alertmanager/alertmanager.yaml has the receivers " + names);
        }
        return config;
    }

    /** Where its API is. */
    public URI url() {
        return server.url();
    }

    /** The process, for those who look at it, kill or suspend it. */
    public ManagedProcess process() {
        return server.process();
    }

    /** Alerts that are active, inhibited or silenced, as {@code /api/v2/alerts}. */
    public JsonNode alerts() {
        return server.get("/api/v2/alerts", Map.of());
    }

    /** Stops it; its directory stays. */
    @Override
    public void close() {
        server.close();
    }
}
