// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Seeded;
import java.math.BigInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IndexAndSizeTest {
    @Test
    void readBackWhatTheyWriteOverAllUnsignedNumbers() {
        Seeded.check(500, random -> {
            long value = random.unsigned();
            String text = new BigInteger(Long.toUnsignedString(value)).toString();
            assertThat(TreeSize.parse(text)).hasToString(text).isEqualTo(new TreeSize(value));
            assertThat(LeafIndex.parse(text)).hasToString(text).isEqualTo(new LeafIndex(value));
        });
    }

    @Test
    void compareUnsigned() {
        Seeded.check(500, random -> {
            long a = random.unsigned();
            long b = random.unsigned();
            int expected = new BigInteger(Long.toUnsignedString(a)).compareTo(new BigInteger(Long.toUnsignedString(b)));
            assertThat(Integer.signum(new TreeSize(a).compareTo(new TreeSize(b))))
                    .isEqualTo(expected);
            assertThat(Integer.signum(new LeafIndex(a).compareTo(new LeafIndex(b))))
                    .isEqualTo(expected);
            assertThat(new TreeSize(a).contains(new LeafIndex(b))).isEqualTo(expected > 0);
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "-1", "+1", "01", "00", "1 ", "1.0", "1e3", "0x1", "18446744073709551616", "१", "1\n"})
    void refuseEveryOtherTextNamingTheField(String text) {
        assertThatThrownBy(() -> TreeSize.parse(text))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("size: ");
        assertThatThrownBy(() -> LeafIndex.parse(text))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("index: ");
    }
}
