// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.security.SecureRandom;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The demo says yes only if all of it held, and programs can rely on its members. */
class DemoResultTest {
    private static final NoteVerifier KEY =
            NoteSigner.generate("ledger.example/test", new SecureRandom()).verifier();
    private static final DemoResult GOOD = result(3, 3, 0, List.of(), 0, 0, true);

    private static DemoResult result(
            int accepted,
            int verified,
            int misproved,
            List<String> failures,
            long resentAdded,
            int resentUnlike,
            boolean tamperDetected) {
        return new DemoResult(
                KEY,
                3,
                accepted,
                1,
                0,
                new NewestEpoch(4, 2, 3, List.of()),
                verified,
                misproved,
                failures,
                resentAdded,
                resentUnlike,
                tamperDetected,
                new long[] {10, 20, 700});
    }

    @Test
    void isGoodOnlyIfAllOfItHeld() {
        assertThat(GOOD.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(result(2, 2, 0, List.of("refused"), 0, 0, true).exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result(3, 2, 0, List.of(), 0, 0, true).exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result(3, 3, 0, List.of(), 1, 0, true).exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result(3, 3, 0, List.of(), 0, 1, true).exitCode()).isEqualTo(ExitCode.ERROR);
    }

    @Test
    void tellsAProofThatDoesNotHoldFromAnEventThatWasNotTaken() {
        assertThat(result(3, 2, 1, List.of("leaf-inclusion"), 0, 0, true).exitCode())
                .isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(result(3, 3, 0, List.of(), 0, 0, false).exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
    }

    @Test
    void givesProgramsTheMembersTheyRelyOnInThisOrder() {
        assertThat(GOOD.json().keySet())
                .containsExactly(
                        "events",
                        "accepted",
                        "duplicates",
                        "leaves",
                        "epochs",
                        "verified",
                        "failed",
                        "resentAdded",
                        "tamperDetected",
                        "acceptToPublishedMsP50",
                        "acceptToPublishedMsP99",
                        "ledgerKey",
                        "origin");
        assertThat(GOOD.json()).containsEntry("epochs", 5L).containsEntry("leaves", 2L);
    }

    @Test
    void takesPercentilesByNearestRank() {
        assertThat(GOOD.percentileMs(50)).isEqualTo(20);
        assertThat(GOOD.percentileMs(99)).isEqualTo(700);
    }
}
