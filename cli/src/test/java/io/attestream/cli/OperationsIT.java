// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.LocalCluster;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What those who run a ledger look at, seen to tell what is. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class OperationsIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String SEQUENCER = "attestream.sequencer.g1";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    private static Path scratch;

    private static LocalCluster cluster;

    @BeforeAll
    static void startCluster() throws IOException {
        cluster = LocalCluster.start(new LocalCluster.Options(
                scratch.resolve("data"),
                1,
                1,
                1,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {},
                Map.of(
                        "gateway",
                        Map.of(
                                "ATTESTREAM_LAG_INTERVAL",
                                "1s",
                                "ATTESTREAM_OPS_EVIDENCE_DIR",
                                Evidence.write(scratch).toString())),
                false));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void aGroupThatStandsStillFallsBehindAndCatchesUp() throws Exception {
        // given
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(served().path("records").asLong(-1)).isZero());

        // when nobody processes what is accepted
        cluster.process("processors-0").kill();
        append();

        // then
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(served().path("records").asLong()).isEqualTo(1);
            assertThat(served().path("seconds").asDouble()).isGreaterThan(3);
            assertThat(served().path("drainSeconds").asText()).isEqualTo("never");
            assertThat(served().path("members").asInt(-1))
                    .as("its session is over")
                    .isZero();
        });
        assertThat(metrics())
                .contains("attestream_lag_records{group=\"" + SEQUENCER
                        + "\",partition=\"0\",topic=\"attestream.events\"} 1.0")
                .doesNotContain("attestream_lag_seconds{group=\"" + SEQUENCER
                        + "\",partition=\"0\",topic=\"attestream.events\"} 0.0");
        JsonNode printed = group(JSON.readTree(lag("-o", "json")));
        assertThat(printed.path("seconds").asDouble()).isGreaterThan(3);
        assertThat(lag("--partitions", "--group", ".*sequencer.*"))
                .contains(SEQUENCER)
                .contains("attestream.events")
                .contains("never")
                .doesNotContain("proofs");

        // and when it is back
        cluster.startAgain("processors-0");
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(served().path("records").asLong(-1)).isZero();
            assertThat(served().path("seconds").asDouble(-1)).isZero();
            assertThat(served().path("members").asInt()).isEqualTo(1);
        });
    }

    @Test
    void theMonitorTellsFromOutsideWhetherTheLedgerWorks() throws Exception {
        // given
        Script monitor = startMonitor("monitor.json");
        try {
            URI metrics = metricsOf(monitor);

            // then
            await().atMost(SOON).untilAsserted(() -> {
                assertThat(value(metrics, "attestream_canary_seconds_count{outcome=\"verified\"}"))
                        .isGreaterThan(1);
                assertThat(value(metrics, "attestream_monitor_checkpoint_age_seconds"))
                        .isLessThan(15);
                assertThat(value(metrics, "attestream_monitor_looks_total{outcome=\"ok\"}"))
                        .isPositive();
            });
            assertThat(value(metrics, "attestream_monitor_violations_total{kind=\"ledger_forked\"}"))
                    .isZero();

            // and when the door is gone
            cluster.process("gateway-0").kill();
            await().atMost(SOON).untilAsserted(() -> {
                assertThat(value(metrics, "attestream_canary_seconds_count{outcome=\"not_accepted\"}"))
                        .isPositive();
                assertThat(value(metrics, "attestream_monitor_looks_total{outcome=\"behind\"}"))
                        .isPositive();
            });
        } finally {
            monitor.kill();
            if (!cluster.process("gateway-0").isAlive()) {
                cluster.startAgain("gateway-0");
            }
        }
    }

    /** Else an alert would be silent for ever. */
    @Test
    void everyMetricThatARuleOrADashboardNamesIsExportedAndThePageNamesAll() throws Exception {
        // given
        Script monitor = startMonitor("monitor-2.json");
        try {
            URI monitorMetrics = metricsOf(monitor);
            // Trends of lags take two looks.
            await().atMost(SOON).until(() -> metrics().contains("attestream_lag_growth_records_per_second{"));
            Map<String, String> scraped = new LinkedHashMap<>();
            scraped.put("gateway", metrics());
            scraped.put("processors", get(cluster.serviceUrl("processors-0").resolve("/metrics")));
            scraped.put("checkpointer", get(cluster.serviceUrl("checkpointer").resolve("/metrics")));
            scraped.put("monitor", get(monitorMetrics));

            // then
            String all = String.join("\n", scraped.values());
            assertThat(named())
                    .hasSizeGreaterThan(60)
                    .allSatisfy(
                            name -> assertThat(all).as("exported: " + name).containsPattern("(?m)^" + name + "[{ ]"));
            assertThat(selected())
                    .hasSizeGreaterThan(16)
                    .allSatisfy(
                            series -> assertThat(all).as("selected by a rule").containsPattern("(?m)^" + series));
            Path page = Script.HOME.resolve("docs/metrics.md");
            String expected = MetricsPage.of(scraped);
            if (Boolean.getBoolean("attestream.docs.write")) {
                Files.writeString(page, expected);
            }
            assertThat(page)
                    .as("stale: run this test with -Dattestream.docs.write=true")
                    .hasContent(expected);
        } finally {
            monitor.kill();
        }
    }

    private static Script startMonitor(String state) throws IOException {
        return Script.start(
                scratch,
                "monitor",
                "--data-dir",
                cluster.data().toString(),
                "--state",
                scratch.resolve(state).toString(),
                "--interval",
                "1",
                "--metrics-port",
                "0",
                "--canary",
                "1");
    }

    private static URI metricsOf(Script monitor) throws IOException {
        await().atMost(SOON)
                .failFast(() -> !monitor.isAlive())
                .until(() -> monitor.err().contains("/metrics"));
        return URI.create(monitor.err()
                .lines()
                .filter(line -> line.startsWith("metrics on "))
                .findFirst()
                .orElseThrow()
                .substring("metrics on ".length()));
    }

    /** In rules and dashboards. */
    private static Set<String> named() throws IOException {
        Set<String> names = new TreeSet<>();
        for (String directory : List.of("deploy/prometheus/rules", "deploy/grafana/dashboards")) {
            try (Stream<Path> files = Files.list(Script.HOME.resolve(directory))) {
                for (Path file : files.toList()) {
                    Matcher name =
                            Pattern.compile("\\b(attestream|kafka)_[a-z_]+").matcher(Files.readString(file));
                    while (name.find()) {
                        names.add(name.group());
                    }
                }
            }
        }
        return names;
    }

    /** Patterns of the series that rules ask for by the value of a label; those of Prometheus itself are not ours. */
    private static Set<String> selected() throws IOException {
        Set<String> series = new TreeSet<>();
        try (Stream<Path> files = Files.list(Script.HOME.resolve("deploy/prometheus/rules"))) {
            for (Path file : files.toList()) {
                Matcher selector = Pattern.compile("\\b((?:attestream|kafka)_[a-z_]+)\\{([^}]*)}")
                        .matcher(Files.readString(file).replace("\\\"", "\"")); // escaped where YAML quotes them
                while (selector.find()) {
                    Matcher label = Pattern.compile("(\\w+)=~?\"([^\"]*)\"").matcher(selector.group(2));
                    while (label.find()) {
                        for (String value : label.group(2).split("\\|", -1)) {
                            if (!Set.of("job", "group", "slo").contains(label.group(1))) {
                                series.add(selector.group(1) + "\\{[^}]*" + label.group(1) + "=\"" + value + "\"");
                            }
                        }
                    }
                }
            }
        }
        return series;
    }

    private static double value(URI metrics, String series) throws Exception {
        return get(metrics)
                .lines()
                .filter(line -> line.startsWith(series + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
                .findFirst()
                .orElse(Double.NaN);
    }

    private static void append() throws Exception {
        Path event = Files.writeString(scratch.resolve("event.json"), """
                {"specversion":"1.0","id":"late","source":"/it","type":"test","data":{"n":1}}
                """);
        Script.Ended sent =
                Script.run(scratch, SOON, "append", "--data-dir", cluster.data().toString(), event.toString());
        assertThat(sent.exitCode()).as(sent.out() + sent.err()).isZero();
    }

    private static String lag(String... more) throws Exception {
        String[] arguments = new String[more.length + 3];
        arguments[0] = "lag";
        arguments[1] = "--data-dir";
        arguments[2] = cluster.data().toString();
        System.arraycopy(more, 0, arguments, 3, more.length);
        Script.Ended ended = Script.run(scratch, SOON, arguments);
        assertThat(ended.exitCode()).as(ended.out() + ended.err()).isZero();
        return ended.out();
    }

    private static JsonNode served() throws Exception {
        return group(JSON.readTree(get("/lag")));
    }

    private static JsonNode group(JsonNode report) {
        return StreamSupport.stream(report.path("groups").spliterator(), false)
                .filter(group -> group.path("group").asText().equals(SEQUENCER))
                .findFirst()
                .orElseGet(JSON::createObjectNode);
    }

    private static String metrics() throws Exception {
        return get("/q/metrics");
    }

    private static String get(String path) throws Exception {
        return get(cluster.managementUrl(0).resolve(path));
    }

    private static String get(URI uri) throws Exception {
        return HTTP.send(
                        HttpRequest.newBuilder(uri)
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
