// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** All samples of a run, their medians and ratios, as a table and as JSON. Not thread-safe. */
final class Report {
    /** Samples of a variant in round order, by figure and size, then by variant. */
    private final Map<String, Map<String, List<Double>>> samples = new LinkedHashMap<>();

    private final List<Row> rows = new ArrayList<>();
    private final Supplier<Map<String, Object>> environment;

    /**
     * A line of the table.
     *
     * @param against variant of the same figure, null for a line without a ratio
     * @param target ratio that must be reached, or the milliseconds that may be needed
     */
    private record Row(
            String figure, int payloadSizeBytes, String variant, String unit, String against, String target) {
        String key() {
            return figure + " " + payloadSizeBytes;
        }
    }

    /** @param environment is asked when the options are known */
    Report(Supplier<Map<String, Object>> environment) {
        this.environment = environment;
    }

    /** Declares a line; its order is that of the table. */
    void row(String figure, int payloadSizeBytes, String variant, String unit, String against, String target) {
        Row row = new Row(figure, payloadSizeBytes, variant, unit, against, target);
        if (!rows.contains(row)) {
            rows.add(row);
        }
    }

    void sample(String figure, int payloadSizeBytes, String variant, double value) {
        samples.computeIfAbsent(figure + " " + payloadSizeBytes, any -> new LinkedHashMap<>())
                .computeIfAbsent(variant, any -> new ArrayList<>())
                .add(value);
    }

    private List<Double> of(Row row, String variant) {
        return samples.getOrDefault(row.key(), Map.of()).getOrDefault(variant, List.of());
    }

    double median(String figure, int payloadSizeBytes, String variant) {
        return median(
                samples.getOrDefault(figure + " " + payloadSizeBytes, Map.of()).getOrDefault(variant, List.of()));
    }

    static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        int n = sorted.length;
        if (n == 0) {
            return Double.NaN;
        }
        return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    }

    /** Of each round its own ratio: what slows the machine down for a while slows both. */
    private List<Double> ratios(Row row) {
        List<Double> ours = of(row, row.variant());
        List<Double> theirs = of(row, row.against());
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < Math.min(ours.size(), theirs.size()); i++) {
            ratios.add(ours.get(i) / theirs.get(i));
        }
        return ratios;
    }

    List<String> table() {
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("figure", "payload", "variant", "median", "min", "max", "unit", "ratio", "against", "must"));
        for (Row row : rows) {
            List<Double> values = of(row, row.variant());
            if (values.isEmpty()) {
                continue;
            }
            boolean compared = !row.against().isEmpty();
            cells.add(List.of(
                    row.figure(),
                    Integer.toString(row.payloadSizeBytes()),
                    row.variant(),
                    number(median(values)),
                    number(values.stream().mapToDouble(v -> v).min().orElse(0)),
                    number(values.stream().mapToDouble(v -> v).max().orElse(0)),
                    row.unit(),
                    compared ? String.format(Locale.ROOT, "%.2f", median(ratios(row))) : "",
                    row.against(),
                    row.target()));
        }
        return aligned(cells);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%,.0f", value);
    }

    private static List<String> aligned(List<List<String>> cells) {
        int[] widths = new int[cells.get(0).size()];
        cells.forEach(row -> {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        });
        return cells.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String pad = " ".repeat(widths[i] - row.get(i).length());
            boolean right = row.get(i).matches("[0-9][0-9.,]*");
            line.append(right ? pad + row.get(i) : row.get(i) + pad).append("  ");
        }
        return line.toString().stripTrailing();
    }

    void writeJson(Path file) throws IOException {
        List<Map<String, Object>> figures = new ArrayList<>();
        for (Row row : rows) {
            List<Double> values = of(row, row.variant());
            if (values.isEmpty()) {
                continue;
            }
            Map<String, Object> figure = new LinkedHashMap<>();
            figure.put("figure", row.figure());
            figure.put("payloadSizeBytes", row.payloadSizeBytes());
            figure.put("variant", row.variant());
            figure.put("unit", row.unit());
            figure.put("median", median(values));
            figure.put("samples", values);
            if (!row.against().isEmpty()) {
                figure.put("against", row.against());
                figure.put("ratio", median(ratios(row)));
                figure.put("ratios", ratios(row));
            }
            figure.put("target", row.target());
            figures.add(figure);
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("environment", environment.get());
        all.put("figures", figures);
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), all);
    }
}
