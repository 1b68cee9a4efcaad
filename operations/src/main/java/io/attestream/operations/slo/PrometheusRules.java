// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.attestream.operations.slo.Slo.Indicator;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Recording and alerting rules of objectives: multi-window, multi-burn-rate, as chapter 5 of Google's Site Reliability Workbook has
 * them for 30 days. Names of the recorded series are those of Sloth.
 */
public final class PrometheusRules {
    private static final YAMLMapper YAML = YAMLMapper.builder()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
            .disable(YAMLGenerator.Feature.SPLIT_LINES)
            .build();

    private static final List<String> WINDOWS = List.of("5m", "30m", "1h", "2h", "6h", "1d", "3d");
    /** So long after Prometheus began to look, what is missing may still come. */
    private static final String START = "10m";

    private static final String RUNBOOKS = "https://github.com/attestream/attestream/blob/main/runbooks/";

    private PrometheusRules() {}

    /**
     * How fast a budget may burn, over a long window and, so that an alert ends soon, over a short one.
     *
     * @param quiet so long after Prometheus began to look nobody is woken: over windows that are not filled yet, a few seconds of a
     *     start are a burning budget. Twice the short window, so that it has forgotten them; empty if it does not wake anybody
     */
    private record Burn(
            String severity, String speed, String factor, String shortWindow, String longWindow, String quiet) {}

    private static final List<Burn> BURNS = List.of(
            new Burn("page", "fast", "14.4", "5m", "1h", "10m"),
            new Burn("page", "slow", "6", "30m", "6h", "1h"),
            new Burn("ticket", "fast", "3", "2h", "1d", ""),
            new Burn("ticket", "slow", "1", "6h", "3d", ""));

    /** As a file of rules for Prometheus; the same objectives give the same text. */
    public static String yaml(List<Slo> slos) {
        List<Map<String, Object>> groups = new ArrayList<>();
        slos.forEach(slo -> groups.add(group(slo)));
        Map<String, Object> file = new LinkedHashMap<>();
        file.put("groups", groups);
        try {
            return "# SPDX-License-Identifier: Apache-2.0\n"
                    + "# Made of runbooks/slo by SloRulesTest; do not edit.\n"
                    + YAML.writeValueAsString(file);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("rules are text and numbers", e);
        }
    }

    private static Map<String, Object> group(Slo slo) {
        List<Map<String, Object>> rules = new ArrayList<>();
        if (slo.indicator() instanceof Indicator.Never never) {
            rules.add(never(slo, never));
        } else {
            if (slo.indicator() instanceof Indicator.Slices slices) {
                rules.add(record("slo:good_slice:bool", goodSlice(slo, slices), labels(slo)));
            }
            WINDOWS.forEach(window ->
                    rules.add(record("slo:sli_error:ratio_rate" + window, errorRatio(slo, window), labels(slo))));
            rules.addAll(budget(slo));
            BURNS.forEach(burn -> rules.add(burning(slo, burn)));
        }
        Map<String, Object> group = new LinkedHashMap<>();
        group.put("name", "slo-" + slo.name());
        group.put("rules", rules);
        return group;
    }

    /** What nobody measures is not good; but while everything is started there is nothing to measure yet. */
    private static String goodSlice(Slo slo, Indicator.Slices slices) {
        return "(max(" + slices.query() + ") <= bool " + plain(slices.max())
                + ") or on () (0 * slo:objective:ratio{slo=\"" + slo.name() + "\"} offset " + START + ")";
    }

    private static String errorRatio(Slo slo, String window) {
        if (slo.indicator() instanceof Indicator.Ratio ratio) {
            String counted = rate(ratio.selector(), window);
            String total = rate(ratio.total(), window);
            String valid = ratio.totalIsGood() ? "(" + counted + " + " + total + ")" : total;
            // Without traffic there is no ratio, and not a division by zero.
            String share = counted + " / (" + valid + " > 0)";
            return ratio.counted() == Indicator.Ratio.Count.GOOD ? "1 - " + share : share;
        }
        return "1 - avg_over_time(slo:good_slice:bool{slo=\"" + slo.name() + "\"}[" + window + "])";
    }

    private static String rate(String selector, String window) {
        return "sum(rate(" + selector + "[" + window + "]))";
    }

    private static List<Map<String, Object>> budget(Slo slo) {
        String of = "{slo=\"" + slo.name() + "\"}";
        String period = slo.windowDays() + "d";
        return List.of(
                record("slo:objective:ratio", "vector(" + plain(slo.target()) + ")", labels(slo)),
                record("slo:error_budget:ratio", "vector(" + plain(slo.budget()) + ")", labels(slo)),
                record("slo:time_period:days", "vector(" + slo.windowDays() + ")", labels(slo)),
                record(
                        "slo:current_burn_rate:ratio",
                        "slo:sli_error:ratio_rate5m" + of + " / " + plain(slo.budget()),
                        labels(slo)),
                record(
                        "slo:period_burn_rate:ratio",
                        "avg_over_time(slo:sli_error:ratio_rate5m" + of + "[" + period + "]) / " + plain(slo.budget()),
                        labels(slo)),
                record("slo:period_error_budget_remaining:ratio", "1 - slo:period_burn_rate:ratio" + of, labels(slo)));
    }

    private static Map<String, Object> burning(Slo slo, Burn burn) {
        String max = "(" + burn.factor() + " * " + plain(slo.budget()) + ")";
        String of = "{slo=\"" + slo.name() + "\"}";
        String name = burn.severity().equals("page") ? "SLOErrorBudgetBurnCritical" : "SLOErrorBudgetBurnWarning";
        Map<String, Object> labels = labels(slo);
        labels.put("severity", burn.severity());
        labels.put("burn", burn.speed());
        return alert(
                name,
                "slo:sli_error:ratio_rate" + burn.shortWindow() + of + " > " + max + " and slo:sli_error:ratio_rate"
                        + burn.longWindow() + of + " > " + max
                        + (burn.quiet().isEmpty()
                                ? ""
                                : " and on (slo) slo:objective:ratio" + of + " offset " + burn.quiet()),
                labels,
                slo.displayName() + ": the error budget burns " + burn.factor() + " times as fast as it may",
                slo.description());
    }

    private static Map<String, Object> never(Slo slo, Indicator.Never never) {
        Map<String, Object> labels = labels(slo);
        labels.put("severity", "page");
        return alert(
                "SLOIntegrityViolated",
                "sum(increase(" + never.query() + "[10m])) > 0",
                labels,
                slo.displayName() + ": what must never happen did",
                slo.description());
    }

    private static Map<String, Object> alert(
            String name, String expression, Map<String, Object> labels, String summary, String description) {
        Map<String, Object> rule = new LinkedHashMap<>();
        rule.put("alert", name);
        rule.put("expr", expression);
        rule.put("labels", labels);
        Map<String, Object> annotations = new LinkedHashMap<>();
        annotations.put("summary", summary);
        annotations.put("description", description);
        annotations.put("runbook_url", RUNBOOKS + name + ".md");
        rule.put("annotations", annotations);
        return rule;
    }

    private static Map<String, Object> record(String name, String expression, Map<String, Object> labels) {
        Map<String, Object> rule = new LinkedHashMap<>();
        rule.put("record", name);
        rule.put("expr", expression);
        rule.put("labels", labels);
        return rule;
    }

    private static Map<String, Object> labels(Slo slo) {
        Map<String, Object> labels = new LinkedHashMap<>();
        labels.put("service", slo.service());
        labels.put("slo", slo.name());
        return labels;
    }

    /** 0.001, not 0.0010000000000000009. */
    private static String plain(double value) {
        return BigDecimal.valueOf(Math.round(value * 1e9), 9)
                .stripTrailingZeros()
                .toPlainString();
    }
}
