// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import java.util.List;

/** Whether the gateway may start with this environment. */
public sealed interface Start {
    /**
     * @param settings what holds from now on
     * @param notes what an operator should know, for the log
     */
    record Policy(AuthSettings settings, List<String> notes) implements Start {
        public Policy {
            notes = List.copyOf(notes);
        }
    }

    /** @param reasons all of them at once, each naming the variable and what to do; at least one */
    record Refuse(List<String> reasons) implements Start {
        public Refuse {
            reasons = List.copyOf(reasons);
        }
    }
}
