// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.monitoring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.attestream.chaos.Installation;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A Prometheus on loopback with the rules and jobs of {@code deploy/prometheus}, whose targets are those of this machine. It
 * lives no longer than this process. Thread-safe.
 */
public final class LocalPrometheus implements AutoCloseable {
    private static final String PROGRAM = "prometheus";
    private static final YAMLMapper YAML = new YAMLMapper();

    private final LocalServer server;

    /**
     * What differs from the repository's configuration.
     *
     * @param targets {@code host:port}s of each job of the repository's file, by its name; a job without any is scraped nowhere
     * @param alertmanager where alerts are sent; nowhere if empty
     * @param scrapeInterval that of the repository's file if empty
     */
    public record Options(
            Map<String, List<String>> targets, Optional<URI> alertmanager, Optional<Duration> scrapeInterval) {
        public Options {
            targets = Map.copyOf(targets);
        }
    }

    private LocalPrometheus(LocalServer server) {
        this.server = server;
    }

    /**
     * Before anything is begun that needs it.
     *
     * @throws MissingProgram if no Prometheus is installed
     */
    public static void requireInstalled() {
        LocalServer.require(PROGRAM);
    }

    /**
     * Starts it and waits until it is ready.
     *
     * @param directory of configuration, data and log; made if absent
     * @throws MissingProgram if no Prometheus is installed
     * @throws IllegalArgumentException if the targets are not of exactly the jobs in the repository's file
     * @throws IllegalStateException with the end of its log, if it does not become ready
     */
    public static LocalPrometheus start(Path directory, Options options) {
        Path repository = Installation.find().home().resolve("deploy/prometheus");
        try {
            Files.createDirectories(directory);
            Path config = directory.resolve("prometheus.yaml");
            YAML.writeValue(config.toFile(), configuration(repository, options));
            return new LocalPrometheus(LocalServer.start(
                    PROGRAM,
                    directory,
                    List.of(
                            "--config.file=" + config,
                            "--storage.tsdb.path=" + directory.resolve("data"),
                            "--log.level=warn")));
        } catch (IOException e) {
            throw new UncheckedIOException("a Prometheus cannot be prepared in " + directory, e);
        }
    }

    static JsonNode configuration(Path repository, Options options) throws IOException {
        ObjectNode config =
                (ObjectNode) YAML.readTree(repository.resolve("prometheus.yaml").toFile());
        options.scrapeInterval()
                .ifPresent(interval ->
                        ((ObjectNode) config.required("global")).put("scrape_interval", interval.toMillis() + "ms"));
        ArrayNode rules = YAML.createArrayNode();
        config.required("rule_files")
                .forEach(files -> rules.add(repository.resolve(files.asText()).toString()));
        config.set("rule_files", rules);
        config.remove("alerting");
        options.alertmanager()
                .ifPresent(alertmanager -> config.putObject("alerting")
                        .putArray("alertmanagers")
                        .addObject()
                        .set("static_configs", targets(List.of(alertmanager.getAuthority()))));
        Set<String> jobs = new HashSet<>();
        for (JsonNode job : config.required("scrape_configs")) {
            String name = job.required("job_name").asText();
            jobs.add(name);
            ((ObjectNode) job).set("static_configs", targets(options.targets().getOrDefault(name, List.of())));
        }
        if (!jobs.equals(options.targets().keySet())) {
            throw new IllegalArgumentException("targets are of the jobs "
                    + options.targets().keySet() + ", but deploy/prometheus/prometheus.yaml has the jobs " + jobs);
        }
        return config;
    }

    private static ArrayNode targets(List<String> addresses) {
        ArrayNode configs = YAML.createArrayNode();
        ArrayNode targets = configs.addObject().putArray("targets");
        addresses.forEach(targets::add);
        return configs;
    }

    /**
     * The targets of a local cluster, for {@link Options}.
     *
     * @param monitors of {@code attestream monitor --metrics-port}; may be empty
     */
    public static Map<String, List<String>> targetsOf(LocalCluster cluster, List<URI> monitors) {
        Map<String, List<String>> targets = new TreeMap<>();
        for (String kind : List.of("gateway", "processors", "checkpointer")) {
            targets.put(
                    "attestream-" + kind,
                    cluster.services().stream()
                            .filter(service -> service.startsWith(kind))
                            .map(service -> (kind.equals("gateway")
                                            ? cluster.managementUrl(
                                                    Integer.parseInt(service.substring(kind.length() + 1)))
                                            : cluster.serviceUrl(service))
                                    .getAuthority())
                            .toList());
        }
        targets.put(
                "attestream-monitor", monitors.stream().map(URI::getAuthority).toList());
        return targets;
    }

    /** Where its API and pages are. */
    public URI url() {
        return server.url();
    }

    /** The process, for those who look at it or suspend it. */
    public ManagedProcess process() {
        return server.process();
    }

    /**
     * The series an expression has now; empty if none.
     *
     * @return as {@code data.result} of {@code /api/v1/query}
     * @throws IllegalStateException if Prometheus refuses the expression; says why
     */
    public JsonNode query(String expression) {
        return get("query", Map.of("query", expression)).required("result");
    }

    /**
     * The series an expression had over a time.
     *
     * @return as {@code data.result} of {@code /api/v1/query_range}
     * @throws IllegalStateException if Prometheus refuses the expression; says why
     */
    public JsonNode queryRange(String expression, Instant from, Instant to, Duration step) {
        return get(
                        "query_range",
                        Map.of(
                                "query",
                                expression,
                                "start",
                                from.toString(),
                                "end",
                                to.toString(),
                                "step",
                                step.toMillis() + "ms"))
                .required("result");
    }

    /** Alerts that are pending or firing, as {@code data.alerts} of {@code /api/v1/alerts}. */
    public JsonNode alerts() {
        return get("alerts", Map.of()).required("alerts");
    }

    /** Targets that are scraped, as {@code data.activeTargets} of {@code /api/v1/targets}. */
    public JsonNode targets() {
        return get("targets", Map.of("state", "active")).required("activeTargets");
    }

    private JsonNode get(String what, Map<String, String> parameters) {
        return server.get("/api/v1/" + what, parameters).required("data");
    }

    /** Stops it; its directory stays. */
    @Override
    public void close() {
        server.close();
    }
}
