// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.util.List;

/** A running system that allows faults to be done to it. */
public interface ChaosTarget {
    /**
     * What {@link #inject} would do, in words; touches nothing.
     *
     * @throws ChaosRefused if it would not do it
     * @throws ChaosSkipped if it cannot be done here
     */
    List<String> plan(Verb verb, String service, Parameters parameters);

    /**
     * Does it. It is undone by {@link Injection#close}, when this process ends in whatever way but SIGKILL, after
     * {@link Injection#LIMIT}, and by {@link Injection#heal} after SIGKILL.
     *
     * @throws ChaosRefused if it is not allowed, makes no sense, or another fault is not undone yet; nothing was touched
     * @throws ChaosSkipped if it cannot be done here; nothing was touched
     * @throws IllegalStateException if it failed; what was done of it is undone
     */
    Injection inject(Verb verb, String service, Parameters parameters);
}
