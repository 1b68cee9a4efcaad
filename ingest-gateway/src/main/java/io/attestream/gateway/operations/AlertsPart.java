// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.slo.Runbooks;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Alerts that are pending or firing, those that page first. */
final class AlertsPart {
    static final int MAX_ALERTS = 50;

    /** Said elsewhere, or the same in all. */
    private static final Set<String> OTHER_LABELS = Set.of("alertname", "severity", "service");

    private AlertsPart() {}

    static Part of(PrometheusLook prometheus) {
        if (!prometheus.isKnown()) {
            return Part.unknown("alerts", prometheus.reason()).put("alerts", List.of());
        }
        Part part = new Part("alerts");
        List<PrometheusLook.Alert> alerts = prometheus.rules().stream()
                .flatMap(rule -> rule.alerts().stream())
                .sorted(Comparator.comparing(PrometheusLook.Alert::isFiring)
                        .thenComparing(AlertsPart::state)
                        .reversed()
                        .thenComparing(PrometheusLook.Alert::activeAt))
                .toList();
        part.put(
                "alerts",
                alerts.stream().limit(MAX_ALERTS).map(AlertsPart::json).toList());
        part.put("omitted", Math.max(0, alerts.size() - MAX_ALERTS));
        part.put("rules", prometheus.rules().size());
        findings(prometheus, part);
        return part;
    }

    private static void findings(PrometheusLook prometheus, Part part) {
        prometheus
                .firing()
                .limit(MAX_ALERTS)
                .forEach(alert -> part.found(
                        state(alert), Part.text(alert.label("alertname") + ": " + alert.annotation("summary"))));
        if (prometheus.rules().isEmpty()) {
            part.found(State.UNKNOWN, "Prometheus has no alerting rules: load deploy/prometheus/rules");
        }
        prometheus.rules().stream()
                .filter(rule -> !rule.error().isEmpty())
                .findFirst()
                .ifPresent(rule -> part.found(
                        State.UNKNOWN, Part.text("rule " + rule.name() + " does not work: " + rule.error())));
    }

    /** While it fires. */
    static State state(PrometheusLook.Alert alert) {
        return alert.label("severity").equals("page") ? State.CRITICAL : State.ATTENTION;
    }

    private static Map<String, Object> json(PrometheusLook.Alert alert) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", Part.text(alert.label("alertname")));
        json.put("severity", Part.text(alert.label("severity")));
        json.put("state", alert.isFiring() ? "firing" : "pending");
        json.put("since", Part.text(alert.activeAt()));
        json.put("summary", Part.text(alert.annotation("summary")));
        Map<String, String> labels = new TreeMap<>();
        alert.labels().forEach((name, value) -> {
            if (!OTHER_LABELS.contains(name)) {
                labels.put(Part.text(name), Part.text(value));
            }
        });
        json.put("labels", labels);
        runbook(alert.annotation("runbook_url")).ifPresent(link -> json.put("runbook", link));
        return json;
    }

    /** Our own copy if there is one; any other page only if it is on the web. */
    static Optional<String> runbook(String url) {
        String file = url.substring(url.lastIndexOf('/') + 1);
        if (file.endsWith(".md") && Runbooks.names().contains(file.substring(0, file.length() - 3))) {
            return Optional.of("/ops/runbooks/" + file);
        }
        try {
            String scheme = new URI(url).getScheme();
            return "https".equals(scheme) || "http".equals(scheme) ? Optional.of(url) : Optional.empty();
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }
}
