// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import java.util.List;
import java.util.Optional;

/**
 * Every check made, and every check that could not be made.
 *
 * @param checks in the order of the chain from the event to the signature
 */
public record BundleReport(List<Check> checks) {
    /** What became of a check. */
    public enum Outcome {
        PASSED,
        FAILED,
        /** Something it needs is not at hand; it says what. */
        NOT_MADE
    }

    /**
     * @param name stable, for programs
     * @param detail for people: what was compared, or why not. Made fit for a terminal, as some of it comes from the bundle
     */
    public record Check(String name, Outcome outcome, String detail) {
        private static final int MAX_DETAIL_LENGTH = 2000;

        public Check {
            String head = detail.length() > MAX_DETAIL_LENGTH ? detail.substring(0, MAX_DETAIL_LENGTH) + "…" : detail;
            detail = head.replaceAll("[\\p{Cc}\\p{Cf}\\p{Cs}\\u2028\\u2029]", "?");
        }
    }

    public BundleReport {
        checks = List.copyOf(checks);
    }

    /** Whether the event is proved: nothing failed, and only the witnesses' check may be missing. */
    public boolean ok() {
        return checks.stream()
                .allMatch(check -> check.outcome() == Outcome.PASSED
                        || (check.outcome() == Outcome.NOT_MADE
                                && check.name().equals(BundleVerifier.WITNESS_COSIGNATURES)));
    }

    /**
     * As {@link #ok}, for who has just sent the event and asks the ledger itself: its epoch may have been published right before a newer
     * key was announced.
     */
    public boolean okUnlessSuperseded() {
        return withoutMissing(BundleVerifier.CURRENT_KEY).ok();
    }

    /** As {@link #ok}, for who knows that the payload was erased: of it nothing may be at hand to compare with. */
    public boolean okWithoutPayload() {
        return withoutMissing(BundleVerifier.PAYLOAD_DIGEST).ok();
    }

    private BundleReport withoutMissing(String name) {
        return new BundleReport(checks.stream()
                .filter(check ->
                        check.outcome() != Outcome.NOT_MADE || !check.name().equals(name))
                .toList());
    }

    /** The first check that failed. */
    public Optional<Check> firstFailure() {
        return checks.stream()
                .filter(check -> check.outcome() == Outcome.FAILED)
                .findFirst();
    }
}
