// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.dashboards;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.operations.slo.PromQl;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** What is wrong with a dashboard, found without Grafana. */
final class DashboardCheck {
    private static final int COLUMNS = 24;
    private static final int SCHEMA_VERSION_MIN = 39;
    private static final String DATASOURCE = "${datasource}";
    private static final Pattern RUNBOOK =
            Pattern.compile("https://github.com/attestream/attestream/blob/main/(runbooks/[A-Za-z0-9]+\\.md)");
    private static final Pattern RATE = Pattern.compile("\\brate\\([^\\[\\]]*\\[([^\\]]*)]");

    private final Path home;
    private final Set<String> knownMetrics;
    private final List<String> problems = new ArrayList<>();

    private DashboardCheck(Path home, Set<String> knownMetrics) {
        this.home = home;
        this.knownMetrics = knownMetrics;
    }

    /**
     * One line a problem; empty if there is none.
     *
     * @param home of the repository
     * @param knownMetrics that are exported or recorded
     */
    static List<String> problems(JsonNode dashboard, Path home, Set<String> knownMetrics) {
        DashboardCheck check = new DashboardCheck(home, knownMetrics);
        check.dashboard(dashboard);
        return check.problems;
    }

    private void require(boolean condition, String problem) {
        if (!condition) {
            problems.add(problem);
        }
    }

    private static boolean isBlank(JsonNode node) {
        return node.asText("").isBlank();
    }

    private void dashboard(JsonNode dashboard) {
        require(dashboard.path("uid").asText().matches("attestream-[a-z]+"), "uid is not attestream-…");
        require(!dashboard.has("id"), "id is a number of one Grafana");
        require(!isBlank(dashboard.path("title")), "no title");
        require(dashboard.path("schemaVersion").asInt() >= SCHEMA_VERSION_MIN, "schemaVersion is too old");
        require(
                dashboard.path("editable").isBoolean()
                        && !dashboard.path("editable").asBoolean(),
                "editable");
        JsonNode variables = dashboard.at("/templating/list");
        require(
                variables.at("/0/name").asText().equals("datasource")
                        && variables.at("/0/type").asText().equals("datasource"),
                "the first variable is not the data source");
        List<JsonNode> panels = new ArrayList<>();
        dashboard.path("panels").forEach(panels::add);
        require(!panels.isEmpty(), "no panels");
        Set<Integer> ids = new HashSet<>();
        for (JsonNode panel : panels) {
            require(ids.add(panel.path("id").asInt(-1)), "panel id " + panel.path("id") + " is there twice");
            panel(panel);
        }
        requireNoOverlap(panels);
    }

    private void panel(JsonNode panel) {
        String title = "panel " + panel.path("title").asText(panel.path("id").asText());
        require(!isBlank(panel.path("title")), title + " has no title");
        if (panel.path("type").asText().equals("row")) {
            return;
        }
        require(!isBlank(panel.path("description")), title + " has no description");
        require(!isBlank(panel.at("/fieldConfig/defaults/unit")), title + " has no unit");
        require(panel.at("/datasource/uid").asText().equals(DATASOURCE), title + " is bound to one data source");
        require(!panel.path("targets").isEmpty(), title + " has no query");
        require(!panel.path("links").isEmpty(), title + " has no runbook");
        panel.path("links").forEach(link -> {
            var url = RUNBOOK.matcher(link.path("url").asText());
            require(
                    url.matches() && Files.exists(home.resolve(url.group(1))),
                    title + " links to " + link.path("url") + ", which is no runbook");
        });
        Set<String> refIds = new HashSet<>();
        panel.path("targets").forEach(target -> {
            require(refIds.add(target.path("refId").asText()), title + " has a refId twice");
            require(target.at("/datasource/uid").asText().equals(DATASOURCE), title + " queries one data source");
            query(title, target.path("expr").asText());
        });
    }

    private void query(String title, String expression) {
        require(!expression.isBlank(), title + " has an empty query");
        RATE.matcher(expression)
                .results()
                .forEach(rate -> require(
                        rate.group(1).equals("$__rate_interval"), title + " has a rate of a fixed " + rate.group(1)));
        Set<String> unknown = new TreeSet<>(PromQl.metrics(expression));
        unknown.removeAll(knownMetrics);
        require(unknown.isEmpty(), title + " queries what nobody exports: " + unknown);
    }

    private void requireNoOverlap(List<JsonNode> panels) {
        for (int i = 0; i < panels.size(); i++) {
            JsonNode own = panels.get(i).path("gridPos");
            String title = "panel " + panels.get(i).path("title").asText();
            require(
                    at(own, "x") >= 0 && at(own, "w") > 0 && at(own, "x") + at(own, "w") <= COLUMNS,
                    title + " is not within " + COLUMNS + " columns");
            require(at(own, "y") >= 0 && at(own, "h") > 0, title + " has no height");
            for (JsonNode other : panels.subList(0, i)) {
                require(
                        !overlap(own, other.path("gridPos")),
                        title + " overlaps " + other.path("title").asText());
            }
        }
    }

    private static boolean overlap(JsonNode a, JsonNode b) {
        return at(a, "x") < at(b, "x") + at(b, "w")
                && at(b, "x") < at(a, "x") + at(a, "w")
                && at(a, "y") < at(b, "y") + at(b, "h")
                && at(b, "y") < at(a, "y") + at(a, "h");
    }

    private static int at(JsonNode position, String side) {
        return position.path(side).asInt(-1);
    }
}
