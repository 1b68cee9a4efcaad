// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LedgerOffsetTest {
    private static final long LAST = (1L << 48) - 1;

    @Test
    void isKafkasInTheFirstIncarnation() {
        assertThat(LedgerOffset.of(1, 0)).isZero();
        assertThat(LedgerOffset.of(1, 123_456)).isEqualTo(123_456);
    }

    @Test
    void ascendsFromOneIncarnationToTheNext() {
        for (int incarnation = 1; incarnation < LedgerOffset.INCARNATIONS_MAX; incarnation++) {
            assertThat(LedgerOffset.of(incarnation, LAST) + 1)
                    .isEqualTo(LedgerOffset.of(incarnation + 1, 0))
                    .isEqualTo(LedgerOffset.first(incarnation + 1));
        }
    }

    @Test
    void staysAnExactNumberOfJson() {
        assertThat(LedgerOffset.of(LedgerOffset.INCARNATIONS_MAX, LAST)).isEqualTo((1L << 53) - 1);
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "1, 281474976710655", "2, 0", "7, 42", "32, 281474976710655"})
    void givesBothPartsBack(int incarnation, long kafkaOffset) {
        long offset = LedgerOffset.of(incarnation, kafkaOffset);

        assertThat(LedgerOffset.incarnation(offset)).isEqualTo(incarnation);
        assertThat(LedgerOffset.kafka(offset)).isEqualTo(kafkaOffset);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "33, 0", "1, -1", "1, 281474976710656"})
    void refusesWhatHasNoPlace(int incarnation, long kafkaOffset) {
        assertThatThrownBy(() -> LedgerOffset.of(incarnation, kafkaOffset))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("offset " + kafkaOffset + " in incarnation " + incarnation);
    }
}
