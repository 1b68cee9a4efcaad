// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.security.Security;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ML-DSA-44 cosignatures (0x06). Where Java has the algorithm itself, it is that one that is tested, against vectors of others. */
class MlDsaTest {
    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

    /** Lines: signing key, public key, note. */
    private final List<String> golden = Golden.lines("ml-dsa-44-v1.txt");

    @BeforeAll
    static void register() {
        Security.addProvider(PROVIDER);
    }

    @AfterAll
    static void remove() {
        Security.removeProvider(PROVIDER.getName());
    }

    private SignedNote goldenNote() throws InvalidFormat {
        return SignedNote.parse(String.join("\n", golden.subList(2, golden.size())) + "\n");
    }

    private static SignedNote with(SignedNote note, NoteSignature line) {
        return new SignedNote(note.text(), List.of(line));
    }

    @Test
    void signsTheGoldenCheckpointByteForByte() throws Exception {
        // given: made by Java 25
        MlDsaSigner signer = MlDsaSigner.parse(golden.get(0));
        SignedNote note = goldenNote();

        // then
        assertThat(signer.skey()).isEqualTo(golden.get(0));
        assertThat(signer.verifier().vkey()).isEqualTo(golden.get(1));
        assertThat(signer.sign(note.text())).isEqualTo(note.signatures().get(1));
        assertThat(signer.toString())
                .doesNotContain(golden.get(0).substring(golden.get(0).length() - 20));
    }

    @Test
    void verifiesTheGoldenCheckpointBesideItsEd25519Signature() throws Exception {
        // given
        SignedNote note = goldenNote();
        NoteVerifier ed25519 = NoteVerifier.parse(Golden.lines("keys-v1.txt").get(1));

        // then
        assertThat(MlDsaVerifier.parse(golden.get(1)).verifies(note)).isTrue();
        assertThat(note.verify(List.of(ed25519))).isInstanceOfSatisfying(NoteVerification.Verified.class, verified -> {
            assertThat(verified.verified()).hasSize(1);
            assertThat(verified.unknown())
                    .as("who does not know the algorithm ignores the line")
                    .hasSize(1);
        });
    }

    /** From the tests of FiloSottile/torchwood (cmd/litewitness/testdata/mldsa.txt), which signs in Go. */
    @Test
    void verifiesACheckpointThatGoSigned() throws Exception {
        List<String> lines = Golden.lines("ml-dsa-44-torchwood.txt");
        SignedNote note = SignedNote.parse(String.join("\n", lines.subList(1, lines.size())) + "\n");
        assertThat(MlDsaVerifier.parse(lines.get(0)).verifies(note)).isTrue();
    }

    /** Name, time, origin, size, root: each is signed. */
    @Test
    void everyFieldOfTheMessageIsSigned() throws Exception {
        // given
        MlDsaSigner signer = MlDsaSigner.generate("ledger.example/a", new SecureRandom());
        Checkpoint signed = new Checkpoint("ledger.example/a", new TreeSize(7), Hash.of(new byte[32]));
        NoteSignature line = signer.sign(signed.text());
        MlDsaVerifier key = signer.verifier();
        assertThat(key.verifies(new SignedNote(signed.text(), List.of(line)))).isTrue();

        // then
        byte[] root = new byte[32];
        root[31] = 1;
        for (Checkpoint other : List.of(
                new Checkpoint("ledger.example/b", signed.size(), signed.root()),
                new Checkpoint(signed.origin(), new TreeSize(8), signed.root()),
                new Checkpoint(signed.origin(), signed.size(), Hash.of(root)),
                new Checkpoint(signed.origin(), signed.size(), signed.root(), List.of("extension")))) {
            assertThat(key.verifies(new SignedNote(other.text(), List.of(line))))
                    .as(other.text())
                    .isFalse();
        }
        byte[] later = line.blob();
        later[7] = 1;
        SignedNote note = new SignedNote(signed.text(), List.of(line));
        assertThat(key.verifies(with(note, new NoteSignature(key.keyName(), key.keyId(), later))))
                .isFalse();
        // and the name: the same key under another one
        MlDsaSigner renamed = MlDsaSigner.parse(renamed(signer.skey(), "ledger.example/b"));
        NoteSignature other = renamed.sign(signed.text());
        assertThat(renamed.verifier().verifies(with(note, other))).isTrue();
        assertThat(key.verifies(with(note, new NoteSignature(key.keyName(), key.keyId(), other.blob()))))
                .isFalse();
    }

    private static String renamed(String skey, String name) throws InvalidFormat {
        byte[] seed = Arrays.copyOfRange(Base64.getDecoder().decode(skey.split("\\+", 5)[4]), 1, 33);
        return MlDsaSigner.generate(name, new SecureRandom() {
                    private static final long serialVersionUID = 1L;

                    @Override
                    public void nextBytes(byte[] target) {
                        System.arraycopy(seed, 0, target, 0, target.length);
                    }
                })
                .skey();
    }

    @Test
    void theMessageIsAsTlogCosignatureHasIt() throws Exception {
        // given
        byte[] root = new byte[32];
        Arrays.fill(root, (byte) 0xab);
        String text = new Checkpoint("o", new TreeSize(-1), Hash.of(root)).text();

        // when
        byte[] message = MlDsaKeys.message("name", 5, text);

        // then
        ByteBuffer expected = ByteBuffer.allocate(12 + 5 + 8 + 2 + 8 + 8 + 32)
                .put("subtree/v1\n\0".getBytes(StandardCharsets.US_ASCII))
                .put((byte) 4)
                .put("name".getBytes(StandardCharsets.US_ASCII))
                .putLong(5)
                .put((byte) 1)
                .put((byte) 'o')
                .putLong(0)
                .putLong(-1)
                .put(root);
        assertThat(message).isEqualTo(expected.array());
    }

    @Test
    void oneBitOfAnySignatureIsSeen() throws Exception {
        // given
        SignedNote note = goldenNote();
        NoteSignature line = note.signatures().get(1);
        MlDsaVerifier key = MlDsaVerifier.parse(golden.get(1));
        for (int at = 0; at < line.blob().length; at += 97) {
            // when
            byte[] blob = line.blob();
            blob[at] ^= 1;

            // then
            assertThat(key.verifies(with(note, new NoteSignature(line.keyName(), line.keyId(), blob))))
                    .as("byte %s", at)
                    .isFalse();
        }
        byte[] shorter = Arrays.copyOf(line.blob(), line.blob().length - 1);
        assertThat(key.verifies(with(note, new NoteSignature(line.keyName(), line.keyId(), shorter))))
                .isFalse();
        assertThat(key.verifies(with(note, note.signatures().get(0))))
                .as("no line of this key")
                .isFalse();
    }

    @Test
    void namesAndOriginsHaveAtMost255Bytes() throws Exception {
        // given
        MlDsaSigner signer = MlDsaSigner.parse(golden.get(0));
        Hash root = Hash.of(new byte[32]);
        String longest = "é".repeat(127) + "e";

        // then
        assertThat(signer.sign(new Checkpoint(longest, new TreeSize(1), root).text()))
                .isNotNull();
        assertThatThrownBy(() -> signer.sign(new Checkpoint(longest + "e", new TreeSize(1), root).text()))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("at most 255 bytes, is 256");
        assertThatThrownBy(() -> MlDsaKeys.message(longest + "e", 0, new Checkpoint("o", new TreeSize(1), root).text()))
                .hasMessageContaining("key name");
        assertThatThrownBy(() -> signer.sign(new Checkpoint("o", new TreeSize(1), root, List.of("extension")).text()))
                .hasMessageContaining("extension lines");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "PRIVATE+KEY+a+00000000+AA==", "PRIVATE+KEY+a b+00000000+BgAA", "PRIVATE+KEY+a+1"})
    void refusesWhatIsNoSigningKey(String skey) {
        assertThatThrownBy(() -> MlDsaSigner.parse(skey)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void refusesKeysOfAnotherTypeIdOrLength() throws Exception {
        String ed25519 = Golden.lines("keys-v1.txt").get(0);
        assertThatThrownBy(() -> MlDsaSigner.parse(ed25519)).hasMessageContaining("type 0x06");
        String vkey = golden.get(1);
        int id = vkey.indexOf('+') + 1;
        char other = vkey.charAt(id) == '0' ? '1' : '0';
        assertThatThrownBy(() -> MlDsaVerifier.parse(vkey.substring(0, id) + other + vkey.substring(id + 1)))
                .hasMessageContaining("has key id");
        assertThatThrownBy(() -> MlDsaVerifier.parse(Golden.lines("keys-v1.txt").get(1)))
                .hasMessageContaining("ML-DSA-44 key of type 0x06");
        assertThatThrownBy(() -> NoteVerifier.parse(vkey)).hasMessageContaining("0x01 or 0x04");
    }
}
