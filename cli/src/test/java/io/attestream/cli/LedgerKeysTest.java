// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteSigner;
import java.security.SecureRandom;
import org.junit.jupiter.api.Test;

/** A key history that a gateway tells, beside one that was kept. */
class LedgerKeysTest {
    private final NoteSigner first = key();
    private final KeyHistory began = KeyHistory.of(first.verifier());

    private static NoteSigner key() {
        return NoteSigner.generate("ledger.example/keys", new SecureRandom());
    }

    private KeyHistory announcedIn(long epoch) throws InvalidFormat {
        return began.with(began.announce(first, key()), epoch);
    }

    @Test
    void theLongerOneOfOneLedgerIsGoneOnWith() throws Exception {
        KeyHistory announced = announcedIn(3);
        assertThat(LedgerKeys.longer(announced, began)).isEqualTo(announced);
        assertThat(LedgerKeys.longer(began, announced)).isEqualTo(announced);
        assertThat(LedgerKeys.longer(announced, announced)).isEqualTo(announced);
    }

    @Test
    void oneThatPartsFromTheKeptOneIsOfAnotherLedger() throws Exception {
        KeyHistory kept = announcedIn(3);
        KeyHistory told = announcedIn(4);
        assertThatThrownBy(() -> LedgerKeys.longer(told, kept))
                .isInstanceOfSatisfying(
                        CliException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED))
                .hasMessageContaining("it is of another log");
    }
}
