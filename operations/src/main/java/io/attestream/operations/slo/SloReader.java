// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.attestream.operations.slo.Slo.Indicator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads objectives as OpenSLO v1 has them (<a href="https://github.com/OpenSLO/OpenSLO">github.com/OpenSLO/OpenSLO</a>), as far as
 * rules can be made of them: inline indicators of metrics in Prometheus, one objective, one rolling window of days.
 */
public final class SloReader {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Pattern DAYS = Pattern.compile("([0-9]{1,3})d");
    private static final String SLICE = "15s";
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,62}");

    private final String file;

    private SloReader(String file) {
        this.file = file;
    }

    /**
     * All {@code .yaml} files of a directory, by name.
     *
     * @throws InvalidSlo if one is no objective, or two have one name
     */
    public static List<Slo> readAll(Path directory) throws IOException, InvalidSlo {
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
        List<Slo> slos = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Path file : files) {
            Slo slo = read(file.getFileName().toString(), Files.readString(file));
            if (!names.add(slo.name())) {
                throw new InvalidSlo(file.getFileName() + ": metadata.name " + slo.name() + " is another file's, too");
            }
            slos.add(slo);
        }
        if (slos.isEmpty()) {
            throw new InvalidSlo(directory + " has no file of an objective (*.yaml)");
        }
        return slos;
    }

    static Slo read(String file, String yaml) throws InvalidSlo {
        SloReader reader = new SloReader(file);
        try {
            return reader.read(YAML.readTree(yaml));
        } catch (JsonProcessingException e) {
            throw reader.wrong("file", "must be YAML: " + e.getOriginalMessage());
        }
    }

    private Slo read(JsonNode root) throws InvalidSlo {
        requireText(root, "apiVersion", "openslo/v1");
        requireText(root, "kind", "SLO");
        String name = text(root, "metadata.name");
        if (!NAME.matcher(name).matches()) {
            throw wrong("metadata.name", "must be a-z, 0-9 and -, is " + name);
        }
        JsonNode objective = only(root, "spec.objectives");
        double target = number(objective, "target", "spec.objectives[0].target");
        if (target <= 0 || target > 1) {
            throw wrong("spec.objectives[0].target", "must be above 0 and at most 1, is " + target);
        }
        Indicator indicator = indicator(root, objective);
        if ((target == 1) != (indicator instanceof Indicator.Never)) {
            throw wrong(
                    "spec.objectives[0].target",
                    "must be 1 of a rawMetric that counts what must never happen, and of nothing else");
        }
        return new Slo(
                name,
                text(root, "metadata.displayName"),
                text(root, "spec.description").strip(),
                text(root, "spec.service"),
                indicator,
                target,
                days(root));
    }

    private Indicator indicator(JsonNode root, JsonNode objective) throws InvalidSlo {
        JsonNode spec = at(root, "spec.indicator.spec");
        String method = text(root, "spec.budgetingMethod");
        if (spec.has("ratioMetric") && method.equals("Occurrences")) {
            return ratio(spec.path("ratioMetric"));
        }
        if (spec.has("thresholdMetric") && method.equals("Timeslices")) {
            requireText(objective, "op", "lte");
            requireSlices(objective);
            return new Indicator.Slices(
                    query(spec.path("thresholdMetric"), "thresholdMetric"),
                    number(objective, "value", "spec.objectives[0].value"));
        }
        if (spec.has("rawMetric") && method.equals("Occurrences")) {
            return new Indicator.Never(query(spec.path("rawMetric"), "rawMetric"));
        }
        throw wrong(
                "spec.indicator.spec",
                "must have a ratioMetric or a rawMetric with budgetingMethod Occurrences, or a thresholdMetric with"
                        + " Timeslices");
    }

    /** Rules look every so often, and a slice is what they see. */
    private void requireSlices(JsonNode objective) throws InvalidSlo {
        requireText(objective, "timeSliceWindow", SLICE);
        String path = "spec.objectives[0].timeSliceTarget";
        if (number(objective, "timeSliceTarget", path) != number(objective, "target", "spec.objectives[0].target")) {
            throw wrong(path, "must be the target");
        }
    }

    private Indicator ratio(JsonNode metric) throws InvalidSlo {
        if (!metric.path("counter").asBoolean()) {
            throw wrong("ratioMetric.counter", "must be true");
        }
        boolean good = metric.has("good");
        boolean bad = metric.has("bad");
        boolean total = metric.has("total");
        if ((good ? 1 : 0) + (bad ? 1 : 0) + (total ? 1 : 0) != 2) {
            throw wrong("ratioMetric", "must have two of good, bad and total");
        }
        if (good && bad) {
            return new Indicator.Ratio(
                    Indicator.Ratio.Count.BAD,
                    query(metric.path("bad"), "ratioMetric.bad"),
                    query(metric.path("good"), "ratioMetric.good"),
                    true);
        }
        return new Indicator.Ratio(
                good ? Indicator.Ratio.Count.GOOD : Indicator.Ratio.Count.BAD,
                query(metric.path(good ? "good" : "bad"), "ratioMetric"),
                query(metric.path("total"), "ratioMetric.total"),
                false);
    }

    private String query(JsonNode metric, String field) throws InvalidSlo {
        JsonNode source = metric.path("metricSource");
        if (!source.path("type").asText().equals("Prometheus")) {
            throw wrong(field + ".metricSource.type", "must be Prometheus");
        }
        String query = source.path("spec").path("query").asText().strip();
        if (query.isEmpty()) {
            throw wrong(field + ".metricSource.spec.query", "is missing");
        }
        Set<String> unknown = ExportedMetrics.unknown(query);
        if (!unknown.isEmpty()) {
            throw wrong(
                    field + ".metricSource.spec.query",
                    "names what no service exports: " + String.join(", ", unknown)
                            + "; docs/metrics.md has what there is");
        }
        return query.replaceAll("\\s*\n\\s*", " ");
    }

    private int days(JsonNode root) throws InvalidSlo {
        JsonNode window = only(root, "spec.timeWindow");
        Matcher days = DAYS.matcher(window.path("duration").asText());
        if (!days.matches() || !window.path("isRolling").asBoolean()) {
            throw wrong("spec.timeWindow", "must be one rolling window of days, as 30d");
        }
        return Integer.parseInt(days.group(1));
    }

    private JsonNode only(JsonNode root, String path) throws InvalidSlo {
        JsonNode list = at(root, path);
        if (!list.isArray() || list.size() != 1) {
            throw wrong(path, "must have one element");
        }
        return list.get(0);
    }

    private JsonNode at(JsonNode root, String path) throws InvalidSlo {
        JsonNode node = root;
        for (String part : path.split("\\.", -1)) {
            node = node.path(part);
        }
        if (node.isMissingNode()) {
            throw wrong(path, "is missing");
        }
        return node;
    }

    private String text(JsonNode root, String path) throws InvalidSlo {
        JsonNode node = at(root, path);
        if (!node.isTextual() || node.asText().isBlank()) {
            throw wrong(path, "must be a text");
        }
        return node.asText();
    }

    private void requireText(JsonNode root, String path, String expected) throws InvalidSlo {
        if (!text(root, path).equals(expected)) {
            throw wrong(path, "must be " + expected + ", is " + text(root, path));
        }
    }

    private double number(JsonNode node, String name, String path) throws InvalidSlo {
        if (!node.path(name).isNumber()) {
            throw wrong(path, "must be a number");
        }
        return node.path(name).asDouble();
    }

    private InvalidSlo wrong(String field, String reason) {
        return new InvalidSlo(file + ": " + field + " " + reason);
    }
}
