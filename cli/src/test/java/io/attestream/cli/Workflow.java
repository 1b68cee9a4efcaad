// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A workflow of GitHub Actions, and what is wrong with it by the rules of docs/releases.md. */
record Workflow(String text, JsonNode root) {
    private static final ObjectMapper YAML = new ObjectMapper(YAMLFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build());

    /** By what nobody from outside gives a workflow both a token that writes and code of his own. */
    private static final Set<String> TRIGGERS =
            Set.of("push", "pull_request", "schedule", "workflow_dispatch", "workflow_call");

    private static final Pattern LOCAL = Pattern.compile("\\./[^@]+");
    private static final Pattern PINNED = Pattern.compile("[\\w.-]+/[\\w./-]+@[0-9a-f]{40}");
    private static final Pattern USES = Pattern.compile("\\s*(?:- )?uses:\\s*(\\S+)(.*)");
    private static final Pattern TESTS = Pattern.compile("-D(?:it\\.)?test=([\\w,]+)");

    static Workflow parse(String text) throws JsonProcessingException {
        return new Workflow(text, YAML.readTree(text));
    }

    Map<String, JsonNode> jobs() {
        Map<String, JsonNode> jobs = new TreeMap<>();
        root.path("jobs").fields().forEachRemaining(job -> jobs.put(job.getKey(), job.getValue()));
        return jobs;
    }

    /** What is wrong, each with where. */
    List<String> violations() {
        List<String> violations = new ArrayList<>();
        JsonNode permissions = root.path("permissions");
        if (!permissions.isObject() || !permissions.isEmpty()) {
            violations.add("permissions at the top must be {}");
        }
        if (root.path("concurrency").path("group").asText().isEmpty()) {
            violations.add("concurrency is missing");
        }
        triggers().stream()
                .filter(trigger -> !TRIGGERS.contains(trigger))
                .forEach(trigger -> violations.add("trigger " + trigger + " is not trusted"));
        if (triggers().isEmpty() || jobs().isEmpty()) {
            violations.add("triggers or jobs are missing");
        }
        jobs().forEach((id, job) -> job(id, job, violations));
        versions(violations);
        return violations;
    }

    Set<String> triggers() {
        JsonNode on = root.path("on");
        Set<String> triggers = new TreeSet<>();
        if (on.isTextual()) {
            triggers.add(on.asText());
        }
        on.fieldNames().forEachRemaining(triggers::add);
        if (on.isArray()) {
            on.forEach(trigger -> triggers.add(trigger.asText()));
        }
        return triggers;
    }

    private static void job(String id, JsonNode job, List<String> violations) {
        if (job.has("uses")) {
            // GitHub takes no timeout here: those of the called workflow's jobs hold.
            pinned(id, job.path("uses").asText(), violations);
            return;
        }
        if (!job.path("timeout-minutes").isInt()) {
            violations.add(id + " has no timeout-minutes");
        }
        if (!job.path("permissions").isObject()) {
            violations.add(id + " does not say its permissions");
        }
        if (job.toString().contains("secrets.") && !job.has("environment")) {
            violations.add(id + " has a secret and no environment that guards it");
        }
        for (JsonNode step : job.path("steps")) {
            step(id, step, violations);
        }
    }

    private static void step(String id, JsonNode step, List<String> violations) {
        String uses = step.path("uses").asText();
        if (step.has("uses")) {
            pinned(id, uses, violations);
        }
        if (step.path("run").asText().contains("${{")) {
            violations.add(id + " interpolates into run: give it to the step as env");
        }
        if (uses.startsWith("actions/checkout@")) {
            if (!step.at("/with/persist-credentials").isBoolean()
                    || step.at("/with/persist-credentials").asBoolean()) {
                violations.add(id + " checks out and keeps credentials");
            }
            if (step.path("with").has("ref")) {
                violations.add(id + " checks out another commit than that of the run");
            }
        }
    }

    private static void pinned(String id, String uses, List<String> violations) {
        if (!LOCAL.matcher(uses).matches() && !PINNED.matcher(uses).matches()) {
            violations.add(id + " uses " + uses + ", which is not pinned by a commit");
        }
    }

    private void versions(List<String> violations) {
        text.lines()
                .map(USES::matcher)
                .filter(line -> line.matches()
                        && PINNED.matcher(line.group(1)).matches()
                        && !line.group(2).matches(" # v\\d+(\\.\\d+)*"))
                .forEach(line -> violations.add(line.group(1) + " does not say which version that is"));
    }

    /**
     * Names under which the jobs report, as rulesets have to write them.
     *
     * @param called workflows of the repository by their path, as {@code ./.github/workflows/x.yml}
     */
    Set<String> contexts(Map<String, Workflow> called) {
        Set<String> contexts = new TreeSet<>();
        jobs().forEach((id, job) -> {
            for (String name : names(id, job)) {
                Workflow callee = called.get(job.path("uses").asText());
                if (callee == null) {
                    contexts.add(name);
                } else {
                    callee.contexts(called).forEach(inner -> contexts.add(name + " / " + inner));
                }
            }
        });
        return contexts;
    }

    private static List<String> names(String id, JsonNode job) {
        String name = job.path("name").asText(id);
        List<Map<String, String>> combinations = new ArrayList<>(List.of(new TreeMap<>()));
        List<String> order = new ArrayList<>();
        job.at("/strategy/matrix").fields().forEachRemaining(dimension -> {
            order.add(dimension.getKey());
            List<Map<String, String>> more = new ArrayList<>();
            for (Map<String, String> combination : combinations) {
                for (JsonNode value : dimension.getValue()) {
                    Map<String, String> extended = new TreeMap<>(combination);
                    extended.put(dimension.getKey(), value.asText());
                    more.add(extended);
                }
            }
            combinations.clear();
            combinations.addAll(more);
        });
        if (order.isEmpty()) {
            return List.of(name);
        }
        return combinations.stream()
                .map(combination -> name.contains("${{")
                        ? filled(name, combination)
                        : name + " ("
                                + String.join(
                                        ", ",
                                        order.stream().map(combination::get).toList()) + ")")
                .toList();
    }

    private static String filled(String name, Map<String, String> combination) {
        String filled = name;
        for (Map.Entry<String, String> value : combination.entrySet()) {
            filled = filled.replaceAll("\\$\\{\\{\\s*matrix\\." + value.getKey() + "\\s*}}", value.getValue());
        }
        return filled;
    }

    /** What keeps a job from running only after all gates passed. */
    List<String> ungated(String release, Set<String> gates) {
        List<String> violations = new ArrayList<>();
        JsonNode needs = jobs().getOrDefault(release, YAML.missingNode()).path("needs");
        Set<String> needed = new TreeSet<>();
        needs.forEach(need -> needed.add(need.asText()));
        for (String gate : gates) {
            JsonNode job = jobs().get(gate);
            if (job == null) {
                violations.add("there is no job " + gate);
            } else if (!needed.contains(gate)) {
                violations.add(release + " does not need " + gate);
            } else if (skips(job)) {
                violations.add(gate + " may be skipped, or fail without failing");
            }
        }
        if (skips(jobs().getOrDefault(release, YAML.missingNode()))) {
            violations.add(release + " may run without its gates");
        }
        return violations;
    }

    private static boolean skips(JsonNode job) {
        return job.has("if")
                || job.has("continue-on-error")
                || Stream.of(job.path("steps"))
                        .flatMap(steps -> Stream.iterate(0, i -> i < steps.size(), i -> i + 1)
                                .map(steps::get))
                        .anyMatch(step -> step.has("continue-on-error"));
    }

    /** Names of tests that are asked for by name, which a renaming would silently leave out. */
    Set<String> namedTests() {
        Set<String> tests = new TreeSet<>();
        TESTS.matcher(text)
                .results()
                .forEach(match -> tests.addAll(List.of(match.group(1).split(",", -1))));
        tests.remove("None");
        return tests;
    }
}
