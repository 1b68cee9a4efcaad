// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.StoredKeys;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.note.NoteSignature;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One key of a ledger follows another: who signs when, what a checkpointer refuses to begin with, and what survives a death. */
class KeyRotationTest {
    @TempDir
    Path directory;

    private Scene scene;
    private NoteSigner first;
    private final NoteSigner second = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
    private final NoteSigner third = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());

    private int round;

    /** Stands for a process that died: nothing after it runs. */
    private static final class Died extends RuntimeException {}

    @BeforeEach
    void publishOne() throws Exception {
        scene = new Scene(directory, 2);
        first = scene.ledger.key;
        publish(started());
    }

    private Scene.Instance started() throws Exception {
        return started(StepListener.NONE);
    }

    private Scene.Instance started(StepListener steps) throws Exception {
        Scene.Instance process = scene.start(steps);
        process.checkpointer.takeUp();
        return process;
    }

    private void publish(Scene.Instance process) {
        scene.grow("round-" + round++);
        process.read();
        process.checkpointer.publishNewest();
    }

    private void configure(NoteSigner... keys) {
        scene.signingKeys = new SigningKeys(List.of(keys));
    }

    private KeyHistory file() throws InvalidFormat {
        KeyHistory history = KeyHistory.of(first.verifier());
        return scene.keyChanges.isEmpty()
                ? history
                : KeyChanges.after(history, scene.keyChanges.get().changes());
    }

    private void change(KeyChange change) {
        scene.keyChanges = Optional.of(
                scene.keyChanges.orElse(KeyChanges.none(first.verifier())).with(change));
    }

    private void announce(NoteSigner newest, NoteSigner next) throws InvalidFormat {
        change(file().announce(newest, next));
    }

    private void retire(NoteSigner newest, NoteSigner old) throws InvalidFormat {
        change(file().retire(newest, old.verifier()));
    }

    /** Epoch 1 announces the second key, 2 is signed by both, 3 retires the first, 4 is signed by the second alone. */
    private void rotate() throws Exception {
        configure(first, second);
        announce(first, second);
        Scene.Instance process = started();
        publish(process);
        publish(process);
        retire(second, first);
        process = started();
        publish(process);
        publish(process);
    }

    private List<Integer> signers(long epoch) throws InvalidFormat {
        return SignedNote.parse(scene.published().get((int) epoch).note()).signatures().stream()
                .map(NoteSignature::keyId)
                .toList();
    }

    private KeyHistory stored() throws Exception {
        return StoredKeys.read(scene.store, first.verifier()).verify(first.verifier());
    }

    private ArchiveCheck.Report fsck() throws Exception {
        ArchiveCheck.Result result = new ArchiveCheck(
                        scene.store,
                        scene.ledger.ledger,
                        "topic checkpoints",
                        reader -> List.copyOf(scene.log.committed).forEach(reader),
                        new ArchiveCheck.Pace(Long.MAX_VALUE),
                        ArchiveCheck.Listener.NONE)
                .run();
        return ((ArchiveCheck.Result.Checked) result).report();
    }

    private List<String> objects() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.map(Path::toString).sorted().toList();
        }
    }

    /** Neither a record nor an object more than before. */
    private void signsNothing(String why, ThrowingCallable what) throws Exception {
        int attempted = scene.log.attempted.size();
        List<String> before = objects();
        assertThatThrownBy(what).isInstanceOf(FatalDoubtException.class).hasMessageContaining(why);
        assertThat(scene.log.attempted).hasSize(attempted);
        assertThat(objects()).isEqualTo(before);
    }

    // ---- in turn

    @Test
    void checkpointsAreSignedByBothKeysFromTheEpochBehindTheAnnouncementToTheRetirement() throws Exception {
        // when
        rotate();

        // then
        int one = first.verifier().keyId();
        int two = second.verifier().keyId();
        assertThat(signers(0)).containsExactly(one);
        assertThat(signers(1)).containsExactly(one);
        assertThat(signers(2)).containsExactly(one, two);
        assertThat(signers(3)).containsExactly(one, two);
        assertThat(signers(4)).containsExactly(two);
    }

    @Test
    void whoTrustsTheFirstKeyVerifiesEveryCheckpointWithThePublishedHistory() throws Exception {
        // given
        rotate();

        // when
        KeyHistory history = stored();

        // then
        assertThat(history).isEqualTo(scene.history().keys());
        for (LogRecord.Published published : scene.published()) {
            assertThat(history.verify(SignedNote.parse(published.note())))
                    .isInstanceOf(NoteVerification.Verified.class);
        }
        assertThat(scene.published().get(1).intent().epochLeaf())
                .asString()
                .contains(history.changes().get(0).change().name());
    }

    @Test
    void theRetiredKeyCanBeTakenAway() throws Exception {
        // given
        rotate();

        // when
        configure(second);
        publish(started());

        // then
        assertThat(signers(5)).containsExactly(second.verifier().keyId());
        assertThat(fsck().findings()).isEmpty();
        assertThat(fsck().unreferenced()).isEmpty();
    }

    @Test
    void anAnnouncementAndARetirementAreLoggedTogetherWhenAKeyLeaked() throws Exception {
        // given
        configure(first, second);
        announce(first, second);
        retire(second, first);
        Scene.Instance process = started();

        // when
        publish(process);
        publish(process);

        // then
        assertThat(signers(1)).containsExactly(first.verifier().keyId());
        assertThat(signers(2)).containsExactly(second.verifier().keyId());
        assertThat(stored().active()).containsExactly(second.verifier());
    }

    @Test
    void keysFollowEachOtherAgainAndAgain() throws Exception {
        // given
        rotate();
        configure(second, third);
        announce(second, third);
        retire(third, second);

        // when
        Scene.Instance process = started();
        publish(process);
        publish(process);
        configure(third);
        publish(started());

        // then
        assertThat(signers(7)).containsExactly(third.verifier().keyId());
        assertThat(stored().spans()).hasSize(3);
        assertThat(fsck().findings()).isEmpty();
    }

    @Test
    void whatElseIsSignedIsSignedByTheNewestKey() throws Exception {
        // given
        rotate();
        configure(second);
        Scene.Instance process = started();
        publish(process);

        // when: a snapshot, shard notes, and a process that begins with them
        process.takeSnapshot();
        publish(process);
        publish(process);
        Scene.Instance next = started();

        // then
        assertThat(next.start).isPresent();
        assertThat(next.start.orElseThrow().manifest().epoch()).isEqualTo(5);
        byte[] guard = scene.store.get(ObjectNames.guard(5)).orElseThrow();
        EpochIntent intent = scene.published().get(5).intent();
        assertThat(guard).isEqualTo(GuardObject.encode(intent, second)).isNotEqualTo(GuardObject.encode(intent, first));
        SignedNote shardNote = process.signer.signShard(1);
        assertThat(shardNote.signatures()).hasSize(1);
        assertThat(shardNote.verify(List.of(second.verifier().withName(TestLedger.ORIGIN + "/shard/1"))))
                .isInstanceOf(NoteVerification.Verified.class);
        assertThat(fsck().findings()).isEmpty();
    }

    @Test
    void aSnapshotThatARetiredKeySignedIsNotGoneOnFrom() throws Exception {
        // given: a snapshot of an epoch behind the retirement, signed by the retired key
        rotate();
        forgeSnapshot();

        // when
        Scene.Instance next = scene.start();

        // then
        assertThat(next.start).isEmpty();
    }

    private void forgeSnapshot() throws Exception {
        started().takeSnapshot();
        String name = scene.store.list("snapshots/").get(0);
        String text = SignedNote.parse(scene.store.get(name).orElseThrow()).text();
        byte[] forged =
                StoredSnapshots.encode(SignedNote.sign(text, first.withName(Snapshot.keyName(TestLedger.ORIGIN))));
        scene.store.delete(name);
        scene.store.putIfAbsent(SnapshotName.of(4, forged).name(), forged);
    }

    /** Who may write to the store and has an old key: without what proves the newer ones his snapshot is chosen. */
    @Test
    void aSnapshotThatARetiredKeySignedIsFoundOutWhenTheProofsOfNewerKeysAreGone() throws Exception {
        // given
        rotate();
        forgeSnapshot();
        for (int number = 1; number <= 2; number++) {
            scene.store.delete(KeyStep.name(number));
        }
        int attempted = scene.log.attempted.size();

        // when
        Scene.Instance next = scene.start();

        // then
        assertThat(next.start).isPresent();
        assertThatThrownBy(next.checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("the snapshot this began with")
                .hasMessageContaining("is not signed by " + second.verifier().keyName());
        assertThat(scene.log.attempted).hasSize(attempted);
        // and the one behind it is not deceived: the replay made the proofs again
        assertThat(scene.start().start).isEmpty();
        publish(started());
    }

    @Test
    void aHistoryWithAGapIsNoShorterHistory() throws Exception {
        // given
        rotate();
        scene.store.delete(KeyStep.name(1));

        // then
        assertThatThrownBy(this::stored)
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining(KeyStep.name(1) + ": is missing, and " + KeyStep.name(2));
        assertThat(StoredKeys.lacksSteps(scene.store, 0)).isTrue();
    }

    @Test
    void anEpochThatLogsAChangeOfKeysLogsNothingElse() throws Exception {
        // given: a snapshot that is to be logged too
        configure(first, second);
        announce(first, second);
        Scene.Instance process = started();
        SnapshotName snapshot = process.takeSnapshot();

        // when
        publish(process);
        publish(process);

        // then
        assertThat(logged(1)).containsExactly(file().changes().get(0).change().name());
        assertThat(logged(2)).containsExactly(snapshot.name());
    }

    private List<String> logged(int epoch) throws InvalidFormat {
        return EpochLeaf.parse(scene.published().get(epoch).intent().epochLeaf()).logged().stream()
                .map(EpochLeaf.Logged::name)
                .toList();
    }

    // ---- what a checkpointer does not begin with

    /** Another checkpointer announced a key that is retired again by what is to be logged: it signs in between. */
    @Test
    void refusesToBeginWithoutAKeyThatSignsInBetween() throws Exception {
        // given
        configure(first, second);
        announce(first, second);
        dieAt(PublishStep.INTENT_COMMITTED, 1);

        // when
        announce(second, third);
        retire(third, second);
        configure(first, third);

        // then
        signsNothing("the ledger is to be signed by " + second.verifier().vkey(), this::started);
    }

    @Test
    void writesNoChangeOfKeysBeforeItKnowsThatItMayGoOn() throws Exception {
        // given: a guard of an epoch the topic lost
        configure(first, second);
        announce(first, second);
        scene.store.putIfAbsent(ObjectNames.guard(1), "a guard".getBytes(StandardCharsets.UTF_8));

        // then
        signsNothing(ObjectNames.guard(1), this::started);
    }

    @Test
    void refusesTheKeyOfAnotherLedger() throws Exception {
        configure(third);
        signsNothing("the ledger is to be signed by " + first.verifier().vkey(), this::started);
        configure(first, third);
        signsNothing("is none of this ledger's", this::started);
    }

    @Test
    void refusesToBeginWithoutAKeyThatSigns() throws Exception {
        // given: both keys sign
        configure(first, second);
        announce(first, second);
        publish(started());

        // then
        configure(first);
        signsNothing("the ledger is to be signed by " + second.verifier().vkey(), this::started);
        configure(second);
        signsNothing("the ledger is to be signed by " + first.verifier().vkey(), this::started);
    }

    @Test
    void refusesToAnnounceAKeyItDoesNotHave() throws Exception {
        // given
        announce(first, second);

        // then
        signsNothing("the ledger is to be signed by " + second.verifier().vkey(), this::started);
    }

    @Test
    void refusesAFileThatDoesNotBeginWithWhatTheLedgerLogged() throws Exception {
        // given
        rotate();
        Optional<KeyChanges> good = scene.keyChanges;

        // then: another announcement, or fewer changes
        scene.keyChanges = Optional.empty();
        announce(first, third);
        configure(first, second, third);
        signsNothing("must begin with the 2 changes", this::started);
        scene.keyChanges = Optional.of(new KeyChanges(
                first.verifier().vkey(), good.orElseThrow().changes().subList(0, 1)));
        configure(second);
        signsNothing("must begin with the 2 changes", this::started);
        scene.keyChanges = Optional.of(KeyChanges.none(second.verifier()));
        signsNothing("are of a ledger with first key", this::started);

        // and without a file it goes on
        scene.keyChanges = Optional.empty();
        publish(started());
    }

    @Test
    void refusesAnIntentThatLogsAChangeWhichDoesNotHold() throws Exception {
        // given: a change that the newest key did not sign, in the object store
        rotate();
        KeyChange forged = KeyHistory.of(first.verifier()).announce(first, third);
        scene.store.putIfAbsent(forged.name(), forged.encode());

        // then
        refusesToLog("does not follow", forged.logged());
        // nor one that is not there, or other than its name says
        KeyChange unknown = scene.history().keys().announce(second, third);
        refusesToLog("is missing or damaged", unknown.logged());
        scene.store.putIfAbsent(unknown.name(), unknown.encode());
        refusesToLog("with digest", new EpochLeaf.Logged(unknown.name(), forged.digest()));
        // but this one
        scene.history().accept(new LogRecord.Intent(intentThatLogs(unknown.logged())));
    }

    private void refusesToLog(String why, EpochLeaf.Logged logged) throws Exception {
        EpochIntent intent = intentThatLogs(logged);
        signsNothing(why, () -> scene.history().accept(new LogRecord.Intent(intent)));
        Scene.Instance process = started();
        signsNothing(why, () -> process.signer.sign(intent));
    }

    /** Of the next epoch, in which nothing is new. */
    private EpochIntent intentThatLogs(EpochLeaf.Logged logged) throws Exception {
        CheckpointHistory history = scene.history();
        EpochIntent last = history.lastPublished().orElseThrow().intent();
        EpochLeaf leaf = EpochLeaf.parse(last.epochLeaf());
        EpochArchive archive = new EpochArchive(scene.store);
        List<VerifiedHead> heads = new ArrayList<>();
        List<Added> added = new ArrayList<>();
        last.heads().forEach(head -> {
            heads.add(new VerifiedHead(head, Counts.NONE));
            added.add(Added.of(List.of(), head.size()));
        });
        heads.set(0, new VerifiedHead(last.heads().get(0), Counts.of(leaf.counts())));
        EpochAssembler.Epoch epoch = new EpochAssembler(scene.ledger.ledger)
                .assemble(
                        history.ledgerRange(),
                        new Backlog.Content(heads, added, false),
                        List.of(logged),
                        1_700_000_000_000L);
        return new EpochIntent(
                epoch.number(),
                epoch.leaf(),
                epoch.heads(),
                epoch.noteText(),
                archive.writeSegment(epoch),
                archive.writePayloads(epoch),
                last.generation());
    }

    @Test
    void aRecordThatARetiredKeySignedIsRefused() throws Exception {
        // given: the last epoch, as a thief with the retired key would publish it
        rotate();
        LogRecord.Published last = (LogRecord.Published) scene.log.committed.get(scene.log.committed.size() - 1);
        String forged = SignedNote.sign(last.intent().noteText(), first).encode();
        scene.log.committed.set(scene.log.committed.size() - 1, new LogRecord.Published(last.intent(), forged));

        // then
        signsNothing("is not signed by " + second.verifier().vkey(), this::started);
    }

    @Test
    void aRecordOfAnOverlapNeedsBothSignatures() throws Exception {
        // given
        configure(first, second);
        announce(first, second);
        Scene.Instance process = started();
        publish(process);
        publish(process);
        LogRecord.Published last = scene.published().get(2);
        int at = scene.log.committed.indexOf(last);

        for (NoteSigner alone : List.of(first, second)) {
            // when
            String forged = SignedNote.sign(last.intent().noteText(), alone).encode();
            scene.log.committed.set(at, new LogRecord.Published(last.intent(), forged));

            // then
            signsNothing("is not signed by", this::started);
        }
    }

    // ---- deaths

    @ParameterizedTest
    @EnumSource(value = PublishStep.class, names = "SHARD.*", mode = EnumSource.Mode.MATCH_NONE)
    void aDeathInTheEpochThatAnnouncesAKeyLosesNothing(PublishStep step) throws Exception {
        // given
        configure(first, second);
        announce(first, second);
        dieAt(step, 1);

        // when
        Scene.Instance successor = started();
        publish(successor);
        publish(successor);

        // then
        long announced = stored().changes().get(0).epoch();
        assertThat(announced).isEqualTo(1);
        assertThat(signers(announced)).containsExactly(first.verifier().keyId());
        assertThat(signers(announced + 1))
                .containsExactly(first.verifier().keyId(), second.verifier().keyId());
        assertThat(stored()).isEqualTo(scene.history().keys());
        assertThat(fsck().findings()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(value = PublishStep.class, names = "SHARD.*", mode = EnumSource.Mode.MATCH_NONE)
    void aSuccessorSignsAnOpenEpochByTheKeysItsPredecessorSignedItWith(PublishStep step) throws Exception {
        // given: an epoch of the overlap, whose predecessor knew of no retirement
        configure(first, second);
        announce(first, second);
        publish(started());
        List<String> signed = dieAt(step, 2);

        // when: the successor is given the retirement too
        retire(second, first);
        Scene.Instance successor = started();
        publish(successor);
        publish(successor);

        // then
        assertThat(signers(2))
                .containsExactly(first.verifier().keyId(), second.verifier().keyId());
        signed.forEach(note -> assertThat(scene.published().get(2).note()).isEqualTo(note));
        assertThat(stored().active()).containsExactly(second.verifier());
        assertThat(fsck().findings()).isEmpty();
    }

    /** What was signed, if it came to that. */
    private List<String> dieAt(PublishStep step, long epoch) throws Exception {
        List<String> signed = new ArrayList<>();
        Scene.Instance process = started(new StepListener() {
            @Override
            public void reached(PublishStep reached, long at) {
                if (reached == step && at == epoch) {
                    throw new Died();
                }
            }

            @Override
            public void signed(long at, String note) {
                signed.add(note);
            }
        });
        assertThatThrownBy(() -> publish(process)).isInstanceOf(Died.class);
        return signed;
    }

    @Test
    void aSuccessorWithoutTheKeyThatAnOpenEpochAnnouncesSignsNothing() throws Exception {
        // given
        configure(first, second);
        announce(first, second);
        dieAt(PublishStep.INTENT_COMMITTED, 1);

        // when: it was given neither the key nor the file
        configure(first);
        scene.keyChanges = Optional.empty();

        // then
        signsNothing("the ledger is to be signed by " + second.verifier().vkey(), this::started);
    }

    // ---- what rots, and what is lost

    @Test
    void aLostOrDamagedChangeIsFoundAndMadeAgainFromItsProofAndTheProofFromTheTopic() throws Exception {
        // given
        rotate();
        String change = stored().changes().get(0).change().name();
        String step = KeyStep.name(2);
        byte[] good = scene.store.get(step).orElseThrow();
        scene.store.replace(change, "rotten".getBytes(StandardCharsets.UTF_8));
        scene.store.delete(step);

        // then
        assertThat(fsck().findings()).extracting(ArchiveCheck.Finding::object).containsExactly(change, step);

        // when
        ArchiveRestore.Result result = new ArchiveRestore(
                        scene.store,
                        scene.ledger.ledger,
                        reader -> List.copyOf(scene.log.committed).forEach(reader),
                        scene::decisionSource,
                        ArchiveRestore.Listener.NONE)
                .run();

        // then
        assertThat(result).isInstanceOf(ArchiveRestore.Result.Restored.class);
        assertThat(fsck().findings()).isEmpty();
        assertThat(scene.store.get(step)).contains(good);
    }

    @Test
    void aCheckpointerMakesAProofAgainThatItsPredecessorDidNotMake() throws Exception {
        // given
        rotate();
        scene.store.delete(KeyStep.name(1));

        // when
        started();

        // then
        assertThat(stored().changes()).hasSize(2);
        assertThat(fsck().findings()).isEmpty();
    }

    @Test
    void aChangeThatIsLostWithItsProofIsTakenFromTheOperatorsFile() throws Exception {
        // given
        rotate();
        String change = stored().changes().get(0).change().name();
        byte[] step = scene.store.get(KeyStep.name(1)).orElseThrow();
        scene.store.delete(change);
        scene.store.delete(KeyStep.name(1));
        Optional<KeyChanges> given = scene.keyChanges;

        // then
        scene.keyChanges = Optional.empty();
        assertThatThrownBy(this::started).hasMessageContaining("name the file that has it");

        // when
        scene.keyChanges = given;
        started();

        // then
        assertThat(scene.store.get(KeyStep.name(1))).contains(step);
        assertThat(scene.store.get(change)).isPresent();
        assertThat(fsck().findings()).isEmpty();
    }

    /** The process died between an epoch object and the proof of the change in it, and then Kafka was lost. */
    @Test
    void anOpenEpochThatAnnouncesAKeyIsFinishedWithTheKeysOfBeforeAndBehindIt() throws Exception {
        // given
        configure(first, second);
        announce(first, second);
        dieAt(PublishStep.GUARDED, 1);
        SigningKeys both = new SigningKeys(List.of(first, second));
        OpenEpoch open = new OpenEpoch(scene.store, first.verifier(), both);

        // when: Kafka is lost
        EpochIntent intent = open.behind(0).orElseThrow();
        open.finish(
                intent,
                scene.ledger.ledger,
                scene.readArchive(0).shards().stream().map(ShardSnapshot::range).toList());

        // then
        assertThat(stored().active()).containsExactly(first.verifier(), second.verifier());
        assertThat(open.behind(1)).isEmpty();
        scene.loseKafka(2);
        publish(started());
        assertThat(fsck().findings()).isEmpty();
    }

    @Test
    void aProofThatIsLostWithItsChangeIsMissedByWhoKnowsOfIt() throws Exception {
        // given
        rotate();
        assertThat(StoredKeys.lacksSteps(scene.store, 2)).isFalse();

        // when
        for (String name : scene.store.list("keys/0000000002")) {
            scene.store.delete(name);
        }
        scene.store.putIfAbsent("keys/x.step", new byte[] {1});

        // then
        assertThat(StoredKeys.lacksSteps(scene.store, 2)).isTrue();
        assertThat(stored().changes()).hasSize(1);
    }

    @Test
    void theLedgerGoesOnWhenAProofWasNotMadeAndKafkaIsLost() throws Exception {
        // given
        configure(first, second);
        announce(first, second);
        dieAt(PublishStep.EPOCH_ARCHIVED, 1);
        assertThat(scene.store.get(KeyStep.name(1))).isEmpty();

        // when
        scene.loseKafka(2);
        publish(started());

        // then
        assertThat(stored()).isEqualTo(scene.history().keys());
        assertThat(stored().changes()).hasSize(1);
        assertThat(fsck().findings()).isEmpty();
    }

    @Test
    void aProofThatIsLostIsMadeAgainOutOfTheEpochs() throws Exception {
        // given
        rotate();
        byte[] step = scene.store.get(KeyStep.name(2)).orElseThrow();
        scene.store.delete(KeyStep.name(1));
        scene.store.delete(KeyStep.name(2));

        // when
        scene.readArchive(4);

        // then
        assertThat(scene.store.get(KeyStep.name(2))).contains(step);
        assertThat(stored().changes()).hasSize(2);
    }

    @Test
    void theLedgerGoesOnFromTheObjectStoreAfterItsKeysChanged() throws Exception {
        // given
        rotate();
        configure(second);
        publish(started());

        // when: Kafka is lost
        scene.loseKafka(2);
        publish(started());

        // then
        assertThat(signers(scene.published().size() - 1))
                .containsExactly(second.verifier().keyId());
        assertThat(fsck().findings()).isEmpty();
        Incarnations incarnations = new Incarnations(scene.store, first.verifier());
        assertThat(incarnations.of("topic-id-2")).isPresent();
    }

    @Test
    void aClaimThatARetiredKeySignedIsNone() throws Exception {
        // given
        rotate();
        ObjectStore store = scene.store;
        long epoch = scene.published().size() - 1;
        SigningKeys thief = SigningKeys.of(first);

        // then: the thief can write to the store, and has the retired key only
        Incarnations incarnations = new Incarnations(store, first.verifier());
        assertThatThrownBy(() -> incarnations.claim(1, 2, epoch, "cluster", "topic", thief))
                .isInstanceOf(FatalDoubtException.class);
        byte[] json = ("{\"clusterId\":\"cluster\",\"epoch\":" + epoch
                        + ",\"generation\":2,\"incarnation\":2,\"topicId\":\"topic\",\"v\":1}")
                .getBytes(StandardCharsets.UTF_8);
        store.putIfAbsent("incarnations/02.claim", StoredSnapshots.encode(SignedJson.sign("incarnation", json, first)));
        assertThat(incarnations.of("topic")).isEmpty();
        store.replace("incarnations/02.claim", StoredSnapshots.encode(SignedJson.sign("incarnation", json, second)));
        assertThat(incarnations.of("topic")).isPresent();
    }
}
