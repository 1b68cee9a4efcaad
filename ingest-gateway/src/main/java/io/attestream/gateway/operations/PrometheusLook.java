// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What Prometheus answered at one time: all of it, or nothing.
 *
 * @param problem why it has nothing; {@code null} if it has
 * @param series newest values
 * @param occurrences of what must never happen, by objective
 * @param rules all alerting rules
 */
record PrometheusLook(
        @Nullable String problem, List<Sample> series, Map<String, Double> occurrences, List<Rule> rules) {

    /** @param labels with {@code __name__} */
    record Sample(Map<String, String> labels, double value) {
        String label(String name) {
            return labels.getOrDefault(name, "");
        }
    }

    /**
     * An alerting rule.
     *
     * @param error why it could not be evaluated; empty if it could
     * @param alerts pending and firing
     */
    record Rule(String name, String error, List<Alert> alerts) {}

    /** @param activeAt when it began, RFC 3339 */
    record Alert(Map<String, String> labels, Map<String, String> annotations, boolean isFiring, String activeAt) {
        String label(String name) {
            return labels.getOrDefault(name, "");
        }

        String annotation(String name) {
            return annotations.getOrDefault(name, "");
        }
    }

    PrometheusLook {
        series = List.copyOf(series);
        occurrences = Map.copyOf(occurrences);
        rules = List.copyOf(rules);
    }

    static PrometheusLook none(String problem) {
        return new PrometheusLook(problem, List.of(), Map.of(), List.of());
    }

    boolean isKnown() {
        return problem == null;
    }

    /** Why nothing is known. */
    String reason() {
        return Objects.requireNonNullElse(problem, "");
    }

    /** Of a metric; values that are no number do not count. */
    Stream<Sample> samples(String metric) {
        return series.stream()
                .filter(sample -> sample.label("__name__").equals(metric) && Double.isFinite(sample.value()));
    }

    OptionalDouble largest(String metric) {
        return samples(metric).mapToDouble(Sample::value).max();
    }

    OptionalDouble smallest(String metric) {
        return samples(metric).mapToDouble(Sample::value).min();
    }

    /** Of each shard the largest value any process has, added up. */
    OptionalDouble ofAllShards(String metric) {
        Map<String, Double> shards =
                samples(metric).collect(Collectors.toMap(sample -> sample.label("shard"), Sample::value, Math::max));
        DoubleStream values = shards.values().stream().mapToDouble(Double::doubleValue);
        return shards.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(values.sum());
    }

    Stream<Alert> firing() {
        return rules.stream().flatMap(rule -> rule.alerts().stream()).filter(Alert::isFiring);
    }
}
