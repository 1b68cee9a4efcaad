// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.util.List;
import java.util.Map;

/** What came of a fault. One that was not done is never taken for one that was. */
public sealed interface ChaosResult {
    /** As in the output for programs. */
    String word();

    /**
     * It lasted as long as it was to, and was undone.
     *
     * @param details what is to be known of it
     * @param undone in words
     */
    record Done(Map<String, String> details, List<String> undone) implements ChaosResult {
        public Done {
            details = Map.copyOf(details);
            undone = List.copyOf(undone);
        }

        @Override
        public String word() {
            return "done";
        }
    }

    /** It cannot be done here: nothing was touched, nothing was tested. */
    record Skipped(String reason) implements ChaosResult {
        @Override
        public String word() {
            return "skipped";
        }
    }

    /** It was undone before its time. */
    record Aborted(String reason, List<String> undone) implements ChaosResult {
        public Aborted {
            undone = List.copyOf(undone);
        }

        @Override
        public String word() {
            return "aborted";
        }
    }

    /** It is not allowed, or makes no sense: nothing was touched. */
    record Refused(String reason, String next) implements ChaosResult {
        @Override
        public String word() {
            return "refused";
        }
    }
}
