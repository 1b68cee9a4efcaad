// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Properties of libraries that would relax what is verified, or that look as if they configured it and are read by nobody. Names are
 * compared as variables are called, so that either spelling is found.
 */
final class Relaxed {
    private record Rule(String pattern, Predicate<String> relaxes, String holds) {}

    private static final Predicate<String> ALWAYS = value -> true;
    private static final Predicate<String> UNLESS_FALSE = value -> !value.equals("false");
    private static final Predicate<String> UNLESS_TRUE = value -> !value.equals("true");

    private static final List<Rule> RULES = List.of(
            new Rule(
                    "MP_JWT_.*|SMALLRYE_JWT_.*",
                    ALWAYS,
                    "tokens are checked by JWKS_URL, JWT_ISSUER, JWT_AUDIENCE alone"),
            new Rule(
                    "QUARKUS_(OIDC|SMALLRYE_JWT)_.*",
                    ALWAYS,
                    "tokens are checked by JWKS_URL, JWT_ISSUER, JWT_AUDIENCE alone"),
            new Rule("QUARKUS_HTTP_AUTH_(BASIC|FORM_ENABLED)", UNLESS_FALSE, "bearer tokens are the only way in"),
            new Rule(
                    "QUARKUS_HTTP_AUTH_(PERMISSION|POLICY|ROLES_MAPPING)_.*",
                    ALWAYS,
                    "access is decided at each resource"),
            new Rule("QUARKUS_SECURITY_USERS_.*", ALWAYS, "there are no users but those of the issuer"),
            new Rule(
                    "QUARKUS_SECURITY_JAXRS_DENY_UNANNOTATED_ENDPOINTS|QUARKUS_SECURITY_AUTH_ENABLED_IN_DEV_MODE",
                    UNLESS_TRUE,
                    "routes without a declared access stay closed"),
            new Rule(".*TRUST_ALL(_CERTIFICATES)?", UNLESS_FALSE, "certificates are verified"),
            new Rule(
                    "JDK_INTERNAL_HTTPCLIENT_DISABLEHOSTNAMEVERIFICATION",
                    UNLESS_FALSE,
                    "the names in certificates are verified"));

    private Relaxed() {}

    /** A reason each; empty if there are none. */
    static List<String> reasons(Environment environment) {
        return environment.values().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .flatMap(Relaxed::reason)
                .toList();
    }

    private static Stream<String> reason(Map.Entry<String, String> set) {
        String name = Environment.variableName(set.getKey());
        String value = set.getValue().strip().toLowerCase(Locale.ROOT);
        return RULES.stream()
                .filter(rule -> name.matches(rule.pattern()) && rule.relaxes().test(value))
                .limit(1)
                .map(rule -> set.getKey() + " is refused: " + rule.holds() + "; unset it");
    }
}
