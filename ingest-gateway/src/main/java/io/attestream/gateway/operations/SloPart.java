// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.slo.Slo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** Each objective with what is left of its budget and how fast that burns. */
final class SloPart {
    private final PrometheusLook prometheus;
    private final Part part = new Part("slos");
    private final List<String> withoutValue = new ArrayList<>();

    private SloPart(PrometheusLook prometheus) {
        this.prometheus = prometheus;
    }

    static Part of(List<Slo> objectives, PrometheusLook prometheus) {
        return new SloPart(prometheus).make(objectives);
    }

    private Part make(List<Slo> objectives) {
        part.put("objectives", objectives.stream().map(this::tile).toList());
        if (!prometheus.isKnown()) {
            part.found(State.UNKNOWN, prometheus.reason());
        } else if (!withoutValue.isEmpty()) {
            part.found(State.UNKNOWN, "no traffic, or nobody measures it: " + String.join(", ", withoutValue));
        }
        return part;
    }

    private Map<String, Object> tile(Slo slo) {
        Map<String, Object> tile = new LinkedHashMap<>();
        tile.put("name", slo.name());
        tile.put("displayName", slo.displayName());
        tile.put("objective", slo.target());
        tile.put("windowDays", slo.windowDays());
        State state = slo.indicator() instanceof Slo.Indicator.Never ? never(slo, tile) : budget(slo, tile);
        tile.put("state", state.worse(alerts(slo)).word());
        return tile;
    }

    private State never(Slo slo, Map<String, Object> tile) {
        Double occurrences = prometheus.occurrences().get(slo.name());
        tile.put(
                "occurrences",
                Part.number(occurrences == null ? OptionalDouble.empty() : OptionalDouble.of(occurrences)));
        if (occurrences == null || !Double.isFinite(occurrences)) {
            withoutValue.add(slo.name());
            return State.UNKNOWN;
        }
        if (occurrences > 0) {
            part.found(
                    State.ATTENTION,
                    slo.displayName() + ": what must never happen did within " + slo.windowDays() + " days");
            return State.ATTENTION;
        }
        return State.GOOD;
    }

    private State budget(Slo slo, Map<String, Object> tile) {
        OptionalDouble burn = largest("slo:current_burn_rate:ratio", slo);
        OptionalDouble left = smallest("slo:period_error_budget_remaining:ratio", slo);
        tile.put("burnRate", Part.number(burn));
        tile.put("budgetRemaining", Part.number(left));
        State state = State.GOOD;
        if (burn.isEmpty() || left.isEmpty()) {
            withoutValue.add(slo.name());
            state = State.UNKNOWN;
        }
        if (burn.orElse(0) > 1) {
            part.found(
                    State.ATTENTION,
                    String.format(
                            Locale.ROOT,
                            "%s: the budget burns %.1f times as fast as it may",
                            slo.displayName(),
                            burn.getAsDouble()));
            state = State.ATTENTION;
        }
        if (left.orElse(1) <= 0) {
            part.found(State.ATTENTION, slo.displayName() + ": the budget of " + slo.windowDays() + " days is spent");
            state = State.ATTENTION;
        }
        return state;
    }

    private OptionalDouble largest(String metric, Slo slo) {
        return prometheus
                .samples(metric)
                .filter(sample -> sample.label("slo").equals(slo.name()))
                .mapToDouble(PrometheusLook.Sample::value)
                .max();
    }

    private OptionalDouble smallest(String metric, Slo slo) {
        return prometheus
                .samples(metric)
                .filter(sample -> sample.label("slo").equals(slo.name()))
                .mapToDouble(PrometheusLook.Sample::value)
                .min();
    }

    private State alerts(Slo slo) {
        return prometheus
                .firing()
                .filter(alert -> alert.label("slo").equals(slo.name()))
                .map(AlertsPart::state)
                .reduce(State.GOOD, State::worse);
    }
}
