// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleReport.Check;
import io.attestream.proofs.ledger.BundleReport.Outcome;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a bundle proves whose checkpoint was signed by a key that somebody else may have by now. Epoch 2 has the event, epoch 3 announces
 * the second key, which signs epochs 4 and 5.
 */
class SupersededKeyTest {
    private static final int ANNOUNCED = 3;

    private final NoteSigner first = Samples.ledgerSigner();
    private final NoteSigner second = NoteSigner.generate(Samples.ORIGIN, new SecureRandom());

    private final List<byte[]> log = new ArrayList<>();
    private ProofBundle golden;
    private KeyHistory keys;

    @BeforeEach
    void publish() throws Exception {
        golden = ProofBundle.parse(Golden.bytes("proof-bundle-v1.attest.json"));
        KeyChange change = KeyHistory.of(first.verifier()).announce(first, second);
        log.addAll(List.of(leaf(0), leaf(1), golden.epochLeaf(), leaf(ANNOUNCED, change), leaf(4), leaf(5)));
        CompactRange before = CompactRange.empty();
        log.subList(0, ANNOUNCED).forEach(leaf -> before.append(Rfc6962.leafHash(leaf)));
        KeyStep step = KeyStep.of(change, log.get(ANNOUNCED), before, note(log, ANNOUNCED + 1, first));
        keys = new PublishedKeys(first.verifier().vkey(), List.of(step)).verify(first.verifier());
    }

    private static byte[] leaf(long epoch, KeyChange... changes) {
        List<EpochLeaf.Logged> logged =
                Stream.of(changes).map(KeyChange::logged).toList();
        return new EpochLeaf(epoch, "2026-01-05T09:00:00.000Z", Map.of("events", 1L), logged, Rfc6962.EMPTY_ROOT)
                .encode();
    }

    private static String note(List<byte[]> leaves, int size, NoteSigner... signers) {
        String text = new Checkpoint(Samples.ORIGIN, new TreeSize(size), new ReferenceTree(leaves).root(size)).text();
        return new SignedNote(
                        text,
                        Stream.of(signers).map(signer -> signer.sign(text)).toList())
                .encode();
    }

    /** The event under the checkpoint of such a size. */
    private ProofBundle bundle(List<byte[]> leaves, int size, NoteSigner... signers) {
        return new ProofBundle(
                golden.entry(),
                golden.leafIndex(),
                golden.leafPath(),
                golden.head(),
                golden.shards(),
                golden.vectorPath(),
                golden.epochLeaf(),
                new ReferenceTree(leaves).path(2, size),
                note(leaves, size, signers),
                golden.payload(),
                golden.salt());
    }

    /** A log that never was; that the event is in it stands for one that never was either. */
    private List<byte[]> forged() {
        return List.of(leaf(0), leaf(0), golden.epochLeaf(), leaf(7), leaf(7), leaf(7));
    }

    private Continuation continuation(int from, int to, NoteSigner... signers) throws InvalidFormat {
        Continuation made = new Continuation(note(log, to, signers), new ReferenceTree(log).proof(from, to));
        return Continuation.parse(made.encode());
    }

    private BundleReport verify(ProofBundle bundle, Optional<Continuation> continuation) {
        BundleVerifier verifier = new BundleVerifier(keys);
        return continuation.map(verifier::continuedBy).orElse(verifier).verify(bundle, Samples.event());
    }

    private static Check currentKey(BundleReport report) {
        return report.checks().stream()
                .filter(check -> check.name().equals("signed-by-a-current-key"))
                .findFirst()
                .orElseThrow();
    }

    private void fails(String why, ProofBundle bundle, Continuation continuation) {
        BundleReport report = verify(bundle, Optional.of(continuation));
        assertThat(currentKey(report).outcome()).isEqualTo(Outcome.FAILED);
        assertThat(currentKey(report).detail()).contains(why);
        assertThat(report.ok()).isFalse();
    }

    /** Nothing tells it from one that was made in time: so neither verifies by itself. */
    @Test
    void aBundleThatAnOldKeySignedForASizeOfItsTimeIsNotVerified() {
        for (List<byte[]> leaves : List.of(forged(), log)) {
            for (int size = 3; size <= ANNOUNCED; size++) {
                // when
                BundleReport report = verify(bundle(leaves, size, first), Optional.empty());

                // then
                assertThat(report.ok()).isFalse();
                assertThat(report.firstFailure()).isEmpty();
                assertThat(currentKey(report).outcome()).isEqualTo(Outcome.NOT_MADE);
                assertThat(currentKey(report).detail())
                        .contains(first.verifier().vkey() + " signed it", "attestream consistency");
            }
        }
    }

    @Test
    void aBundleOfTheEpochThatAnnouncesAKeyIsHeldAgainstTheHistory() {
        // when
        BundleReport genuine = verify(bundle(log, ANNOUNCED + 1, first), Optional.empty());
        BundleReport other = verify(bundle(forged(), ANNOUNCED + 1, first), Optional.empty());

        // then
        assertThat(genuine.ok()).isTrue();
        assertThat(other.firstFailure().orElseThrow().name()).isEqualTo("note-signature");
        assertThat(other.firstFailure().orElseThrow().detail()).contains("the history of keys was logged with root");
    }

    @Test
    void aBundleThatTheNewestKeySignedIsVerified() {
        assertThat(verify(bundle(log, 5, first, second), Optional.empty()).ok()).isTrue();
        assertThat(verify(bundle(log, 6, second), Optional.empty()).ok()).isTrue();
    }

    @Test
    void anOldBundleIsVerifiedByANewerCheckpointThatContinuesIt() throws Exception {
        // given: what the newest key signed, or what the history of keys was logged with
        for (Continuation newer :
                List.of(continuation(3, 5, first, second), continuation(3, 6, second), continuation(3, 4, first))) {
            // when
            BundleReport report = verify(bundle(log, 3, first), Optional.of(newer));

            // then
            assertThat(currentKey(report).outcome()).isEqualTo(Outcome.PASSED);
            assertThat(report.ok()).isTrue();
        }
    }

    @Test
    void aForgedBundleIsContinuedByNothing() throws Exception {
        // given
        ProofBundle bundle = bundle(forged(), 3, first);

        // then
        fails("does not continue that of size 3", bundle, continuation(3, 6, second));
        fails("does not continue that of size 3", bundle, continuation(3, 4, first));
        fails("is signed by an older key than", bundle, new Continuation(note(forged(), 3, first), List.of()));
        ReferenceTree tree = new ReferenceTree(forged());
        fails("does not verify", bundle, new Continuation(note(forged(), 4, first), tree.proof(3, 4)));
        fails("does not verify", bundle, new Continuation(note(forged(), 6, first), tree.proof(3, 6)));
        fails("cannot be read", bundle, new Continuation("no note", List.of()));
        // nor is a genuine one by an older checkpoint
        fails("does not continue", bundle(log, 6, second), new Continuation(note(log, 5, second), List.of()));
    }

    @Test
    void aLedgerThatHasHadOneKeyIsNotAskedForAnother() {
        // when
        BundleReport report = new BundleVerifier(first.verifier()).verify(bundle(log, 3, first), Samples.event());

        // then
        assertThat(report.ok()).isTrue();
        assertThat(report.checks()).extracting(Check::name).doesNotContain("signed-by-a-current-key");
    }
}
