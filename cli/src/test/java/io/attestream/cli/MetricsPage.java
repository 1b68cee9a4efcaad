// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** docs/metrics.md, made of what a running stack exports. */
final class MetricsPage {
    private static final Pattern HELP = Pattern.compile("# HELP ((?:attestream|kafka)_[a-z0-9_]+) (.*)");
    private static final Pattern TYPE = Pattern.compile("# TYPE ((?:attestream|kafka)_[a-z0-9_]+) ([a-z]+)");
    private static final Pattern SERIES = Pattern.compile("((?:attestream|kafka)_[a-z0-9_]+)\\{([^}]*)}.*");
    private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"");

    private MetricsPage() {}

    private static final class Metric {
        private String help = "";
        private String type = "";
        private final TreeSet<String> labels = new TreeSet<>();
    }

    /** @param scraped by service */
    static String of(Map<String, String> scraped) {
        StringBuilder page = new StringBuilder("""
                # Metrics

                What each service exports of its own, made by `OperationsIT` of a running stack. Gateways serve it at `/q/metrics` of the management port, beside what Quarkus, the JVM and HTTP export; the others at `/metrics`. Histograms have `_bucket`, `_count` and `_sum`. All values of a label are there from the start, so that the first of anything is seen as an increase. Of what Kafka's clients tell (`kafka_…`) a few are exported, none of them by task, store, topic or partition: `KafkaMeters` says which and why.
                """);
        scraped.forEach((service, text) -> {
            page.append("\n## ")
                    .append(service)
                    .append("\n\n| metric | type | labels | what |\n| --- | --- | --- | --- |\n");
            metrics(text)
                    .forEach((name, metric) -> page.append("| `")
                            .append(exported(name, metric))
                            .append("` | ")
                            .append(metric.type)
                            .append(" | ")
                            .append(String.join(", ", metric.labels))
                            .append(" | ")
                            .append(metric.help)
                            .append(" |\n"));
        });
        return page.toString();
    }

    /** Quarkus writes the name of a counter without its end. */
    private static String exported(String name, Metric metric) {
        return metric.type.equals("counter") && !name.endsWith("_total") ? name + "_total" : name;
    }

    private static TreeMap<String, Metric> metrics(String text) {
        TreeMap<String, Metric> metrics = new TreeMap<>();
        text.lines().forEach(line -> {
            Matcher help = HELP.matcher(line);
            Matcher type = TYPE.matcher(line);
            Matcher series = SERIES.matcher(line);
            if (help.matches()) {
                metrics.computeIfAbsent(help.group(1), any -> new Metric()).help =
                        help.group(2).strip();
            } else if (type.matches()) {
                metrics.computeIfAbsent(type.group(1), any -> new Metric()).type = type.group(2);
            } else if (series.matches()) {
                Metric metric = metrics.get(series.group(1));
                if (metric == null) {
                    metric = metrics.get(series.group(1).replaceFirst("_(bucket|count|sum|total)$", ""));
                }
                if (metric != null) {
                    Matcher label = LABEL.matcher(series.group(2));
                    while (label.find()) {
                        metric.labels.add(label.group(1));
                    }
                    metric.labels.remove("le");
                    metric.labels.remove("quantile");
                }
            }
        });
        return metrics;
    }
}
