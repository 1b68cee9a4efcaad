// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.dashboards;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.attestream.operations.slo.PromQl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The dashboards, looked at without Grafana; an integration test has Prometheus answer their queries. */
class DashboardsTest {
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
    private static final Path GRAFANA = HOME.resolve("deploy/grafana");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern METRIC = Pattern.compile("(?m)^\\| `([a-z0-9_]+)` \\| ([a-z]+) \\|");

    static List<Path> dashboards() throws IOException {
        try (Stream<Path> files = Files.list(GRAFANA.resolve("dashboards"))) {
            List<Path> all = files.sorted().toList();
            assertThat(all).hasSize(4);
            return all;
        }
    }

    /** What a running stack exports, as docs/metrics.md has it, what rules record, and what Prometheus knows of itself. */
    private static Set<String> knownMetrics() throws IOException {
        Set<String> names = new TreeSet<>(Set.of("up", "ALERTS"));
        METRIC.matcher(Files.readString(HOME.resolve("docs/metrics.md")))
                .results()
                .forEach(metric -> {
                    names.add(metric.group(1));
                    if (Set.of("histogram", "summary").contains(metric.group(2))) {
                        names.add(metric.group(1) + "_bucket");
                        names.add(metric.group(1) + "_count");
                        names.add(metric.group(1) + "_sum");
                    }
                });
        try (Stream<Path> files = Files.list(HOME.resolve("deploy/prometheus/rules"))) {
            for (Path file : files.toList()) {
                names.addAll(new YAMLMapper().readTree(file.toFile()).findValuesAsText("record"));
            }
        }
        return names;
    }

    private static List<String> problems(JsonNode dashboard) throws IOException {
        return DashboardCheck.problems(dashboard, HOME, knownMetrics());
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    void aDashboardHasAllThatItNeeds(Path file) throws Exception {
        assertThat(problems(JSON.readTree(file.toFile()))).isEmpty();
    }

    @Test
    void eachHasAUidAndATitleOfItsOwn() throws Exception {
        Set<String> uids = new TreeSet<>();
        Set<String> titles = new TreeSet<>();
        for (Path file : dashboards()) {
            JsonNode dashboard = JSON.readTree(file.toFile());
            assertThat(uids.add(dashboard.path("uid").asText()))
                    .as(file.toString())
                    .isTrue();
            assertThat(titles.add(dashboard.path("title").asText()))
                    .as(file.toString())
                    .isTrue();
        }
    }

    @Test
    void grafanaIsGivenOneDataSourceAndTheDashboardsAsFilesNobodyEdits() throws Exception {
        JsonNode sources = new YAMLMapper()
                .readTree(GRAFANA.resolve("provisioning/datasources/prometheus.yaml")
                        .toFile());
        JsonNode providers = new YAMLMapper()
                .readTree(GRAFANA.resolve("provisioning/dashboards/attestream.yaml")
                        .toFile());
        JsonNode prometheus = new YAMLMapper()
                .readTree(HOME.resolve("deploy/prometheus/prometheus.yaml").toFile());
        assertThat(sources.path("datasources")).hasSize(1);
        assertThat(sources.at("/datasources/0/isDefault").asBoolean()).isTrue();
        assertThat(sources.at("/datasources/0/jsonData/timeInterval"))
                .isEqualTo(prometheus.at("/global/scrape_interval"));
        assertThat(providers.path("providers")).hasSize(1);
        assertThat(providers.at("/providers/0/type").asText()).isEqualTo("file");
        assertThat(providers.at("/providers/0/allowUiUpdates").asBoolean(true)).isFalse();
    }

    private static Arguments spoilt(String problem, Consumer<ObjectNode> spoil) {
        return Arguments.of(problem, spoil);
    }

    private static ObjectNode panel(ObjectNode dashboard) {
        return (ObjectNode) dashboard.at("/panels/1");
    }

    private static ObjectNode position(ObjectNode dashboard, int panel) {
        return (ObjectNode) dashboard.at("/panels/" + panel + "/gridPos");
    }

    private static void query(ObjectNode dashboard, String expression) {
        ((ObjectNode) dashboard.at("/panels/1/targets/0")).put("expr", expression);
    }

    static Stream<Arguments> spoilt() {
        return Stream.of(
                spoilt("uid is not", dashboard -> dashboard.put("uid", "x7Zk")),
                spoilt("one Grafana", dashboard -> dashboard.put("id", 7)),
                spoilt("no title", dashboard -> dashboard.remove("title")),
                spoilt("schemaVersion", dashboard -> dashboard.put("schemaVersion", 16)),
                spoilt("editable", dashboard -> dashboard.remove("editable")),
                spoilt("data source", dashboard -> ((ArrayNode) dashboard.at("/templating/list")).remove(0)),
                spoilt("no panels", dashboard -> dashboard.putArray("panels")),
                spoilt("there twice", dashboard -> panel(dashboard).put("id", 1)),
                spoilt("has no title", dashboard -> panel(dashboard).put("title", " ")),
                spoilt("has no description", dashboard -> panel(dashboard).remove("description")),
                spoilt(
                        "has no unit",
                        dashboard -> ((ObjectNode) dashboard.at("/panels/1/fieldConfig/defaults")).remove("unit")),
                spoilt(
                        "bound to one data source",
                        dashboard -> panel(dashboard).putObject("datasource").put("uid", "prometheus")),
                spoilt(
                        "queries one data source",
                        dashboard -> ((ObjectNode) dashboard.at("/panels/1/targets/0")).remove("datasource")),
                spoilt("has no query", dashboard -> panel(dashboard).putArray("targets")),
                spoilt("empty query", dashboard -> query(dashboard, "")),
                spoilt("has no runbook", dashboard -> panel(dashboard).remove("links")),
                spoilt(
                        "is no runbook",
                        dashboard -> ((ObjectNode) dashboard.at("/panels/1/links/0"))
                                .put("url", "https://github.com/attestream/attestream/blob/main/runbooks/Gone.md")),
                spoilt(
                        "overlaps",
                        dashboard -> position(dashboard, 2)
                                .put("y", position(dashboard, 1).path("y").asInt())
                                .put("x", 0)),
                spoilt("24 columns", dashboard -> position(dashboard, 1).put("w", 25)),
                spoilt("no height", dashboard -> position(dashboard, 1).remove("h")),
                spoilt("fixed 5m", dashboard -> query(dashboard, "sum(rate(attestream_canary_seconds_count[5m]))")),
                spoilt("[attestream_canaries_total]", dashboard -> query(dashboard, "attestream_canaries_total")),
                spoilt("[slo:budget:left]", dashboard -> query(dashboard, "1 - slo:budget:left{slo=\"canary\"}")),
                spoilt(
                        "[jvm_memory_used_bytes]",
                        dashboard -> query(dashboard, "sum by (area) (jvm_memory_used_bytes)")));
    }

    /** Else the test above could not fail. */
    @ParameterizedTest
    @MethodSource("spoilt")
    void whatIsMissingIsSeen(String problem, Consumer<ObjectNode> spoil) throws Exception {
        // given
        ObjectNode dashboard = (ObjectNode)
                JSON.readTree(GRAFANA.resolve("dashboards/objectives.json").toFile());

        // when
        spoil.accept(dashboard);

        // then
        assertThat(problems(dashboard)).anyMatch(found -> found.contains(problem));
    }

    @Test
    void metricsOfAnExpressionAreFoundAndNothingElse() {
        assertThat(PromQl.metrics(
                        "histogram_quantile(0.95, sum by (le, area) (rate(a_bucket{x=\"y_z\", b!~\"c\"}[5m])))"
                                + " / on (slo) group_left (team) max without (pod) (clamp_min(b:c:d, 1e9)) or vector(0)"
                                + " unless up{job=\"j\"} offset 5m > bool 3"))
                .containsExactly("a_bucket", "b:c:d", "up");
        assertThat(PromQl.metrics("sum(increase({__name__=~\"first|second\", kind=\"\"}[1h]))"))
                .containsExactly("first", "second");
    }
}
