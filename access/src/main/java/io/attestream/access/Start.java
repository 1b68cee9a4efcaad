// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;

/** Whether a service may start with this environment. */
public sealed interface Start {
    /** The profile in which nothing may be relaxed. */
    String PRODUCTION = "production";

    /** The argument of a service that decides, says what it decided, and ends without opening anything. */
    String CHECK_ARGUMENT = "--check";

    /** This, or a refusal that has these reasons too if there are any. */
    default Start and(List<String> moreReasons) {
        List<String> reasons = new ArrayList<>(this instanceof Refuse refuse ? refuse.reasons() : List.of());
        reasons.addAll(moreReasons);
        return reasons.isEmpty() ? this : new Refuse(reasons);
    }

    /**
     * This, or a refusal if settings for one machine were read in production, from whatever source.
     *
     * @param dev whether {@code attestream.dev} is true
     */
    default Start withDev(boolean dev) {
        boolean isRefused =
                dev && this instanceof Policy policy && policy.profile().equals(PRODUCTION);
        return isRefused
                ? and(
                        List.of(
                                "attestream.dev must be false in production: acknowledged events could be lost with one broker"))
                : this;
    }

    /**
     * @param settings what holds from now on
     * @param profile where this runs: {@code production}, {@code dev}, another word of the environment, or {@code none}
     * @param notes what an operator should know, for the log
     */
    record Policy(AuthSettings settings, String profile, List<String> notes) implements Start {
        public Policy {
            notes = List.copyOf(notes);
        }

        /** The policy in effect, a line each. */
        public List<String> lines() {
            List<String> lines = new ArrayList<>();
            lines.add("policy " + settings.policy().word() + ", profile " + profile);
            if (settings instanceof AuthSettings.Tokens tokens) {
                lines.add("keys " + tokens.jwksUrl() + ", issuer " + tokens.issuer());
                lines.add("audiences " + sorted(tokens.audiences()) + ", algorithms " + sorted(tokens.algorithms())
                        + ", types " + sorted(tokens.types()));
                lines.add("tenant claim " + tokens.tenantClaim() + ", clock skew "
                        + tokens.clockSkew().toSeconds() + " s, lifetime at most "
                        + tokens.maxTokenTtl().toSeconds() + " s, keys at most "
                        + tokens.maxStale().toSeconds() + " s old");
            }
            return lines;
        }

        /** Says what holds, and what an operator should know. */
        public void log(Logger log) {
            lines().forEach(line -> log.info("access: {}", line));
            notes.forEach(log::warn);
        }

        private static String sorted(Set<String> words) {
            return String.join(" ", new TreeSet<>(words));
        }
    }

    /** @param reasons all of them at once, each naming the variable and what to do; at least one */
    record Refuse(List<String> reasons) implements Start {
        public Refuse {
            reasons = List.copyOf(reasons);
        }

        /** All reasons on one screen, for those who started it. */
        public String screen() {
            return "refusing to start, " + reasons.size() + (reasons.size() == 1 ? " reason:" : " reasons:")
                    + reasons.stream().map(reason -> "\n  - " + reason).collect(Collectors.joining());
        }
    }
}
