// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tile.TileNodeReader;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ledger at an epoch that was chosen, out of the object store, as any client of tiles reads it. */
class ArchiveRestorePointTest {
    @TempDir
    private Path directory;

    private Scene scene;
    private Scene.Instance process;
    private Path target;

    @BeforeEach
    void publishFourEpochs() throws Exception {
        target = directory.resolve("target");
        scene = new Scene(directory.resolve("objects"), 2);
        scene.packLimits = new Unpacked.Limits(256, Long.MAX_VALUE, Long.MAX_VALUE);
        process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        for (int i = 0; i < 3; i++) {
            scene.growBy("epoch-" + i, 150);
            process.read();
            process.checkpointer.publishNewest();
            process.packer.round();
        }
    }

    private ArchiveRestorePoint.Result restore(long epoch) throws InterruptedException {
        return restore(epoch, Optional.empty());
    }

    private ArchiveRestorePoint.Result restore(long epoch, Optional<Checkpoint> kept) throws InterruptedException {
        return new ArchiveRestorePoint(
                        scene.ledger.key.verifier(), scene.store, epoch, target, kept, ArchiveCheck.Listener.NONE)
                .run();
    }

    private Optional<byte[]> file(String path) throws IOException {
        Path file = target.resolve(path);
        return Files.exists(file) ? Optional.of(Files.readAllBytes(file)) : Optional.empty();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3})
    void theLedgerIsThatOfTheEpoch(long epoch) throws Exception {
        // when
        ArchiveRestorePoint.Result result = restore(epoch);

        // then
        LogRecord.Published published = scene.published().get((int) epoch);
        assertThat(result).isInstanceOf(ArchiveRestorePoint.Result.Restored.class);
        SignedNote note = SignedNote.parse(file("log/checkpoint").orElseThrow());
        assertThat(note.encode()).isEqualTo(published.note());
        assertThat(note.verify(List.of(scene.ledger.key.verifier()))).isInstanceOf(NoteVerification.Verified.class);
        requireTree(
                "log",
                Checkpoint.parse(note.text()).size(),
                Checkpoint.parse(note.text()).root());
        EpochObject object = EpochObject.parse(file(ObjectNames.epoch(epoch)).orElseThrow());
        assertThat(ShardHead.vectorRoot(object.heads()))
                .isEqualTo(EpochLeaf.parse(object.epochLeaf()).vectorRoot());
        for (ShardHead head : object.heads()) {
            requireTree("shard/" + head.shard(), head.size(), head.root());
        }
    }

    private void requireTree(String prefix, TreeSize size, Hash root) throws IOException {
        TileNodeReader nodes = new TileNodeReader(tile -> file(prefix + "/" + tile.path()), size);
        assertThat(Proofs.root(size, nodes)).isEqualTo(root);
    }

    @Test
    void refusesAnArchiveThatIsNotWhatWasPublishedAndWritesNoCheckpoint() throws Exception {
        // given
        String pack = scene.store.list(PackName.PACKS).get(0);
        byte[] damaged = scene.store.get(pack).orElseThrow();
        damaged[damaged.length / 2] ^= 1;
        scene.store.replace(pack, damaged);

        // when
        ArchiveRestorePoint.Result result = restore(3);

        // then
        assertThat(result).isInstanceOf(ArchiveRestorePoint.Result.Refused.class);
        assertThat(((ArchiveRestorePoint.Result.Refused) result).findings())
                .anySatisfy(finding -> assertThat(finding.object()).isEqualTo(pack));
        assertThat(target).isEmptyDirectory();
    }

    /** What came after the epoch does not matter to it, unless it says in which packs the epoch's leaves are. */
    @Test
    void restoresAnEpochBeforeADamage() throws Exception {
        // given
        scene.grow("last");
        process.read();
        process.checkpointer.publishNewest();
        scene.store.delete(scene.published().get(3).intent().payloads());
        scene.store.replace(ObjectNames.epoch(4), new byte[] {7});

        // then
        assertThat(restore(2)).isInstanceOf(ArchiveRestorePoint.Result.Restored.class);
    }

    @Test
    void refusesAnEpochWhoseOwnObjectIsDamaged() throws Exception {
        // given
        scene.grow("last");
        process.read();
        process.checkpointer.publishNewest();
        scene.store.replace(ObjectNames.epoch(4), new byte[] {7});

        // then
        assertThat(restore(4)).isInstanceOf(ArchiveRestorePoint.Result.Refused.class);
        assertThat(target).isEmptyDirectory();
    }

    /** The same key signed both. */
    @Test
    void refusesAHistoryThatTheKeptCheckpointIsNotOf() throws Exception {
        // given
        Checkpoint published =
                Checkpoint.parse(scene.published().get(2).intent().noteText());
        Checkpoint other = new Checkpoint(published.origin(), published.size(), Hash.of(new byte[32]));

        // then
        assertThat(restore(3, Optional.of(other))).isInstanceOf(ArchiveRestorePoint.Result.Refused.class);
        assertThat(target).isEmptyDirectory();
        assertThat(restore(3, Optional.of(published))).isInstanceOf(ArchiveRestorePoint.Result.Restored.class);
    }

    @Test
    void whatCannotBeWrittenIsNamedAndNothingIsLeft() throws Exception {
        // given
        Path taken = directory.resolve("file");
        Files.writeString(taken, "kept");
        target = taken.resolve("below");

        // then
        assertThat(restore(1))
                .isInstanceOfSatisfying(
                        ArchiveRestorePoint.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail()).contains(target.toString()));
    }

    @Test
    void saysWhichEpochIsTheNewest() throws Exception {
        assertThat(restore(4))
                .isInstanceOfSatisfying(
                        ArchiveRestorePoint.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail()).contains("the newest is 3"));
        assertThat(target).doesNotExist();
    }

    @Test
    void writesIntoNoDirectoryThatHoldsSomething() throws Exception {
        // given
        Files.createDirectories(target);
        Files.writeString(target.resolve("mine"), "kept");

        // then
        assertThat(restore(1))
                .isInstanceOfSatisfying(
                        ArchiveRestorePoint.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail()).contains("is not empty"));
        assertThat(Files.readString(target.resolve("mine"))).isEqualTo("kept");
    }
}
