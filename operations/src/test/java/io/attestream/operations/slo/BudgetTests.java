// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The tests of error budgets that ask of the same objectives, with the rules of these objectives only: three hours of
 * the rules of all objectives take fifteen seconds, and there are twenty such tests. A test that asks of anything else
 * than objectives by name has all rules.
 *
 * @param objectives the names asked for; empty for all of them
 * @param file what promtool runs
 * @param rules the rules that it reads
 */
record BudgetTests(Set<String> objectives, Path file, Path rules) {
    private static final Pattern CASE = Pattern.compile("(?m)^(?=  - name: )");
    private static final Pattern GROUP = Pattern.compile("(?m)^(?=- name: )");
    private static final Pattern EXPRESSION = Pattern.compile("(?m)^ +- expr: (.*)$");
    private static final Pattern OBJECTIVES = Pattern.compile("slo=~?\"([a-z|-]+)\"");

    static List<BudgetTests> byObjectives(Path prometheus, String tests, Path directory) throws IOException {
        String[] cases = CASE.split(Files.readString(prometheus.resolve("tests").resolve(tests)));
        String[] groups = GROUP.split(Files.readString(prometheus.resolve("rules/slo.yaml")));
        Map<String, List<String>> byObjectives = new TreeMap<>();
        for (String each : List.of(cases).subList(1, cases.length)) {
            byObjectives
                    .computeIfAbsent(String.join("|", objectives(each)), objectives -> new ArrayList<>())
                    .add(each);
        }
        List<BudgetTests> all = new ArrayList<>();
        for (Map.Entry<String, List<String>> same : byObjectives.entrySet()) {
            Set<String> objectives =
                    same.getKey().isEmpty() ? Set.of() : Set.of(same.getKey().split("[|]"));
            Path rules = directory.resolve("rules-" + all.size() + "-" + tests);
            Files.writeString(rules, groups[0] + groups(groups, objectives));
            Path file = directory.resolve("tests-" + all.size() + "-" + tests);
            Files.writeString(
                    file, cases[0].replace("../rules/slo.yaml", rules.toString()) + String.join("", same.getValue()));
            all.add(new BudgetTests(objectives, file, rules));
        }
        return all;
    }

    private static String groups(String[] groups, Set<String> objectives) {
        List<String> chosen = List.of(groups).subList(1, groups.length).stream()
                .filter(group -> objectives.isEmpty()
                        || objectives.contains(
                                group.lines().findFirst().orElseThrow().substring("- name: slo-".length())))
                .toList();
        if (chosen.size() < objectives.size()) {
            throw new IllegalArgumentException("no rules of one of " + objectives);
        }
        return chosen.stream().collect(Collectors.joining());
    }

    /** Empty unless every expression names its objectives. */
    private static Set<String> objectives(String test) {
        Set<String> names = new TreeSet<>();
        Matcher expression = EXPRESSION.matcher(test);
        while (expression.find()) {
            Matcher objectives = OBJECTIVES.matcher(expression.group(1));
            if (!objectives.find()) {
                return Set.of();
            }
            do {
                names.addAll(List.of(objectives.group(1).split("[|]")));
            } while (objectives.find());
        }
        return names;
    }
}
