// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.MlDsaSigner;
import io.attestream.proofs.note.NoteSignature;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.Security;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that are signed by an ML-DSA-44 key beside the ledger's own. */
class HybridCheckpointTest {
    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

    @TempDir
    Path directory;

    private Scene scene;
    private MlDsaSigner hybrid;

    /** Stands for a process that died: nothing after it runs. */
    private static final class Died extends RuntimeException {}

    @BeforeAll
    static void register() {
        Security.addProvider(PROVIDER);
    }

    @AfterAll
    static void remove() {
        Security.removeProvider(PROVIDER.getName());
    }

    @BeforeEach
    void prepare() {
        scene = new Scene(directory, 2);
        hybrid = MlDsaSigner.generate(TestLedger.ORIGIN, new SecureRandom());
    }

    private void configure(boolean withHybrid) {
        scene.signingKeys =
                new SigningKeys(List.of(scene.ledger.key), withHybrid ? Optional.of(hybrid) : Optional.empty());
    }

    private SignedNote published(int epoch) throws Exception {
        return SignedNote.parse(scene.published().get(epoch).note());
    }

    @Test
    void aCheckpointHasALineMoreThatOthersIgnore() throws Exception {
        // given
        configure(true);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();

        // when
        process.checkpointer.publishNewest();

        // then
        SignedNote note = published(0);
        assertThat(note.signatures()).hasSize(2);
        assertThat(hybrid.verifier().verifies(note)).isTrue();
        assertThat(KeyHistory.of(scene.ledger.ledger.key()).verify(note)).isInstanceOf(NoteVerification.Verified.class);
        scene.start().checkpointer.takeUp();
    }

    /** The line comes from a setting: there is one note of an epoch all the same. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSuccessorThatIsConfiguredOtherwisePublishesWhatItsPredecessorArchived(boolean predecessorHas)
            throws Exception {
        // given
        configure(predecessorHas);
        Scene.Instance process = scene.start((step, epoch) -> {
            if (step == PublishStep.EPOCH_ARCHIVED) {
                throw new Died();
            }
        });
        process.checkpointer.takeUp();
        assertThatThrownBy(process.checkpointer::publishNewest).isInstanceOf(Died.class);

        // when
        configure(!predecessorHas);
        scene.start().checkpointer.takeUp();

        // then
        assertThat(published(0).signatures()).hasSize(predecessorHas ? 2 : 1);
        assertThat(scene.store.get(ObjectNames.epoch(0)))
                .contains(EpochObjects.published(scene.published().get(0)));
        scene.start().checkpointer.takeUp();
    }

    @Test
    void anArchivedNoteThatTheLedgerDidNotSignIsNotPublished() throws Exception {
        // given
        configure(true);
        Scene.Instance process = scene.start((step, epoch) -> {
            if (step == PublishStep.SIGNED) {
                throw new Died();
            }
        });
        process.checkpointer.takeUp();
        assertThatThrownBy(process.checkpointer::publishNewest).isInstanceOf(Died.class);
        EpochIntent intent = scene.history().openIntent().orElseThrow();
        NoteSigner thief = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
        String forged = SignedNote.sign(intent.noteText(), thief).encode();
        scene.store.putIfAbsent(ObjectNames.epoch(0), EpochObjects.encode(intent, forged));

        // then
        assertThatThrownBy(scene.start().checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("is not signed by");
        assertThat(scene.published()).isEmpty();
    }

    /** Nobody verifies the line but who asks for it, and what is published is published for ever. */
    @Test
    void anArchivedLineThatDoesNotVerifyIsNotPublished() throws Exception {
        // given: somebody changed the line, and none of the ledger's own
        configure(true);
        Scene.Instance process = scene.start((step, epoch) -> {
            if (step == PublishStep.EPOCH_ARCHIVED) {
                throw new Died();
            }
        });
        process.checkpointer.takeUp();
        assertThatThrownBy(process.checkpointer::publishNewest).isInstanceOf(Died.class);
        EpochIntent intent = scene.history().openIntent().orElseThrow();
        SignedNote note = SignedNote.parse(
                EpochObject.parse(scene.store.get(ObjectNames.epoch(0)).orElseThrow())
                        .note());
        List<NoteSignature> lines = note.signatures().stream()
                .map(line -> line.keyId() == hybrid.verifier().keyId() ? changed(line) : line)
                .toList();
        String forged = new SignedNote(note.text(), lines).encode();
        scene.store.replace(ObjectNames.epoch(0), EpochObjects.encode(intent, forged));

        // then
        assertThatThrownBy(scene.start().checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("a line by the ML-DSA-44 key")
                .hasMessageContaining("does not verify");
        assertThat(scene.published()).isEmpty();

        // and without it the epoch is made again
        scene.store.delete(ObjectNames.epoch(0));
        scene.start().checkpointer.takeUp();
        assertThat(hybrid.verifier().verifies(published(0))).isTrue();
    }

    private static NoteSignature changed(NoteSignature line) {
        byte[] blob = line.blob();
        blob[blob.length - 1] ^= 1;
        return new NoteSignature(line.keyName(), line.keyId(), blob);
    }

    @Test
    void aKeyOfAnotherNameIsRefused() {
        MlDsaSigner foreign = MlDsaSigner.generate("other.example", new SecureRandom());
        assertThatThrownBy(() -> new SigningKeys(List.of(scene.ledger.key), Optional.of(foreign)))
                .hasMessageContaining("is named other.example");
    }
}
