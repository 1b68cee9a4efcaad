// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import java.util.Locale;

/** How something is; the later, the worse. What is not known is never good. */
enum State {
    GOOD,
    UNKNOWN,
    ATTENTION,
    CRITICAL;

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    State worse(State other) {
        return compareTo(other) >= 0 ? this : other;
    }
}
