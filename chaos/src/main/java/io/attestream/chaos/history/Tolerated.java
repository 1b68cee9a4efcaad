// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import java.util.Locale;

/** What is no anomaly in a history of which it is known that it may show it. */
public enum Tolerated {
    /** Events that were acknowledged when the last read of the tree had begun: clients went on meanwhile. */
    LATE,
    /** Events that were lost with topic {@code events}, and are told to be: it was lost, with what was not published. */
    LOSS,
    /** Times of checkpoints that go back: a clock was set. They are recorded, and nothing depends on them. */
    CLOCK;

    /** As commands name it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
