// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.access.Start;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Proves of an environment, before it goes live, that each service starts with it, under the policy that is expected, and that it does
 * not once one thing in it is wrong. Services are started for a check only: nothing is opened, whatever the outcome.
 */
final class DeployCheck {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int LINES_MAX = 8;
    private static final Pattern POLICY = Pattern.compile("policy (\\w+), profile (\\S+)");

    /** Where an environment is meant for. */
    enum Profile {
        STAGING,
        PROD
    }

    /**
     * What was looked at.
     *
     * @param expected what should come of it
     * @param observed what came of it
     */
    record Check(String service, String id, String expected, String observed, boolean passed) {}

    /**
     * One thing that goes wrong in an environment.
     *
     * @param set to other values
     * @param unset what is not there any more; empty for nothing
     * @param named what the refusal has to name
     */
    private record Mistake(String id, Map<String, String> set, String unset, String named) {
        static Mistake unset(String variable) {
            return new Mistake("without " + variable, Map.of(), variable, variable);
        }

        static Mistake set(String variable, String value) {
            return new Mistake(variable + "=" + value, Map.of(variable, value), "", variable);
        }

        Map<String, String> in(Map<String, String> environment) {
            Map<String, String> spoilt = new HashMap<>(environment);
            spoilt.putAll(set);
            spoilt.remove(unset);
            return spoilt;
        }
    }

    private static final List<Mistake> MISTAKES = List.of(
            Mistake.set("AUTH_POLICY", "dev"),
            Mistake.unset("JWKS_URL"),
            Mistake.unset("JWT_ISSUER"),
            Mistake.unset("JWT_AUDIENCE"),
            Mistake.set("JWKS_URL", "http://issuer.example/jwks"),
            Mistake.set("JWT_ISSUER", "https://quarkus.io/issuer"),
            Mistake.set("JWT_AUDIENCE", "*"),
            Mistake.set("JWT_ALLOWED_ALGS", "HS256"),
            Mistake.set("JWT_ALLOWED_ALGS", "none"),
            Mistake.set("JWT_CLOCK_SKEW_SECONDS", "86400"),
            Mistake.set("QUARKUS_TLS_TRUST_ALL", "true"),
            Mistake.set("SMALLRYE_JWT_VERIFY_RELAX_KEY_VALIDATION", "true"));

    private static final List<Mistake> MISTAKES_IN_PRODUCTION = List.of(
            Mistake.set("ATTESTREAM_DEV", "true"),
            Mistake.set("QUARKUS_PROFILE", "dev"),
            new Mistake(
                    "AUTH_POLICY=dev, ALLOW_INSECURE_DEV=true",
                    Map.of("AUTH_POLICY", "dev", "ALLOW_INSECURE_DEV", "true"),
                    "",
                    "AUTH_POLICY"));

    private final Profile profile;
    private final Output output;

    DeployCheck(Profile profile, Output output) {
        this.profile = profile;
        this.output = output;
    }

    /** All checks of a service, in order. */
    List<Check> run(ServiceProgram service, Map<String, String> environment) throws IOException, InterruptedException {
        List<Check> checks = new ArrayList<>();
        checks.addAll(starts(service, environment));
        List<Mistake> mistakes = new ArrayList<>(MISTAKES);
        if (profile == Profile.PROD) {
            mistakes.addAll(MISTAKES_IN_PRODUCTION);
        }
        if (service == ServiceProgram.CHECKPOINTER) {
            mistakes.add(new Mistake(
                    "no signing key at its place",
                    Map.of("ATTESTREAM_LEDGER_SIGNING_KEY_FILE", "/nonexistent/ledger.skey"),
                    "ATTESTREAM_LEDGER_SIGNING_KEY",
                    "signing-key"));
        }
        for (Mistake mistake : mistakes) {
            output.progress(service.word(), checks.size(), mistakes.size() + 2L);
            checks.add(refused(service, environment, mistake));
        }
        output.progress(service.word(), checks.size(), checks.size());
        return checks;
    }

    private List<Check> starts(ServiceProgram service, Map<String, String> environment)
            throws IOException, InterruptedException {
        ServiceProgram.Ended ended = service.run(environment, TIMEOUT, Start.CHECK_ARGUMENT);
        Matcher policy = POLICY.matcher(ended.output());
        boolean starts = ended.exitCode() == 0 && policy.find();
        String asked = environment.getOrDefault("AUTH_POLICY", "").strip().toLowerCase(Locale.ROOT);
        String expected = asked.isEmpty() ? "jwks_strict or jwks_rbac" : asked;
        String observed = starts ? "starts" : "exit code " + ended.exitCode() + ": " + said(ended.output());
        return List.of(
                new Check(service.word(), "as-it-is", "starts", observed, starts),
                new Check(
                        service.word(),
                        "policy",
                        expected + ", profile "
                                + (profile == Profile.PROD ? "production" : "neither production nor dev"),
                        starts ? policy.group() : "does not start",
                        starts && expected.contains(policy.group(1)) && isExpected(policy.group(1), policy.group(2))));
    }

    private boolean isExpected(String policy, String where) {
        boolean production = where.equals("production");
        boolean staging = !production && !where.equals("dev") && !where.equals("none");
        return policy.startsWith("jwks_") && (profile == Profile.PROD ? production : staging);
    }

    private Check refused(ServiceProgram service, Map<String, String> environment, Mistake mistake)
            throws IOException, InterruptedException {
        ServiceProgram.Ended ended = service.run(mistake.in(environment), TIMEOUT, Start.CHECK_ARGUMENT);
        boolean refused = ended.exitCode() == 1 && ended.output().contains(mistake.named());
        String observed = ended.exitCode() == 0
                ? "starts"
                : "exit code " + ended.exitCode() + ", names "
                        + (refused ? mistake.named() : "something else: " + said(ended.output()));
        return new Check(service.word(), mistake.id(), "exit code 1, names " + mistake.named(), observed, refused);
    }

    /** The reasons it gave; of one that gave none, its last lines. */
    private static String said(String text) {
        List<String> lines = text.strip().lines().toList();
        List<String> reasons = lines.stream()
                .filter(line -> line.contains("refusing to start") || line.startsWith("  - "))
                .toList();
        List<String> told = reasons.isEmpty() ? lines : reasons;
        return String.join(" | ", told.subList(Math.max(0, told.size() - LINES_MAX), told.size()));
    }
}
