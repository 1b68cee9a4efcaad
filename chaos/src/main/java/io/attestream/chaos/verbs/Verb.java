// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What can be done to a service. */
public enum Verb {
    KILL("SIGKILL; it is started again at the end"),
    STOP("SIGTERM; it is started again at the end"),
    PAUSE("SIGSTOP: it stands still, its connections stay open"),
    PARTITION("nothing gets through between it and Kafka, in either direction"),
    DELAY("what Kafka answers it arrives late"),
    RESET("its connections to Kafka are reset when something is answered"),
    BANDWIDTH("so few bytes a second get through between it and Kafka, on each connection"),
    DISK_FULL("the disk it writes to has no byte left"),
    FSYNC_ERROR("what it forces to its disk fails"),
    POWER_CUT("what it has not forced to its disk is lost"),
    CLOCK_SKEW("its clock is wrong"),
    CPU("it gets a part of its processor time only"),
    MEMORY("it gets a part of its memory only"),
    BIT_FLIP("while it is stopped, a bit flips in the largest table of its state"),
    TRUNCATE("while it is stopped, the largest table of its state is cut in half");

    private final String what;

    Verb(String what) {
        this.what = what;
    }

    /** In words. */
    public String what() {
        return what;
    }

    /** As on a command line. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** All of them, as on a command line. */
    public static List<String> words() {
        return Arrays.stream(values()).map(Verb::word).toList();
    }

    /**
     * The verb of a {@link #word}.
     *
     * @throws ChaosRefused if there is none
     */
    public static Verb of(String word) {
        return Arrays.stream(values())
                .filter(verb -> verb.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new ChaosRefused(
                        "there is no verb " + word, "Give one of " + String.join(", ", words()) + "."));
    }
}
