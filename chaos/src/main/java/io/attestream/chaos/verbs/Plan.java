// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.util.List;

/**
 * What is to be done, before anything is.
 *
 * @param steps in words, those that undo it last
 */
record Plan(List<String> steps, Injection.Action action) {
    Plan {
        steps = List.copyOf(steps);
    }
}
