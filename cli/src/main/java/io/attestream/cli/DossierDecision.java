// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * Whether to launch, and why: {@code decision.json}. Computed of files alone; who signs off is another matter.
 *
 * @param at the time it is a decision of
 * @param commit that was checked out
 * @param policy and {@code evidence}: the files, by which digest they are these and no others
 * @param reasons why it is not GO; empty if it is
 */
record DossierDecision(
        int v,
        Verdict decision,
        String at,
        String commit,
        Input policy,
        Input evidence,
        List<Reason> reasons,
        List<Criterion> criteria,
        List<Waiver> waivers) {
    static final String SCHEMA = "decision.schema.json";

    /** What it comes to. */
    enum Verdict {
        @JsonProperty("GO")
        GO("GO"),
        @JsonProperty("NO-GO")
        NO_GO("NO-GO"),
        @JsonProperty("GO-WITH-WAIVERS")
        GO_WITH_WAIVERS("GO-WITH-WAIVERS");

        private final String word;

        Verdict(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    /** What a criterion, or one line of it, comes to. */
    enum Outcome {
        @JsonProperty("passed")
        PASSED("passed"),
        @JsonProperty("failed")
        FAILED("failed"),
        @JsonProperty("waived")
        WAIVED("waived"),
        @JsonProperty("not-assessed")
        NOT_ASSESSED("not assessed");

        private final String words;

        Outcome(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    record Input(String path, String sha256) {}

    /**
     * @param criterion empty if it is of no single one
     * @param file empty if it is of none
     */
    record Reason(String criterion, String file, String what) {}

    /** @param blocks whether it is a reason for NO-GO */
    record Criterion(
            String id,
            String claim,
            String reference,
            Outcome outcome,
            boolean blocks,
            List<Line> lines,
            List<Evidence> evidence) {}

    /**
     * One thing that was looked at.
     *
     * @param file it was read from; empty if of many
     */
    record Line(String what, String file, String required, String observed, Outcome outcome) {
        Line {
            what = shown(what);
            required = shown(required);
            observed = shown(observed);
        }

        static Line of(String what, String file, String required, Object observed, boolean holds) {
            return new Line(what, file, required, String.valueOf(observed), holds ? Outcome.PASSED : Outcome.FAILED);
        }
    }

    /** @param problem empty if it verified: digest, schema, commit and time */
    record Evidence(
            String path, String sha256, long sizeBytes, String schema, String commit, String madeAt, String problem) {}

    /** @param problem why it counts for nothing; empty if it counts */
    record Waiver(
            String path,
            String sha256,
            String criterion,
            String owner,
            String reason,
            String expiresAt,
            String problem) {}

    /** Fit for a page: some of it comes out of files. */
    static String shown(String text) {
        String line = text.replaceAll("[\\p{Cc}\\p{Cf}\\p{Cs}\\u2028\\u2029]", "?");
        return line.length() > 400 ? line.substring(0, 400) + "…" : line;
    }
}
