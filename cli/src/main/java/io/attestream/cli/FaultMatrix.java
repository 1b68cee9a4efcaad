// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/** What drills of faults came to: as JSON, and as tables. */
final class FaultMatrix {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SURVIVED = "survived";
    private static final String TAKEN_AT = "takenAt";

    private final ObjectNode all;

    private FaultMatrix(ObjectNode all) {
        this.all = all;
    }

    static FaultMatrix of(Map<String, Object> all) {
        return new FaultMatrix(JSON.valueToTree(all));
    }

    /** Whether a file that is there holds results, to which others can be added. */
    static boolean isOne(Path file) {
        try {
            return JSON.readTree(Files.readString(file)).path("faults").isArray();
        } catch (IOException e) {
            return false;
        }
    }

    static FaultMatrix read(Path file) {
        try {
            return new FaultMatrix(JSON.readValue(Files.readString(file), ObjectNode.class));
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

    static Map<String, Object> json(FaultDrill.Result result, EvidenceOrigin origin) {
        Map<String, Object> json = Output.object(
                "fault",
                result.fault().word(),
                TAKEN_AT,
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
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
        origin.putInto(json);
        return json;
    }

    /** This one, and what another one has of faults that were not done here; in the order of {@link Fault}. */
    FaultMatrix keeping(FaultMatrix other) {
        Map<String, JsonNode> byFault = new HashMap<>();
        other.faults().forEach(fault -> byFault.put(fault.path("fault").asText(), fault));
        faults().forEach(fault -> byFault.put(fault.path("fault").asText(), fault));
        ObjectNode merged = all.deepCopy();
        ArrayNode faults = merged.putArray("faults");
        Fault.words().stream().filter(byFault::containsKey).map(byFault::get).forEach(faults::add);
        return new FaultMatrix(merged);
    }

    /** Of the oldest and the newest result: one day, or from one to another. */
    String days() {
        List<String> days = faults().stream()
                .filter(fault -> !isUntested(fault))
                .map(fault -> fault.path(TAKEN_AT).asText().substring(0, 10))
                .distinct()
                .sorted()
                .toList();
        return days.size() == 1 ? days.get(0) : days.get(0) + " to " + days.get(days.size() - 1);
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
