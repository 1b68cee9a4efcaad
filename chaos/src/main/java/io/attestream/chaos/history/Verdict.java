// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What a history shows.
 *
 * @param anomalies those that were found, by kind
 */
public record Verdict(Map<AnomalyKind, Anomalies> anomalies, Statistics statistics) {
    /** Examples of a kind that are told. */
    public static final int EXAMPLES_MAX = 8;

    /**
     * All of one kind.
     *
     * @param count at least 1
     * @param examples the first of them in words, with the numbers of the operations; at most {@value #EXAMPLES_MAX}
     */
    public record Anomalies(long count, List<String> examples) {
        public Anomalies {
            examples = List.copyOf(examples);
        }
    }

    /**
     * What there was to judge.
     *
     * @param operations that began
     * @param ok that were answered
     * @param fail that were refused
     * @param info of which nobody knows, those that never ended too
     * @param acknowledged appends
     * @param toldLost acknowledged appends that the ledger itself says were lost with a topic that was replaced
     * @param unjudged acknowledged appends that ended when the read of the tree had begun: they need not be in it
     * @param leaves of the tree, control leaves too
     * @param worstPublicationMillis the longest time from an acknowledgement to the first read of its receipt that had a leaf; empty if
     *     no receipt was read
     * @param isTorn whether the file ends with half a line
     */
    public record Statistics(
            long operations,
            long ok,
            long fail,
            long info,
            long acknowledged,
            long toldLost,
            long unjudged,
            long leaves,
            OptionalLong worstPublicationMillis,
            boolean isTorn) {}

    public Verdict {
        anomalies = anomalies.isEmpty() ? Map.of() : Collections.unmodifiableMap(new EnumMap<>(anomalies));
    }

    /** Whether nothing was found. */
    public boolean isValid() {
        return anomalies.isEmpty();
    }

    /** One line: what was looked at, or what was found first. */
    public String summary() {
        if (isValid()) {
            return statistics.operations() + " operations (" + statistics.ok() + " ok, " + statistics.fail() + " fail, "
                    + statistics.info() + " info), " + statistics.leaves() + " leaves"
                    + (statistics.unjudged() == 0
                            ? ""
                            : ", " + statistics.unjudged() + " acknowledged too late to be judged");
        }
        StringBuilder text = new StringBuilder();
        anomalies.forEach((kind, found) -> text.append(text.isEmpty() ? "" : "; ")
                .append(found.count())
                .append(' ')
                .append(kind.word())
                .append(", first: ")
                .append(found.examples().get(0)));
        return text.toString();
    }
}
