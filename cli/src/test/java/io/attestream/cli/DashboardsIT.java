// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.monitoring.LocalPrometheus;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The queries of the dashboards, answered by a real Prometheus that scrapes a running ledger with the rules of the repository. */
@Tag("ops")
@Timeout(value = 9, unit = TimeUnit.MINUTES)
class DashboardsIT {
    private static final Duration SOON = Duration.ofSeconds(90);
    /** Rules are evaluated every 15 s, and rates take two scrapes after a change. */
    private static final Duration ALL_DATA = Duration.ofMinutes(4);

    private static final Pattern LABEL_VALUES = Pattern.compile("label_values\\((.*), ([a-z]+)\\)");

    @TempDir
    private static Path scratch;

    private static LocalCluster cluster;
    private static Script monitor;
    private static LocalPrometheus prometheus;

    @BeforeAll
    static void start() throws IOException {
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
                                "ATTESTREAM_OPS_EVIDENCE_DIR",
                                Evidence.write(scratch).toString())),
                false));
        // Its canary is the load: events, acknowledgements, epochs and proofs.
        monitor = Script.start(
                scratch,
                "monitor",
                "--data-dir",
                cluster.data().toString(),
                "--state",
                scratch.resolve("monitor.json").toString(),
                "--interval",
                "1",
                "--metrics-port",
                "0",
                "--canary",
                "1");
        await().atMost(SOON)
                .failFast(() -> !monitor.isAlive())
                .until(() -> monitor.err().contains("/metrics"));
        URI metrics = URI.create(monitor.err()
                .lines()
                .filter(line -> line.startsWith("metrics on "))
                .findFirst()
                .orElseThrow()
                .substring("metrics on ".length()));
        prometheus = LocalPrometheus.start(
                scratch.resolve("prometheus"),
                new LocalPrometheus.Options(
                        LocalPrometheus.targetsOf(cluster, List.of(metrics)), Optional.empty(), Optional.empty()));
    }

    @AfterAll
    static void stop() throws InterruptedException {
        if (prometheus != null) {
            prometheus.close();
        }
        if (monitor != null) {
            monitor.kill();
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void everyQueryOfEveryDashboardHasDataAndEveryTargetIsScraped() throws Exception {
        // given
        Map<String, String> without = queries();
        assertThat(without).hasSizeGreaterThan(80);

        // when each is asked until it has data
        await().atMost(ALL_DATA).pollInterval(Duration.ofSeconds(5)).untilAsserted(() -> {
            without.values().removeIf(DashboardsIT::hasData);
            assertThat(without).as("queries without data").isEmpty();
        });

        // then
        assertThat(prometheus.targets())
                .hasSize(4)
                .allSatisfy(target -> assertThat(target.path("health").asText())
                        .as(target.toString())
                        .isEqualTo("up"));
        assertThat(prometheus.query("attestream:stage_offset:max"))
                .extracting(series -> series.at("/metric/stage").asText())
                .containsExactlyInAnyOrder("accepted", "sequenced", "sealed", "archived", "signed", "published");
    }

    /** Else the test above could not fail. */
    @Test
    void aQueryOfAMetricThatIsNotThereHasNoData() {
        assertThat(hasData("sum by (stage) (attestream_never_exported)")).isFalse();
        assertThat(hasData("up == 2")).isFalse();
        assertThat(hasData("(up - up) / (up - up)")).as("only NaN").isFalse();
    }

    /** Their value is no number until there was a full window, a snapshot, a scrub: that they are exported is all there is to see. */
    private static final List<String> NOT_YET_A_NUMBER = List.of(
            "attestream_sequencer_dedup_window_seconds",
            "attestream_checkpointer_snapshot_age_seconds",
            "attestream_checkpointer_scrub_found",
            "attestream_processors_scrub_found");

    /** Of a quotient of nothing by nothing there is a series, too: its value is no number. */
    private static boolean hasData(String expression) {
        boolean mayBeNoNumber = NOT_YET_A_NUMBER.stream().anyMatch(expression::contains);
        for (JsonNode series : prometheus.query(expression)) {
            if (mayBeNoNumber || Double.isFinite(series.path("value").path(1).asDouble(Double.NaN))) {
                return true;
            }
        }
        return false;
    }

    /** With what Grafana would put in for its variables; by dashboard, panel and number of the query. */
    private static Map<String, String> queries() throws IOException {
        Map<String, String> queries = new TreeMap<>();
        try (Stream<Path> files = Files.list(Script.HOME.resolve("deploy/grafana/dashboards"))) {
            for (Path file : files.sorted().toList()) {
                JsonNode dashboard = new ObjectMapper().readTree(file.toFile());
                String name = file.getFileName() + " / ";
                dashboard.at("/templating/list").forEach(variable -> {
                    Matcher values =
                            LABEL_VALUES.matcher(variable.at("/query/query").asText());
                    if (values.matches()) {
                        queries.put(
                                name + "variable " + variable.path("name").asText(),
                                "count by (" + values.group(2) + ") (" + values.group(1) + ")");
                    }
                });
                dashboard
                        .path("panels")
                        .forEach(panel -> panel.path("targets")
                                .forEach(target -> queries.put(
                                        name + panel.path("title").asText() + " "
                                                + target.path("refId").asText(),
                                        substituted(target.path("expr").asText()))));
            }
        }
        return queries;
    }

    private static String substituted(String expression) {
        String substituted = expression
                .replace("$__rate_interval", "1m")
                .replace("$shard", ".*")
                .replace("$group", ".*");
        assertThat(substituted).as("a variable the test does not know").doesNotContain("$");
        return substituted;
    }
}
