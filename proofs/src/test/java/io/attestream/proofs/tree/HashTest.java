// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HashTest {
    @Test
    void readsBackWhatItWrites() {
        Seeded.check(100, random -> {
            Hash hash = Hash.of(random.bytes(32));
            assertThat(Hash.ofBase64(hash.base64())).isEqualTo(hash).hasSameHashCodeAs(hash);
            assertThat(Hash.ofHex(hash.hex())).isEqualTo(hash);
            assertThat(Hash.of(hash.bytes())).isEqualTo(hash);
        });
    }

    @Test
    void doesNotChangeWithTheArraysGivenOrTaken() {
        byte[] given = new byte[32];
        Hash hash = Hash.of(given);
        given[0] = 1;
        hash.bytes()[1] = 1;
        assertThat(hash.hex()).isEqualTo("00".repeat(32));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "AAAA",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", // no padding
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", // unused bits set
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-=", // URL alphabet
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", // 33 bytes
            })
    void refusesBase64ThatIsNotTheOneTextOf32Bytes(String text) {
        assertThatThrownBy(() -> Hash.ofBase64(text, "root"))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("root: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "00", "zz", "0"})
    void refusesHexThatIsNot32Bytes(String text) {
        assertThatThrownBy(() -> Hash.ofHex(text)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void refusesBytesThatAreNot32() {
        assertThatThrownBy(() -> Hash.of(new byte[31])).isInstanceOf(IllegalArgumentException.class);
    }
}
