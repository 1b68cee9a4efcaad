// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.evidence;

import java.util.List;

/**
 * What the evidence directory says.
 *
 * @param runs newest first
 * @param problems what could not be read, and why, for people: nothing is known of it
 */
public record Evidence(List<LastRun> runs, List<String> problems) {
    public Evidence {
        runs = List.copyOf(runs);
        problems = List.copyOf(problems);
    }
}
