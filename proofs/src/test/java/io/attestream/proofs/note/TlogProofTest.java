// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Rfc6962;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlogProofTest {
    private static final byte[] ENTRY = Golden.bytes("entry-event-v1.json");
    private static final NoteVerifier SHARD_KEY = Samples.ledgerKey().withName(Samples.ORIGIN + "/shard/2");
    private static final SignedNote NOTE =
            SignedNote.sign("o\n1\n" + Rfc6962.EMPTY_ROOT + "\n", Samples.ledgerSigner());

    @Test
    void readsTheGoldenProofAndVerifiesIt() throws Exception {
        TlogProof proof = TlogProof.parse(Golden.text("leaf-v1.tlog-proof"));
        assertThat(proof.extra()).isEqualTo(Samples.utf8("about nothing"));
        assertThat(proof.encode()).isEqualTo(Golden.text("leaf-v1.tlog-proof"));

        assertThat(proof.verify(ENTRY, SHARD_KEY))
                .isEqualTo(new TlogProof.Verification.Proved(
                        Checkpoint.parse(proof.note().text())));
    }

    @Test
    void provesNothingWithAnythingChanged() throws Exception {
        TlogProof golden = TlogProof.parse(Golden.text("leaf-v1.tlog-proof"));

        // another entry, index or path
        byte[] entry = ENTRY.clone();
        entry[entry.length - 2] ^= 1;
        assertRejected(golden.verify(entry, SHARD_KEY), "leads to root");
        for (long index : new long[] {0, 2, 3, 4}) {
            TlogProof moved = new TlogProof(null, new LeafIndex(index), golden.path(), golden.note());
            assertRejected(moved.verify(ENTRY, SHARD_KEY), "index " + index);
        }
        for (long index : new long[] {5, -1}) {
            TlogProof beyond = new TlogProof(null, new LeafIndex(index), golden.path(), golden.note());
            assertRejected(beyond.verify(ENTRY, SHARD_KEY), "of size 5");
        }
        for (int i = 0; i < golden.path().size(); i++) {
            List<Hash> missing = new ArrayList<>(golden.path());
            missing.remove(i);
            assertRejected(
                    new TlogProof(null, golden.index(), missing, golden.note()).verify(ENTRY, SHARD_KEY), "path of 2");
            List<Hash> changed = new ArrayList<>(golden.path());
            changed.set(i, Rfc6962.EMPTY_ROOT);
            assertRejected(
                    new TlogProof(null, golden.index(), changed, golden.note()).verify(ENTRY, SHARD_KEY),
                    "leads to root");
        }

        // another key, or the right one under another name
        assertRejected(golden.verify(ENTRY, Samples.ledgerKey()), "no signature by a known key");
        assertRejected(golden.verify(ENTRY, Samples.witnessKey()), "0x01");
    }

    /** One key signs for several logs under several names: a proof in one of them is none in another. */
    @Test
    void provesNothingForAnotherLogThanTheKeysOwn() throws Exception {
        // given the right tree head under another origin, signed by the shard's key
        TlogProof golden = TlogProof.parse(Golden.text("leaf-v1.tlog-proof"));
        Checkpoint right = Checkpoint.parse(golden.note().text());
        NoteSigner signer = Samples.ledgerSigner().withName(SHARD_KEY.keyName());
        Checkpoint other = new Checkpoint(Samples.ORIGIN + "/shard/3", right.size(), right.root());
        SignedNote note = SignedNote.sign(other.text(), signer);

        // then it is rejected, and so is a signed text that is no checkpoint
        assertRejected(
                new TlogProof(null, golden.index(), golden.path(), note).verify(ENTRY, SHARD_KEY),
                "/shard/3, expected");
        SignedNote noCheckpoint = SignedNote.sign("no checkpoint\n", signer);
        assertRejected(
                new TlogProof(null, golden.index(), golden.path(), noCheckpoint).verify(ENTRY, SHARD_KEY),
                "checkpoint");
    }

    private static void assertRejected(TlogProof.Verification verification, String reason) {
        assertThat(verification)
                .isInstanceOfSatisfying(
                        TlogProof.Verification.Rejected.class,
                        rejected -> assertThat(rejected.reason()).contains(reason));
    }

    @Test
    void readsBackWhatItWrites() {
        Seeded.check(100, random -> {
            List<Hash> path = new ArrayList<>();
            for (int i = random.below(65); i > 0; i--) {
                path.add(Hash.of(random.bytes(32)));
            }
            byte[] extra = random.chance(50) ? null : random.bytes(random.below(100));
            TlogProof proof = new TlogProof(extra, new LeafIndex(random.unsigned()), path, NOTE);
            TlogProof read = TlogProof.parse(proof.encode());
            assertThat(read.extra()).isEqualTo(extra);
            assertThat(read.index()).isEqualTo(proof.index());
            assertThat(read.path()).isEqualTo(path);
            assertThat(read.note()).isEqualTo(NOTE);
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'@v1' | '@v2' | proof",
                "'c2sp' | ' c2sp' | proof",
                "'extra ' | 'extra' | index",
                "'extra ' | 'extra  ' | extra",
                "'extra Y' | 'extra -' | extra",
                "'index 1' | 'index 01' | index",
                "'index 1' | 'index -1' | index",
                "'index 1' | 'Index 1' | index",
                "'index 1' | 'index 18446744073709551616' | index",
                "'index 1~' | '' | index",
                "'index 1~' | 'index 1~AAAA~' | path",
                "'index 1~' | 'index 1~ ' | path",
                "'index 1~' | 'index 1~index 1~' | path",
                "'~~' | '~' | proof",
                "'— ' | '- ' | signature line",
            })
    void refusesAProofNamingTheLine(String from, String to, String field) {
        String golden = Golden.text("leaf-v1.tlog-proof");
        assertThat(golden).contains(from.replace('~', '\n'));
        String changed = golden.replace(from.replace('~', '\n'), to.replace('~', '\n'));
        assertThatThrownBy(() -> TlogProof.parse(changed))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @Test
    void boundsExtraAndPath() throws Exception {
        LeafIndex index = new LeafIndex(0);
        assertThat(TlogProof.parse(new TlogProof(new byte[48_000], index, List.of(), NOTE).encode())
                        .extra())
                .hasSize(48_000);
        assertThatThrownBy(() -> new TlogProof(new byte[48_001], index, List.of(), NOTE))
                .isInstanceOf(IllegalArgumentException.class);
        List<Hash> path = Collections.nCopies(65, Rfc6962.EMPTY_ROOT);
        assertThatThrownBy(() -> new TlogProof(null, index, path, NOTE)).isInstanceOf(IllegalArgumentException.class);
        String tooLong = new TlogProof(null, index, path.subList(1, 65), NOTE)
                .encode()
                .replace("index 0\n", "index 0\n" + Rfc6962.EMPTY_ROOT + "\n");
        assertThatThrownBy(() -> TlogProof.parse(tooLong))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("64");
        assertThatThrownBy(() -> TlogProof.parse("x".repeat(2_000_000))).hasMessageContaining("too long");
    }
}
