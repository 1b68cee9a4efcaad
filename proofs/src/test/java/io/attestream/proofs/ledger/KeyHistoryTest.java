// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSignature;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which keys a ledger has when, and what a history of them must prove. */
class KeyHistoryTest {
    private static final String ORIGIN = "ledger.example/keys";

    private final NoteSigner first = key();
    private final NoteSigner second = key();
    private final NoteSigner third = key();
    private final NoteSigner thief = key();

    private final List<KeyStep> steps = new ArrayList<>();
    private final CompactRange log = CompactRange.empty();
    private KeyHistory history = KeyHistory.of(first.verifier());

    private static NoteSigner key() {
        return NoteSigner.generate(ORIGIN, new SecureRandom());
    }

    /** An epoch that logs these changes, signed as a checkpointer that has all keys signs it. */
    private void publish(KeyChange... changes) throws InvalidFormat {
        byte[] leaf = leaf(log.size().value(), changes);
        CompactRange before = log.copy();
        log.append(Rfc6962.leafHash(leaf));
        String note = signed(history.active()).encode();
        for (KeyChange change : changes) {
            history = history.with(change, log.size().value() - 1);
            steps.add(KeyStep.of(change, leaf, before, note));
        }
    }

    private static byte[] leaf(long epoch, KeyChange... changes) {
        List<EpochLeaf.Logged> logged =
                Stream.of(changes).map(KeyChange::logged).toList();
        return new EpochLeaf(epoch, "2026-01-05T09:00:00.000Z", Map.of("events", 1L), logged, Rfc6962.EMPTY_ROOT)
                .encode();
    }

    private SignedNote signed(List<NoteVerifier> keys) {
        return signedBy(Stream.of(first, second, third)
                .filter(signer -> keys.contains(signer.verifier()))
                .toArray(NoteSigner[]::new));
    }

    /** The checkpoint of the log as it is now. */
    private SignedNote signedBy(NoteSigner... signers) {
        String text = new Checkpoint(ORIGIN, log.size(), log.root()).text();
        return new SignedNote(
                text, Stream.of(signers).map(signer -> signer.sign(text)).toList());
    }

    private KeyHistory published() throws InvalidFormat {
        return PublishedKeys.parse(new PublishedKeys(first.verifier().vkey(), steps).encode())
                .verify(first.verifier());
    }

    private void refuses(String why, PublishedKeys keys) {
        assertThatThrownBy(() -> keys.verify(first.verifier()))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining(why);
    }

    private PublishedKeys with(List<KeyStep> other) {
        return new PublishedKeys(first.verifier().vkey(), other);
    }

    private void rejects(String why, SignedNote note) {
        assertThat(history.verify(note))
                .isInstanceOfSatisfying(
                        NoteVerification.Rejected.class,
                        rejected -> assertThat(rejected.reason()).contains(why));
    }

    private void accepts(SignedNote note) {
        assertThat(history.verify(note)).isInstanceOf(NoteVerification.Verified.class);
    }

    /** Epoch 0; 1 announces the second key; 2 and 3 are signed by both; 3 retires the first; 4 has the second alone. */
    private void rotate() throws InvalidFormat {
        publish();
        publish(history.announce(first, second));
        publish();
        publish(history.retire(second, first.verifier()));
        publish();
    }

    @Test
    void aKeySignsFromTheEpochBehindItsAnnouncementToTheOneThatLogsItsRetirement() throws Exception {
        // when
        rotate();

        // then
        NoteVerifier one = first.verifier();
        NoteVerifier two = second.verifier();
        assertThat(history.activeAt(0)).containsExactly(one);
        assertThat(history.activeAt(1)).containsExactly(one);
        assertThat(history.activeAt(2)).containsExactly(one, two);
        assertThat(history.activeAt(3)).containsExactly(one, two);
        assertThat(history.activeAt(4)).containsExactly(two);
        assertThat(history.active()).containsExactly(two);
        assertThat(history.newestAt(1)).isEqualTo(one);
        assertThat(history.newestAt(2)).isEqualTo(two);
    }

    @Test
    void whoTrustsTheFirstKeyVerifiesTheWholeHistory() throws Exception {
        // given
        rotate();
        publish(history.announce(second, third));
        publish(history.retire(third, second.verifier()));
        publish();

        // when
        KeyHistory verified = published();

        // then
        assertThat(verified).isEqualTo(history);
        assertThat(verified.verify(signedBy(third))).isInstanceOf(NoteVerification.Verified.class);
    }

    @Test
    void anAnnouncementAndARetirementInOneEpochHoldTogether() throws Exception {
        // given
        publish();
        KeyChange announced = history.announce(first, second);
        KeyChange retired = history.with(announced, 1).retire(second, first.verifier());

        // when
        publish(announced, retired);
        publish();

        // then
        assertThat(history.activeAt(1)).containsExactly(first.verifier());
        assertThat(history.activeAt(2)).containsExactly(second.verifier());
        assertThat(published()).isEqualTo(history);
    }

    @Test
    void oldCheckpointsVerifyWithTheHistoryAndWithTheFirstKeyAlone() throws Exception {
        // given
        publish();
        SignedNote old = signedBy(first);
        publish(history.announce(first, second));
        publish();
        SignedNote both = signedBy(first, second);
        publish(history.retire(second, first.verifier()));
        publish();

        // then
        accepts(old);
        accepts(both);
        accepts(signedBy(second));
        KeyHistory alone = KeyHistory.of(first.verifier());
        assertThat(alone.verify(old)).isInstanceOf(NoteVerification.Verified.class);
        assertThat(alone.verify(both)).isInstanceOf(NoteVerification.Verified.class);
        assertThat(alone.verify(signedBy(second))).isInstanceOf(NoteVerification.Rejected.class);
    }

    @Test
    void refusesACheckpointSignedByARetiredKeyOnly() throws Exception {
        // given
        rotate();

        // then
        rejects("is retired from epoch 4 on", signedBy(first));
        rejects("is retired from epoch 4 on", signedBy(first, thief));
    }

    @Test
    void refusesACheckpointSignedByAnOlderKeyOnlyWhileBothAreThere() throws Exception {
        // given
        publish();
        publish(history.announce(first, second));
        publish();

        // then
        rejects("signed by an older key only", signedBy(first));
        accepts(signedBy(second));
        accepts(signedBy(first, second));
    }

    @Test
    void refusesACheckpointSignedByAKeyBeforeItsFirstEpoch() throws Exception {
        // given: the epoch that announces it
        publish();
        publish(history.announce(first, second));

        // then
        rejects("signs from epoch 2 on", signedBy(second));
        accepts(signedBy(first, second)); // what a key signs in vain is ignored
    }

    @Test
    void refusesASignatureOfAKnownKeyThatDoesNotVerify() throws Exception {
        // given
        rotate();
        publish(history.announce(second, third));
        publish();
        SignedNote note = signedBy(second, third);
        byte[] blob = note.signatures().get(0).blob();
        blob[0] ^= 1;
        NoteSignature broken = new NoteSignature(ORIGIN, second.verifier().keyId(), blob);

        // then
        rejects(
                "does not verify",
                new SignedNote(note.text(), List.of(broken, note.signatures().get(1))));
    }

    /** A leaked key signs for the sizes of its time for ever: the history knows one of them, and that it is not current. */
    @Test
    void whatAnOldKeySignsForTheSizesOfItsTimeIsNotCurrent() throws Exception {
        // given
        rotate();
        history = published();

        for (long size = 1; size <= 5; size++) {
            // when
            Checkpoint forged = new Checkpoint(ORIGIN, new TreeSize(size), Rfc6962.EMPTY_ROOT);
            SignedNote note = SignedNote.sign(forged.text(), first);

            // then
            if (size == 1) {
                accepts(note);
                assertThat(history.isCurrent(forged)).isFalse();
            } else {
                assertThat(history.verify(note)).isInstanceOf(NoteVerification.Rejected.class);
            }
        }
        // and at the size that announces the next key the history says what is there
        rejects(
                "the history of keys was logged with root",
                SignedNote.sign(new Checkpoint(ORIGIN, new TreeSize(2), Rfc6962.EMPTY_ROOT).text(), first));
        SignedNote announced = SignedNote.parse(steps.get(0).note());
        accepts(announced);
        assertThat(history.isCurrent(Checkpoint.parse(announced.text()))).isTrue();
        assertThat(history.isCurrent(new Checkpoint(ORIGIN, log.size(), log.root())))
                .isTrue();
    }

    /** Sizes are unsigned: one beyond 2^63 is of no epoch, and no retired key signs it. */
    @Test
    void refusesACheckpointOfMoreEpochsThanThereCanBe() throws Exception {
        // given
        rotate();
        for (long size : List.of(-1L, Long.MIN_VALUE)) {
            String text = new Checkpoint(ORIGIN, new TreeSize(size), log.root()).text();

            // then
            rejects("no ledger has", SignedNote.sign(text, first));
        }
    }

    @Test
    void refusesACheckpointOfAnotherOrigin() throws Exception {
        // given
        rotate();
        NoteSigner renamed = second.withName("other.example");
        String text = new Checkpoint("other.example", log.size(), log.root()).text();

        // then
        rejects("the checkpoint is of other.example", SignedNote.sign(text, renamed));
        rejects("the checkpoint is of other.example", SignedNote.sign(text, second));
    }

    @Test
    void refusesAChangeThatTheKeyBeforeDidNotSign() throws Exception {
        // given: the thief announces his key with no key of the ledger's, and with one that is retired
        rotate();
        KeyChange forged =
                KeyChange.sign(3, KeyChange.Kind.ANNOUNCE, thief.verifier(), history.digest(), List.of(first, thief));
        KeyChange retirement =
                KeyChange.sign(3, KeyChange.Kind.RETIRE, second.verifier(), history.digest(), List.of(first, thief));

        // then
        assertThatThrownBy(() -> history.with(forged, 5)).hasMessageContaining("is not signed by the newest key");
        assertThatThrownBy(() -> history.with(retirement, 5)).hasMessageContaining("is not signed by the newest key");
    }

    @Test
    void whileTwoKeysOverlapTheOlderOneChangesNothing() throws Exception {
        // given
        publish(history.announce(first, second));
        KeyChange forged =
                KeyChange.sign(2, KeyChange.Kind.ANNOUNCE, thief.verifier(), history.digest(), List.of(first, thief));

        // then
        assertThatThrownBy(() -> history.with(forged, 1)).hasMessageContaining("is not signed by the newest key");
    }

    @Test
    void refusesAKeyThatDoesNotProveThatItIsHeld() {
        // given
        KeyChange change =
                KeyChange.sign(1, KeyChange.Kind.ANNOUNCE, second.verifier(), history.digest(), List.of(first));

        // then
        assertThatThrownBy(() -> history.with(change, 0)).hasMessageContaining("is not signed by the key it announces");
    }

    @Test
    void refusesChangesThatMakeNoSense() throws Exception {
        // given
        rotate();

        // then
        assertThatThrownBy(() -> history.announce(second, first)).hasMessageContaining("the ledger has or had");
        assertThatThrownBy(() -> history.announce(second, second)).hasMessageContaining("the ledger has or had");
        assertThatThrownBy(() -> history.retire(second, second.verifier()))
                .hasMessageContaining("retires the newest key");
        assertThatThrownBy(() -> history.retire(second, first.verifier())).hasMessageContaining("does not sign");
        NoteSigner foreign = NoteSigner.generate("other.example", new SecureRandom());
        assertThatThrownBy(() -> history.announce(second, foreign)).hasMessageContaining("named " + ORIGIN);
        assertThatThrownBy(() -> history.with(history.announce(second, third), 2))
                .hasMessageContaining("was logged before the one before it");
        assertThatThrownBy(() -> history.with(history.announce(second, third), -1))
                .hasMessageContaining("was logged before the one before it");
    }

    /** A note that names two known keys by one id verifies with neither. */
    @Test
    void refusesAKeyWithTheKeyIdOfAnother() throws Exception {
        // given: found by trying
        NoteSigner one = numbered(11_557);
        NoteSigner other = numbered(163_010);
        assertThat(one.verifier().keyId()).isEqualTo(other.verifier().keyId());
        KeyHistory start = KeyHistory.of(one.verifier());

        // then
        assertThatThrownBy(() -> start.announce(one, other)).hasMessageContaining("or one with its key id");
    }

    private static NoteSigner numbered(int number) throws Exception {
        byte[] seed = MessageDigest.getInstance("SHA-256").digest(("key " + number).getBytes(StandardCharsets.UTF_8));
        return NoteSigner.generate(ORIGIN, new SecureRandom() {
            @Override
            public void nextBytes(byte[] bytes) {
                System.arraycopy(seed, 0, bytes, 0, bytes.length);
            }
        });
    }

    /** As an epoch logs them: so many at most, and nothing else. */
    @Test
    void allChangesThereCanBeFitAPublishedHistory() throws Exception {
        // given: a step of the longest name, in a log of the most epochs
        String origin = "ledger.example/" + "n".repeat(185);
        NoteSigner one = NoteSigner.generate(origin, new SecureRandom());
        NoteSigner two = NoteSigner.generate(origin, new SecureRandom());
        KeyChange change = KeyHistory.of(one.verifier()).announce(one, two);
        byte[] leaf = leaf(
                Long.MAX_VALUE - 1,
                Collections.nCopies(KeyChange.LOGGED_MAX, change).toArray(KeyChange[]::new));
        String text = new Checkpoint(origin, new TreeSize(Long.MAX_VALUE), Rfc6962.EMPTY_ROOT).text();
        List<NoteSignature> lines = new ArrayList<>(Collections.nCopies(8, one.sign(text)));
        lines.add(new NoteSignature(origin, 1, new byte[2_428])); // ML-DSA-44
        String note = new SignedNote(text, lines).encode();
        KeyStep step = new KeyStep(change.encode(), leaf, Collections.nCopies(63, Rfc6962.EMPTY_ROOT), note);

        // then
        assertThat((long) KeyChange.CHANGES_MAX * (step.encode().length + 1)).isLessThan(PublishedKeys.MAX_SIZE_BYTES);
    }

    @Test
    void refusesAHistoryThatLeavesAChangeOutOrReordersThem() throws Exception {
        // given
        rotate();
        publish(history.announce(second, third));

        // then
        List<KeyStep> reordered = new ArrayList<>(steps);
        Collections.swap(reordered, 0, 1);
        refuses("does not follow", with(reordered));
        refuses("does not follow", with(List.of(steps.get(0), steps.get(2))));
        refuses("does not follow", with(List.of(steps.get(1), steps.get(2))));
        refuses("does not follow", with(List.of(steps.get(0), steps.get(0))));
        refuses(
                "is of a ledger with first key",
                new PublishedKeys(second.verifier().vkey(), steps));
    }

    /** Two announcements signed by the same keys: what follows the one does not follow the other. */
    @Test
    void refusesAHistoryThatForks() throws Exception {
        // given
        KeyHistory start = history;
        rotate();
        KeyChange other = start.announce(first, third);

        // then
        assertThatThrownBy(
                        () -> start.with(other, 1).with(history.changes().get(1).change(), 3))
                .hasMessageContaining("follows another change");
        assertThat(history.continues(start)).isTrue();
        assertThat(start.with(other, 1).continues(history)).isFalse();
        assertThat(history.continues(start.with(other, 1))).isFalse();
        assertThat(start.continues(history)).isFalse();
    }

    @Test
    void refusesAChangeThatIsNotLoggedInTheEpochItIsShownWith() throws Exception {
        // given: an announcement by the right keys, and a checkpoint of an epoch that does not log it
        publish();
        KeyChange change = history.announce(first, second);
        byte[] leaf = leaf(1);
        CompactRange before = log.copy();
        log.append(Rfc6962.leafHash(leaf));

        // then
        refuses(
                "is not logged",
                with(List.of(KeyStep.of(change, leaf, before, signedBy(first).encode()))));
    }

    @Test
    void refusesAnEpochThatIsNotInTheLogThatWasSigned() throws Exception {
        // given: the leaf was made for the change, the checkpoint is of another
        publish();
        KeyChange change = history.announce(first, second);
        CompactRange before = log.copy();
        log.append(Rfc6962.leafHash(leaf(1)));
        String note = signedBy(first).encode();

        // then
        refuses("is not in the ledger log", with(List.of(KeyStep.of(change, leaf(1, change), before, note))));
        // nor is one of a smaller log, whose path would lead there
        CompactRange empty = CompactRange.empty();
        refuses("is not in the ledger log", with(List.of(KeyStep.of(change, leaf(1, change), empty, note))));
    }

    @Test
    void refusesAChangeWhoseEpochOnlyTheNewKeySigned() throws Exception {
        // given
        publish();
        KeyChange change = history.announce(first, second);
        byte[] leaf = leaf(1, change);
        CompactRange before = log.copy();
        log.append(Rfc6962.leafHash(leaf));

        // then
        refuses(
                "does not verify",
                with(List.of(KeyStep.of(change, leaf, before, signedBy(second).encode()))));
        refuses(
                "does not verify",
                with(List.of(KeyStep.of(change, leaf, before, signedBy(thief).encode()))));
    }

    @Test
    void aChangedByteAnywhereInAStepIsRefused() throws Exception {
        // given
        rotate();
        byte[] step = steps.get(0).encode();

        for (int at = 0; at < step.length; at++) {
            // when
            byte[] changed = step.clone();
            changed[at] ^= 1;

            // then
            assertThat(holds(changed))
                    .as("byte %s of %s", at, new String(step, StandardCharsets.UTF_8))
                    .isFalse();
        }
    }

    private boolean holds(byte[] step) {
        try {
            return !with(List.of(KeyStep.parse(step)))
                    .verify(first.verifier())
                    .changes()
                    .isEmpty();
        } catch (InvalidFormat e) {
            return false;
        }
    }

    @Test
    void theOperatorsFileGrowsBehindWhatWasLogged() throws Exception {
        // given
        KeyChanges file = KeyChanges.none(first.verifier());
        assertThat(file.pending(history)).isEmpty();
        KeyChange announced = history.announce(first, second);
        KeyChanges one = KeyChanges.parse(file.with(announced).encode());

        // when, then
        assertThat(one.pending(history)).containsExactly(announced);
        publish(announced);
        assertThat(one.pending(history)).isEmpty();
        KeyChange retired = history.retire(second, first.verifier());
        assertThat(one.with(retired).pending(history)).containsExactly(retired);

        // and another file than that of the changes that were logged is refused
        KeyChange other = KeyHistory.of(first.verifier()).announce(first, third);
        assertThatThrownBy(() -> file.with(other).pending(history))
                .hasMessageContaining("must begin with the 1 changes");
        assertThatThrownBy(() -> file.pending(history)).hasMessageContaining("must begin with the 1 changes");
        assertThatThrownBy(() -> one.with(retired).with(retired).pending(history))
                .hasMessageContaining("does not follow");
        assertThatThrownBy(() -> KeyChanges.none(second.verifier()).pending(history))
                .hasMessageContaining("is of a ledger with first key".replace("is", "are"));
    }

    @Test
    void readsTheGoldenHistory() throws Exception {
        // given
        byte[] golden = Golden.bytes("keys-history-v1.json");
        NoteVerifier key = NoteVerifier.parse(Golden.lines("keys-v1.txt").get(1));

        // when
        PublishedKeys read = PublishedKeys.parse(golden);
        KeyHistory verified = read.verify(key);

        // then
        assertThat(read.encode()).isEqualTo(golden);
        assertThat(verified.spans()).hasSize(2);
        assertThat(verified.spans().get(0).key()).isEqualTo(key);
        assertThat(verified.spans().get(0).retiredFromEpoch()).hasValue(4);
        assertThat(verified.spans().get(1).fromEpoch()).isEqualTo(3);
        assertThat(verified.changes().get(0).change().name())
                .isEqualTo(Golden.lines("keys-history-names-v1.txt").get(0));
        assertThat(Arrays.copyOf(verified.changes().get(1).change().encode(), 10))
                .isEqualTo(Arrays.copyOf(key.keyName().getBytes(StandardCharsets.UTF_8), 10));
    }

    /** The thief logs the genuine change, which is public, in an epoch of the same number. */
    @Test
    void aChangeLoggedInAnotherLogIsNotTheSameHistory() throws Exception {
        // given
        publish();
        publish(history.announce(first, second));
        KeyHistory kept = published();
        KeyChange change = kept.changes().get(0).change();

        // when
        CompactRange forged = CompactRange.empty();
        forged.append(Rfc6962.leafHash("forged".getBytes(StandardCharsets.UTF_8)));
        CompactRange before = forged.copy();
        byte[] leaf = leaf(1, change);
        forged.append(Rfc6962.leafHash(leaf));
        String note = SignedNote.sign(new Checkpoint(ORIGIN, forged.size(), forged.root()).text(), first)
                .encode();
        KeyHistory told = KeyStep.of(change, leaf, before, note).extend(KeyHistory.of(first.verifier()));

        // then
        assertThat(told.changes()).isEqualTo(kept.changes());
        assertThat(told.continues(kept)).isFalse();
        assertThat(kept.continues(told)).isFalse();
        assertThat(kept.continues(kept)).isTrue();
        assertThat(kept.continues(KeyHistory.of(first.verifier()))).isTrue();
    }
}
