// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Samples;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NoteKeysTest {
    private static final SecureRandom RANDOM = new SecureRandom();

    @Test
    void readsAndWritesTheGoldenKeys() throws Exception {
        List<String> keys = Golden.lines("keys-v1.txt");
        NoteSigner signer = NoteSigner.parse(keys.get(0));
        assertThat(signer.skey()).isEqualTo(keys.get(0));
        assertThat(signer.verifier().vkey()).isEqualTo(keys.get(1)).hasToString(keys.get(1));
        assertThat(NoteVerifier.parse(keys.get(1)).vkey()).isEqualTo(keys.get(1));
        assertThat(NoteVerifier.parse(keys.get(2)).vkey()).isEqualTo(keys.get(2));
        assertThat(NoteVerifier.parse(keys.get(1)).type()).isEqualTo((byte) 1);
        assertThat(NoteVerifier.parse(keys.get(2)).type()).isEqualTo((byte) 4);
    }

    @Test
    void readsTheKeysItGenerates() throws Exception {
        for (int i = 0; i < 20; i++) {
            NoteSigner signer = NoteSigner.generate("log.example/é-" + i, RANDOM);
            NoteSigner read = NoteSigner.parse(signer.skey());
            assertThat(read.verifier()).isEqualTo(signer.verifier()).hasSameHashCodeAs(signer.verifier());
            assertThat(NoteVerifier.parse(signer.verifier().vkey())).isEqualTo(signer.verifier());
            byte[] message = {1, 2, 3};
            assertThat(signer.verifier().verifyBytes(message, read.signBytes(message)))
                    .isTrue();
        }
    }

    @Test
    void doesNotShowTheSecret() {
        NoteSigner signer = Samples.ledgerSigner();
        String seed = signer.skey().substring(signer.skey().lastIndexOf('+') + 1);
        assertThat(signer)
                .asString()
                .doesNotContain(seed)
                .contains(signer.verifier().vkey());
    }

    @Test
    void doesNotShowASecretItRefuses() {
        String skey = Samples.ledgerSigner().skey();
        String seed = skey.substring(skey.lastIndexOf('+') + 1);
        for (String wrong : List.of(
                skey.substring(8), skey.replace("+attestream", "+other"), skey + "=", skey.replace("+AQAB", "+AgAB"))) {
            assertThatThrownBy(() -> NoteSigner.parse(wrong))
                    .isInstanceOf(InvalidFormat.class)
                    .hasMessageStartingWith("signing key: ")
                    .satisfies(e -> assertThat(e.getMessage()).doesNotContain(seed.substring(4, 20)));
        }
    }

    @Test
    void giveTheSameKeyUnderAnotherNameAnotherKeyId() throws Exception {
        // given the ledger's key under a shard's name
        NoteSigner ledger = Samples.ledgerSigner();
        String name = Samples.ORIGIN + "/shard/2";
        NoteSigner shard = ledger.withName(name);

        // then it has a name and an id of its own, and both sides derive the same
        assertThat(shard.keyName()).isEqualTo(name);
        assertThat(shard.verifier()).isEqualTo(ledger.verifier().withName(name)).isNotEqualTo(ledger.verifier());
        assertThat(shard.verifier().keyId()).isNotEqualTo(ledger.verifier().keyId());

        // and what one signs as a note does not pass for the other's
        SignedNote note = SignedNote.sign("text\n", shard);
        assertThat(note.verify(List.of(shard.verifier()))).isInstanceOf(NoteVerification.Verified.class);
        assertThat(note.verify(List.of(ledger.verifier()))).isInstanceOf(NoteVerification.Rejected.class);
    }

    @Test
    void refusesEveryChangeOfAVkey() {
        // given a good key with one character changed, removed or doubled
        String vkey = Samples.ledgerKey().vkey();
        List<String> changed = new ArrayList<>();
        for (int i = 0; i < vkey.length(); i++) {
            char c = vkey.charAt(i);
            changed.add(vkey.substring(0, i) + vkey.substring(i + 1));
            changed.add(vkey.substring(0, i) + c + vkey.substring(i));
            changed.add(vkey.substring(0, i) + (char) (c ^ 1) + vkey.substring(i + 1));
        }
        changed.removeIf(vkey::equals);
        // then the key id gives it away
        for (String wrong : changed) {
            assertThatThrownBy(() -> NoteVerifier.parse(wrong))
                    .as(wrong)
                    .isInstanceOf(InvalidFormat.class)
                    .hasMessageStartingWith("vkey: ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a+b", "a+00000000+", "+00000000+AQ==", "a b+00000000+AQ=="})
    void refusesWhatIsNoKey(String text) {
        assertThatThrownBy(() -> NoteVerifier.parse(text)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> NoteSigner.parse(text)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> NoteSigner.parse("PRIVATE+KEY+" + text)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void refusesKeysOfOtherTypesAndLengths() {
        assertRefusedVkey(new byte[33]);
        byte[] ecdsa = new byte[33];
        ecdsa[0] = 2;
        assertRefusedVkey(ecdsa);
        byte[] tooLong = new byte[34];
        tooLong[0] = 1;
        assertRefusedVkey(tooLong);
        // The largest y there is names no point of the curve.
        byte[] noPoint = new byte[33];
        Arrays.fill(noPoint, (byte) 0xff);
        noPoint[0] = 1;
        assertRefusedOrVerifiesNothing(noPoint);
    }

    private static String vkeyOf(byte[] typeAndKey) {
        byte[] key = Arrays.copyOfRange(typeAndKey, 1, typeAndKey.length);
        return "a+" + NoteKeys.keyIdHex(NoteKeys.keyId("a", typeAndKey[0], key)) + "+"
                + Base64.getEncoder().encodeToString(typeAndKey);
    }

    private static void assertRefusedVkey(byte[] typeAndKey) {
        assertThatThrownBy(() -> NoteVerifier.parse(vkeyOf(typeAndKey)))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("vkey: ");
    }

    private static void assertRefusedOrVerifiesNothing(byte[] typeAndKey) {
        try {
            assertThat(NoteVerifier.parse(vkeyOf(typeAndKey)).verifyBytes(new byte[1], new byte[64]))
                    .isFalse();
        } catch (InvalidFormat e) {
            assertThat(e.field()).isEqualTo("vkey");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "a b",
                "a+b",
                "a\u00a0b",
                "a\u2003b",
                "a\u0085b",
                "a\u2028b",
                "a\u3000",
                "a\nb",
                "a\0b",
                "\ud800"
            })
    void refusesNamesNoNoteCanCarry(String name) {
        assertThatThrownBy(() -> NoteSigner.generate(name, RANDOM)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Samples.ledgerKey().withName(name)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Samples.ledgerSigner().withName(name)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new NoteSignature(name, 1, new byte[1])).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesOwnNamesLongerThanACosignatureCanCarry() {
        assertThat(Samples.ledgerKey().withName("x".repeat(255)).keyName()).hasSize(255);
        assertThatThrownBy(() -> Samples.ledgerKey().withName("x".repeat(256)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Samples.ledgerKey().withName("é".repeat(128)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesSignaturesOfOtherLengthsAndWithAnyBitChanged() {
        NoteSigner signer = Samples.ledgerSigner();
        byte[] message = "message\n".getBytes(StandardCharsets.UTF_8);
        byte[] signature = signer.signBytes(message);
        assertThat(signer.verifier().verifyBytes(message, signature)).isTrue();
        for (int length : new int[] {0, 1, 63, 65, 128}) {
            assertThat(signer.verifier().verifyBytes(message, Arrays.copyOf(signature, length)))
                    .isFalse();
        }
        for (int i = 0; i < 64; i++) {
            byte[] changed = signature.clone();
            changed[i] ^= 0x10;
            assertThat(signer.verifier().verifyBytes(message, changed)).isFalse();
        }
    }
}
