// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.List;

/** Ends a restore with a refusal. */
final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient List<String> reasons;

    RefusedException(List<String> reasons) {
        super(String.join("; ", reasons));
        this.reasons = List.copyOf(reasons);
    }

    RefusedException(String reason) {
        this(List.of(reason));
    }

    List<String> reasons() {
        return reasons;
    }
}
