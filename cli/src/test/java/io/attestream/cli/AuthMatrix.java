// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Every combination of what decides whether a service starts, and what design and documentation say of it, told here in other words than in
 * the code that decides.
 */
final class AuthMatrix {
    /** What a variable may be set to; the first is not set at all. */
    private static final List<Map<String, String>> POLICIES =
            choices("AUTH_POLICY", "dev", "jwks_strict", "jwks_rbac", "off");

    static final List<Map<String, String>> PROFILES = Stream.of(
                    choices("ENV", "dev", "staging", "prod", "production"),
                    choices("APP_ENV", "dev", "prod").subList(1, 3),
                    choices("ENVIRONMENT", "dev", "production").subList(1, 3),
                    choices("DEPLOY_ENV", "dev", "prod").subList(1, 3),
                    List.of(Map.of("ENV", "dev", "APP_ENV", "prod"), Map.of("ENV", "dev", "DEPLOY_ENV", "staging")))
            .flatMap(List::stream)
            .toList();

    private static final List<Map<String, String>> DEPLOYMENTS = choices("DEPLOYMENT", "production", "laptop");
    private static final List<Map<String, String>> INSECURE = choices("ALLOW_INSECURE_DEV", "true", "yes");
    private static final List<Map<String, String>> KEY_SETS = choices("JWKS_URL", "https://issuer.test/jwks");
    private static final List<Map<String, String>> ISSUERS = choices("JWT_ISSUER", "https://issuer.test");
    private static final List<Map<String, String>> AUDIENCES = choices("JWT_AUDIENCE", "attestream");

    static final List<List<Map<String, String>>> DIMENSIONS =
            List.of(POLICIES, PROFILES, DEPLOYMENTS, INSECURE, KEY_SETS, ISSUERS, AUDIENCES);

    private static final Set<String> PRODUCTION = Set.of("prod", "production");

    private AuthMatrix() {}

    /**
     * @param choices one of each dimension
     */
    record Row(List<Integer> choices) {
        Map<String, String> environment() {
            Map<String, String> environment = new HashMap<>();
            for (int i = 0; i < choices.size(); i++) {
                environment.putAll(DIMENSIONS.get(i).get(choices.get(i)));
            }
            return environment;
        }

        /** The policy in effect; empty if it must not start. */
        String expected() {
            Map<String, String> set = environment();
            String policy = set.getOrDefault("AUTH_POLICY", "");
            List<String> places = Stream.of("ENV", "APP_ENV", "ENVIRONMENT", "DEPLOY_ENV")
                    .map(set::get)
                    .filter(value -> value != null)
                    .toList();
            boolean production = places.stream().anyMatch(PRODUCTION::contains)
                    || PRODUCTION.contains(set.getOrDefault("DEPLOYMENT", ""));
            if (policy.equals("dev")) {
                boolean everywhereDev = !places.isEmpty() && places.stream().allMatch("dev"::equals);
                boolean allowed = everywhereDev
                        || set.getOrDefault("ALLOW_INSECURE_DEV", "").equals("true");
                return allowed && !production ? "dev" : "";
            }
            boolean complete = set.keySet().containsAll(Set.of("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"));
            return !complete ? "" : policy.equals("jwks_rbac") ? "jwks_rbac" : "jwks_strict";
        }

        /** The variables of which a refusal has to speak. */
        List<String> named() {
            Map<String, String> set = environment();
            return set.getOrDefault("AUTH_POLICY", "").equals("dev")
                    ? List.of("AUTH_POLICY=dev")
                    : Stream.of("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE")
                            .filter(name -> !set.containsKey(name))
                            .toList();
        }

        @Override
        public String toString() {
            return environment().toString();
        }
    }

    private static List<Map<String, String>> choices(String variable, String... values) {
        List<Map<String, String>> choices = new ArrayList<>(List.of(Map.of()));
        Stream.of(values).map(value -> Map.of(variable, value)).forEach(choices::add);
        return choices;
    }

    /** All of them. */
    static List<Row> all() {
        List<List<Integer>> rows = List.of(List.of());
        for (List<Map<String, String>> dimension : DIMENSIONS) {
            List<List<Integer>> longer = new ArrayList<>();
            for (List<Integer> row : rows) {
                for (int choice = 0; choice < dimension.size(); choice++) {
                    List<Integer> one = new ArrayList<>(row);
                    one.add(choice);
                    longer.add(one);
                }
            }
            rows = longer;
        }
        return rows.stream().map(Row::new).toList();
    }

    /** Rows among which every two choices of different dimensions meet; greedy, and always the same. */
    static List<Row> everyTwo() {
        List<Row> all = all();
        Set<List<Integer>> missing = new HashSet<>();
        all.forEach(row -> missing.addAll(pairs(row)));
        List<Row> chosen = new ArrayList<>();
        while (!missing.isEmpty()) {
            Row best = all.get(0);
            long covers = -1;
            for (Row row : all) {
                long here = pairs(row).stream().filter(missing::contains).count();
                if (here > covers) {
                    best = row;
                    covers = here;
                }
            }
            chosen.add(best);
            pairs(best).forEach(missing::remove);
        }
        return chosen;
    }

    private static List<List<Integer>> pairs(Row row) {
        List<List<Integer>> pairs = new ArrayList<>();
        for (int i = 0; i < row.choices().size(); i++) {
            for (int j = i + 1; j < row.choices().size(); j++) {
                pairs.add(List.of(i, row.choices().get(i), j, row.choices().get(j)));
            }
        }
        return pairs;
    }

    /** As a cell of a table. */
    static String words(Map<String, String> set) {
        return set.isEmpty()
                ? "–"
                : set.entrySet().stream()
                        .sorted(Map.Entry.<String, String>comparingByKey().reversed())
                        .map(entry -> "`" + entry.getKey() + "=" + entry.getValue() + "`")
                        .collect(Collectors.joining(" "));
    }

    static List<Map<String, String>> policies() {
        return POLICIES;
    }

    static List<Map<String, String>> deployments() {
        return DEPLOYMENTS;
    }

    static List<Map<String, String>> insecure() {
        return INSECURE;
    }
}
