// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Samples;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignedNoteTest {
    private static final NoteSigner SIGNER = Samples.ledgerSigner();
    private static final NoteVerifier LOG = Samples.ledgerKey();
    private static final NoteVerifier WITNESS = Samples.witnessKey();
    private static final String TEXT = "first line\n\nthird line\n";

    @Test
    void writesTheGoldenSignature() throws Exception {
        SignedNote golden = SignedNote.parse(Golden.text("checkpoint-v1.txt"));
        assertThat(SIGNER.sign(golden.text())).isEqualTo(golden.signatures().get(0));
        assertThat(golden.encode()).isEqualTo(Golden.text("checkpoint-v1.txt"));
        assertThat(SignedNote.parse(Golden.bytes("checkpoint-v1.txt"))).isEqualTo(golden);
    }

    @Test
    void verifiesTheGoldenNoteByLogAndWitnessAndIgnoresTheUnknown() throws Exception {
        // given a note by a log, a witness, and a key of a type not known here
        SignedNote note = SignedNote.parse(Golden.text("checkpoint-v1.txt"));

        // when verified with both keys
        NoteVerification.Verified verified = (NoteVerification.Verified) note.verify(List.of(LOG, WITNESS));

        // then both are good, the third says nothing
        assertThat(verified.text()).isEqualTo(note.text());
        assertThat(verified.verified()).isEqualTo(note.signatures().subList(0, 2));
        assertThat(verified.unknown()).isEqualTo(note.signatures().subList(2, 3));
        assertThat(WITNESS.timestampSeconds(note.signatures().get(1).blob())).hasValue(1767603602);
        assertThat(LOG.timestampSeconds(note.signatures().get(0).blob())).isEmpty();
    }

    /** The example of golang.org/x/mod/sumdb/note. */
    @Test
    void verifiesANoteThatGoSigned() throws Exception {
        NoteVerifier key = NoteVerifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        SignedNote note = SignedNote.parse(
                "If you think cryptography is the answer to your problem,\n"
                        + "then you don't know what your problem is.\n"
                        + "\n"
                        + "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n");
        assertThat(note.verify(List.of(key))).isInstanceOf(NoteVerification.Verified.class);
    }

    @Test
    void rejectsWithoutASignatureByAKnownKey() throws Exception {
        SignedNote note = SignedNote.parse(Golden.text("checkpoint-v1.txt"));
        assertRejected(note.verify(List.of()), "no signature by a known key");
        NoteVerifier stranger =
                NoteSigner.generate("stranger", new SecureRandom()).verifier();
        assertRejected(note.verify(List.of(stranger)), "no signature by a known key");
    }

    @Test
    void rejectsTheWholeNoteWhenAKnownKeysSignatureFails() throws Exception {
        // given a note that is good but for one of its known keys
        SignedNote note = SignedNote.parse(Golden.text("checkpoint-v1.txt"));
        for (int bad = 0; bad < 2; bad++) {
            List<NoteSignature> signatures = new ArrayList<>(note.signatures());
            NoteSignature good = signatures.get(bad);
            for (int i = 0; i < good.blob().length; i++) {
                byte[] blob = good.blob();
                blob[i] ^= 1;
                signatures.set(bad, new NoteSignature(good.keyName(), good.keyId(), blob));
                SignedNote spoilt = new SignedNote(note.text(), signatures);

                // then it is rejected by name, although the other is good; who does not know the key does not mind
                assertRejected(spoilt.verify(List.of(LOG, WITNESS)), good.keyName());
                assertThat(spoilt.verify(List.of(bad == 0 ? WITNESS : LOG)))
                        .isInstanceOf(NoteVerification.Verified.class);
            }
        }
    }

    @Test
    void rejectsEveryChangedByteOfTheText() throws Exception {
        SignedNote note = SignedNote.parse(Golden.text("checkpoint-v1.txt"));
        for (int i = 0; i < note.text().length() - 1; i++) {
            char changed = (char) (note.text().charAt(i) ^ 1);
            String text = note.text().substring(0, i)
                    + (changed == '\u000b' ? 'x' : changed)
                    + note.text().substring(i + 1);
            SignedNote other = new SignedNote(text, note.signatures());
            assertRejected(other.verify(List.of(LOG)), LOG.keyName());
            assertRejected(other.verify(List.of(WITNESS)), WITNESS.keyName());
        }
    }

    @Test
    void doesNotTakeACosignatureForASignatureOrTheOtherWayRound() throws Exception {
        // given one Ed25519 key as a log's and as a witness's
        NoteVerifier asWitness = asWitness(LOG);
        byte[] signature = SIGNER.signBytes(TEXT.getBytes(StandardCharsets.UTF_8));
        byte[] withTime = ByteBuffer.allocate(72).putLong(0).put(signature).array();

        // then neither accepts what the other does
        assertThat(LOG.verify(TEXT, signature)).isTrue();
        assertThat(LOG.verify(TEXT, withTime)).isFalse();
        assertThat(asWitness.verify(TEXT, signature)).isFalse();
        assertThat(asWitness.verify(TEXT, withTime)).isFalse();
        assertThat(asWitness.keyId()).isNotEqualTo(LOG.keyId());
    }

    @Test
    void verifiesCosignaturesOverTimeAndTextAndRefusesTimesAboveTwoToThe63() throws Exception {
        NoteVerifier witness = asWitness(LOG);
        for (long time : new long[] {0, 1, 1767603602, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
            byte[] signature = SIGNER.signBytes(("cosignature/v1\ntime " + Long.toUnsignedString(time) + "\n" + TEXT)
                    .getBytes(StandardCharsets.UTF_8));
            byte[] blob = ByteBuffer.allocate(72).putLong(time).put(signature).array();
            assertThat(witness.verify(TEXT, blob)).as("time %d", time).isEqualTo(time >= 0);
            assertThat(witness.timestampSeconds(blob).isPresent()).isEqualTo(time >= 0);
        }
    }

    /** The same Ed25519 key as one of type 0x04. */
    private static NoteVerifier asWitness(NoteVerifier key) throws InvalidFormat {
        byte[] typeAndKey = Base64.getDecoder().decode(key.vkey().split("\\+", 3)[2]);
        typeAndKey[0] = NoteKeys.TYPE_COSIGNATURE;
        int id = NoteKeys.keyId(key.keyName(), typeAndKey[0], Arrays.copyOfRange(typeAndKey, 1, 33));
        return NoteVerifier.parse(key.keyName() + "+" + NoteKeys.keyIdHex(id) + "+"
                + Base64.getEncoder().encodeToString(typeAndKey));
    }

    @Test
    void countsOfSeveralSignaturesByOneKeyTheFirst() {
        NoteSignature good = SIGNER.sign(TEXT);
        NoteSignature bad = SIGNER.sign("other\n");
        SignedNote goodFirst = new SignedNote(TEXT, List.of(good, bad, good));
        assertThat(((NoteVerification.Verified) goodFirst.verify(List.of(LOG))).verified())
                .containsExactly(good);
        assertRejected(new SignedNote(TEXT, List.of(bad, good)).verify(List.of(LOG)), LOG.keyName());
    }

    @Test
    void doesNotMindTheSameKeyGivenTwice() throws Exception {
        SignedNote note = SignedNote.sign(TEXT, SIGNER);
        assertThat(note.verify(List.of(LOG, NoteVerifier.parse(LOG.vkey()))))
                .isInstanceOf(NoteVerification.Verified.class);
    }

    @Test
    void ignoresSignaturesUnderAKnownNameWithAnotherKeyId() {
        SignedNote note = new SignedNote(
                TEXT, List.of(new NoteSignature(LOG.keyName(), LOG.keyId() + 1, new byte[64]), SIGNER.sign(TEXT)));
        assertThat(((NoteVerification.Verified) note.verify(List.of(LOG))).unknown())
                .hasSize(1);
    }

    @Test
    void keepsBlankLinesOfTheText() throws Exception {
        for (String text : List.of(TEXT, "\n", "\n\n", "a\n\n\n", "\nb\n", "— x y\n")) {
            SignedNote note = SignedNote.sign(text, SIGNER);
            SignedNote read = SignedNote.parse(note.encode());
            assertThat(read).isEqualTo(note);
            assertThat(read.verify(List.of(LOG))).isInstanceOf(NoteVerification.Verified.class);
        }
    }

    @Test
    void addsSignatures() throws Exception {
        SignedNote golden = SignedNote.parse(Golden.text("checkpoint-v1.txt"));
        SignedNote note =
                SignedNote.sign(golden.text(), SIGNER).with(golden.signatures().subList(1, 3));
        assertThat(note).isEqualTo(golden);
    }

    @Test
    void acceptsAHundredSignaturesAndNoMore() throws Exception {
        NoteSignature line = new NoteSignature("k", 1, new byte[1]);
        String hundred = new SignedNote(TEXT, Collections.nCopies(100, line)).encode();
        assertThat(SignedNote.parse(hundred).signatures()).hasSize(100);
        assertThatThrownBy(() -> SignedNote.parse(hundred + line.line()))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("100 signatures");
        assertThatThrownBy(() -> new SignedNote(TEXT, Collections.nCopies(101, line)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void boundsSizes() throws Exception {
        assertThatThrownBy(() -> SignedNote.parse("x".repeat(1_000_001))).hasMessageContaining("1,000,000");
        assertThatThrownBy(() -> SignedNote.parse("é".repeat(500_001))).hasMessageContaining("1,000,000");
        NoteSignature largest = new NoteSignature("k", 1, new byte[65_536]);
        assertThat(SignedNote.parse(new SignedNote(TEXT, List.of(largest)).encode())
                        .signatures())
                .containsExactly(largest);
        assertThatThrownBy(() -> new NoteSignature("k", 1, new byte[65_537]))
                .isInstanceOf(IllegalArgumentException.class);
        String line = "— k " + Base64.getEncoder().encodeToString(new byte[4 + 65_537]) + "\n";
        assertThatThrownBy(() -> SignedNote.parse(TEXT + "\n" + line)).isInstanceOf(InvalidFormat.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                "\n\n",
                "text",
                "text\n",
                "text\n\n",
                "text\n\n\n",
                "text\n— k AAAAAAA=\n", // no blank line
                "text\n\n— k AAAAAAA=", // no final newline
                "text\n\n- k AAAAAAA=\n", // not an em dash
                "text\n\n–  k AAAAAAA=\n",
                "text\n\n—k AAAAAAA=\n",
                "text\n\n—  AAAAAAA=\n",
                "text\n\n— k\n",
                "text\n\n— k \n",
                "text\n\n— k  AAAAAAA=\n",
                "text\n\n— k AAAAAA==\n", // key id alone
                "text\n\n— k AAAAAAA\n",
                "text\n\n— k AAAAAAB=\n",
                "text\n\n— k AAAAAAA= \n",
                "text\n\n— k+l AAAAAAA=\n",
                "text\n\n— k\u00a0l AAAAAAA=\n",
                "text\n\n— k l AAAAAAA=\n",
                "text\r\n\r\n— k AAAAAAA=\r\n",
                "te\txt\n\n— k AAAAAAA=\n",
                "te\0xt\n\n— k AAAAAAA=\n",
                "te\ud800xt\n\n— k AAAAAAA=\n",
                "text\n\n— k AAAAAAA=\nrest\n",
                "text\n\n— k AAAAAAA=\n\n",
                "text\n\n— k AAAAAAA=\n\n— k AAAAAAA=\n— \n",
            })
    void refusesWhatIsNotANote(String note) {
        assertThatThrownBy(() -> SignedNote.parse(note)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void refusesBytesThatAreNotUtf8() {
        byte[] note = ("text?\n\n— k AAAAAAA=\n").getBytes(StandardCharsets.UTF_8);
        note[4] = (byte) 0xff;
        assertThatThrownBy(() -> SignedNote.parse(note))
                .isInstanceOf(InvalidFormat.class)
                .hasMessage("note: must be UTF-8");
    }

    @Test
    void acceptsUnknownSignersOfAnyNameTheSpecificationAllows() throws Exception {
        // given signers whose names we would not choose
        NoteSignature odd = new NoteSignature("\u007f", 1, new byte[1]);
        NoteSignature longName = new NoteSignature("x".repeat(1000), 2, new byte[1]);
        SignedNote note = new SignedNote(TEXT, List.of(odd, SIGNER.sign(TEXT), longName));
        // then they do not keep the note from being verified
        assertThat(SignedNote.parse(note.encode()).verify(List.of(LOG))).isInstanceOf(NoteVerification.Verified.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no newline", "tab\t\n", "cr\r\n", "\ud800\n"})
    void refusesToSignWhatIsNoNoteText(String text) {
        assertThatThrownBy(() -> SIGNER.sign(text)).isInstanceOf(IllegalArgumentException.class);
    }

    private static void assertRejected(NoteVerification verification, String reason) {
        assertThat(verification)
                .isInstanceOfSatisfying(
                        NoteVerification.Rejected.class,
                        rejected -> assertThat(rejected.reason()).contains(reason));
    }
}
