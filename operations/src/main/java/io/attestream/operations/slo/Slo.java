// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

/**
 * One objective.
 *
 * @param name as it stands in label {@code slo}
 * @param displayName for people
 * @param target ratio of what must be good, above 0; 1 is a budget of zero: any occurrence pages at once
 * @param windowDays over which the target holds
 */
public record Slo(
        String name,
        String displayName,
        String description,
        String service,
        Indicator indicator,
        double target,
        int windowDays) {

    /** What is measured, in PromQL. */
    public sealed interface Indicator {
        /**
         * Occurrences, counted.
         *
         * @param selector of counters of either, as a vector selector
         * @param total counters of all that are valid, as a vector selector; or those that are good, if {@code totalIsGood}
         */
        record Ratio(Count counted, String selector, String total, boolean totalIsGood) implements Indicator {
            /** Which of them the first selector counts. */
            public enum Count {
                GOOD,
                BAD
            }
        }

        /**
         * Slices of time, each good or bad.
         *
         * @param query its largest value
         * @param max up to which a slice is good
         */
        record Slices(String query, double max) implements Indicator {}

        /** @param query counts what must never happen */
        record Never(String query) implements Indicator {}
    }

    /** What may be bad, as a ratio. */
    public double budget() {
        return 1 - target;
    }
}
