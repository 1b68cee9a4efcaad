// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/** What drills of faults came to: as JSON, and as tables. */
final class FaultMatrix {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SURVIVED = "survived";

    private final JsonNode all;

    private FaultMatrix(JsonNode all) {
        this.all = all;
    }

    static FaultMatrix of(Map<String, Object> all) {
        return new FaultMatrix(JSON.valueToTree(all));
    }

    static FaultMatrix read(Path file) {
        try {
            return new FaultMatrix(JSON.readTree(Files.readString(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(file + " holds no results of faults", e);
        }
    }

    void write(Path file) {
        try {
            Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be written", e);
        }
    }

    static Map<String, Object> json(FaultDrill.Result result) {
        return Output.object(
                "fault",
                result.fault().word(),
                "untested",
                result.untested().orElse(""),
                SURVIVED,
                result.isSurvived(),
                "acknowledged",
                result.events(),
                "cells",
                result.cells().stream()
                        .map(cell -> Output.object(
                                "part",
                                cell.part(),
                                "moment",
                                cell.moment().word(),
                                "strikes",
                                cell.strikes(),
                                SURVIVED,
                                cell.survived(),
                                "hits",
                                cell.hits(),
                                "recoverMillis",
                                cell.recoverMillis(),
                                "seen",
                                cell.seen()))
                        .toList(),
                "checks",
                result.checks().stream()
                        .map(check -> Output.object(
                                "check", check.check().word(),
                                "outcome", check.outcome().word(),
                                "detail", check.detail()))
                        .toList());
    }

    String takenAt() {
        return all.path("takenAt").asText();
    }

    /** In the order in which they were done. */
    List<JsonNode> faults() {
        return list(all.path("faults"));
    }

    static List<JsonNode> list(JsonNode array) {
        List<JsonNode> list = new ArrayList<>();
        array.forEach(list::add);
        return list;
    }

    /** Every fault that could be done, at every moment. */
    boolean isSurvived() {
        return isTested()
                && faults().stream()
                        .allMatch(fault ->
                                isUntested(fault) || fault.path(SURVIVED).asBoolean());
    }

    /** Whether any fault was done at all. */
    boolean isTested() {
        return faults().stream().anyMatch(fault -> !isUntested(fault));
    }

    static boolean isUntested(JsonNode fault) {
        return !fault.path("untested").asText().isEmpty();
    }

    /** For people: one row a fault and part, one column a moment. */
    List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of("fault", "strikes"));
        head.addAll(FaultMoment.words());
        rows.add(head);
        for (JsonNode fault : faults()) {
            String word = fault.path("fault").asText();
            List<JsonNode> cells = list(fault.path("cells"));
            if (isUntested(fault)) {
                rows.add(row(word, "-", moment -> "not tested"));
            }
            cells.stream()
                    .map(cell -> cell.path("part").asText())
                    .distinct()
                    .forEach(part -> rows.add(row(word, part, moment -> describe(cells, part, moment))));
        }
        return rows;
    }

    private static List<String> row(String fault, String part, UnaryOperator<String> cell) {
        List<String> row = new ArrayList<>(List.of(fault, part));
        FaultMoment.words().forEach(moment -> row.add(cell.apply(moment)));
        return row;
    }

    private static String describe(List<JsonNode> cells, String part, String moment) {
        return cells.stream()
                .filter(cell -> cell.path("part").asText().equals(part)
                        && cell.path("moment").asText().equals(moment))
                .map(FaultMatrix::describe)
                .findFirst()
                .orElse("-");
    }

    private static String describe(JsonNode cell) {
        int strikes = cell.path("strikes").asInt();
        int survived = cell.path(SURVIVED).asInt();
        String counts = survived + "/" + strikes;
        if (survived < strikes) {
            return "NOT SURVIVED " + counts;
        }
        long slowestMillis = list(cell.path("recoverMillis")).stream()
                .mapToLong(JsonNode::asLong)
                .max()
                .orElse(0);
        int hits = cell.path("hits").asInt();
        return counts
                + (hits == 0 ? ", never at this moment, " : ", hit " + hits + ", ")
                + String.format(Locale.ROOT, "%.1f s", slowestMillis / 1e3);
    }
}
