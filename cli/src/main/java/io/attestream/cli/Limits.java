// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.control.Rules;
import java.util.List;

/** Limits of numbers given on the command line: said before anything is started or written down. */
final class Limits {
    /** More than these on one machine is a slip of the keyboard. */
    static final int LOCAL_SHARDS_MAX = 64;

    static final int LOCAL_INSTANCES_MAX = 8;
    /** An epoch names every shard, and monitors read epochs of up to 1 MiB. */
    static final int SHARDS_MAX = 1_000;

    static final int WAIT_SECONDS_MAX = 86_400;
    /** Each is sent twice and proved twice. */
    static final int DRILL_EVENTS_MAX = 100_000;

    private Limits() {}

    static void check(String option, long value, long min, long max) {
        if (value < min || value > max) {
            throw new CliException(
                    ExitCode.USAGE,
                    option + " must be " + min + " to " + max + ", is " + value,
                    "Run the command with --help for what it takes.");
        }
    }

    static void checkDedupWindow(long leaves) {
        try {
            Rules.initial(List.of()).withDedupWindowLeaves(leaves);
        } catch (IllegalArgumentException e) {
            throw new CliException(
                    ExitCode.USAGE,
                    "--dedup-window: " + e.getMessage(),
                    "Run the command with --help for what it takes.");
        }
    }
}
