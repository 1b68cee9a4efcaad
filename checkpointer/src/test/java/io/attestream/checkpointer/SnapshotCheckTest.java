// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A snapshot that bears the ledger's signature, whole in itself, and is not what the archive gives: a bug signed it, or a thief. */
class SnapshotCheckTest {
    @TempDir
    private Path directory;

    private Scene scene;
    private SnapshotName honest;
    private Snapshot manifest;
    private ShardSnapshot state;

    @BeforeEach
    void takeASnapshot() throws Exception {
        scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        honest = process.takeSnapshot();
        scene.grow("second");
        process.read();
        process.checkpointer.publishNewest();
        StoredSnapshots stored = new StoredSnapshots(scene.store, scene.ledger.ledger);
        manifest = stored.manifest(honest);
        state = stored.state(manifest.shards().get(1));
    }

    private List<ArchiveCheck.Finding> findings() throws Exception {
        ArchiveCheck check = ArchiveCheck.openAlone(
                scene.ledger.ledger.key(), scene.store, Long.MAX_VALUE, ArchiveCheck.Listener.NONE);
        return ((ArchiveCheck.Result.Checked) check.run()).report().findings();
    }

    private List<SnapshotList.Item> items() throws Exception {
        return SnapshotList.open(scene.ledger.ledger.key(), scene.store).items(true);
    }

    /** In the place of the honest one, signed. */
    private SnapshotName forge(List<Hash> ledgerFrontier, ShardHead head, ShardSnapshot other) throws Exception {
        byte[] object = other.encode();
        String name = SnapshotName.ofShard(0, 1, object);
        scene.store.putIfAbsent(name, object);
        Snapshot forged = new Snapshot(
                manifest.origin(),
                0,
                ledgerFrontier,
                1,
                1,
                manifest.time(),
                List.of(manifest.shards().get(0), new Snapshot.Shard(head, name)));
        byte[] note = StoredSnapshots.encode(
                SignedNote.sign(forged.text(), scene.ledger.key.withName(Snapshot.keyName(TestLedger.ORIGIN))));
        SnapshotName forgedName = SnapshotName.of(0, note);
        scene.store.delete(honest.name());
        scene.store.putIfAbsent(forgedName.name(), note);
        return forgedName;
    }

    private SnapshotName forge(ShardSnapshot other) throws Exception {
        return forge(manifest.ledgerFrontier(), state.head(), other);
    }

    private ShardSnapshot with(Map<String, Long> counts, List<byte[]> controls, long first, List<WindowName> window) {
        return new ShardSnapshot(
                state.head(),
                state.frontier(),
                counts,
                controls,
                first,
                window,
                state.sealedOffset(),
                state.outcomesOffset(),
                state.leafSizeBytes());
    }

    /** The snapshot's generation is signed, that of an epoch object is not. */
    @Test
    void blamesTheEpochObjectForAGenerationThatASignedSnapshotDoesNotHave() throws Exception {
        // given: both epochs, since generations only rise
        for (long epoch = 0; epoch < 2; epoch++) {
            String name = ObjectNames.epoch(epoch);
            String object = new String(scene.store.get(name).orElseThrow(), StandardCharsets.UTF_8);
            String edited = object.replace("\"generation\":1", "\"generation\":7");
            assertThat(edited).isNotEqualTo(object);
            scene.store.replace(name, edited.getBytes(StandardCharsets.UTF_8));
            LogRecord.Published published =
                    new StoredEpochs(scene.store).get(epoch).orElseThrow();
            scene.store.replace(ObjectNames.guard(epoch), GuardObject.encode(published.intent(), scene.ledger.key));
        }

        // then
        assertThat(findings())
                .extracting(ArchiveCheck.Finding::object, ArchiveCheck.Finding::actual)
                .containsExactly(tuple(ObjectNames.epoch(0), "generation 7"));
    }

    @Test
    void findsNothingInAnHonestOne() throws Exception {
        assertThat(findings()).isEmpty();
        assertThat(items()).singleElement().satisfies(item -> {
            assertThat(item.isGood()).isTrue();
            assertThat(item.epoch()).isZero();
            assertThat(item.loggedEpoch()).hasValue(1);
            assertThat(item.leaves())
                    .isEqualTo(manifest.heads().stream()
                            .mapToLong(head -> head.size().value())
                            .sum());
            assertThat(item.remembered()).isEqualTo(item.leaves());
        });
    }

    @Test
    void tellsThatASnapshotIsNotLoggedYet() throws Exception {
        // given
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.takeSnapshot();

        // then
        assertThat(items()).hasSize(2);
        assertThat(items().get(0).loggedEpoch()).isEmpty();
        assertThat(items().get(0).isGood()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"identity", "tag", "offset", "kind"})
    void findsARowThatIsNotThatOfTheLeaf(String what) throws Exception {
        // given
        WindowName name = state.window().get(0);
        WindowBlock block = WindowBlock.parse(name, scene.store.get(name.name()).orElseThrow());
        WindowBlock.Builder other = new WindowBlock.Builder(1, 0);
        for (long index = 0; index < name.end(); index++) {
            WindowBlock.Row row = block.row(index);
            other.add(index == 2 ? changed(row, what) : row);
        }
        byte[] object = other.build();
        scene.store.putIfAbsent(other.name(object).name(), object);

        // when
        forge(with(state.counts(), state.controls(), state.windowFirst(), List.of(other.name(object))));

        // then
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.expected()).contains(name.name()));
    }

    private static WindowBlock.Row changed(WindowBlock.Row row, String what) {
        byte[] identity = row.identity().clone();
        byte[] tag = row.contentTag().clone();
        identity[3] ^= (byte) (what.equals("identity") ? 1 : 0);
        tag[3] ^= (byte) (what.equals("tag") ? 1 : 0);
        return new WindowBlock.Row(
                what.equals("kind") ? EntryKind.CONFLICT : row.kind(),
                row.offset() + (what.equals("offset") ? 1 : 0),
                identity,
                tag);
    }

    @Test
    void findsAWindowThatBeginsElsewhere() throws Exception {
        forge(with(state.counts(), state.controls(), 1, state.window()));
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.expected()).isEqualTo("first remembered leaf 0"));
    }

    @Test
    void findsOtherCounts() throws Exception {
        Map<String, Long> counts = new TreeMap<>(state.counts());
        counts.merge("duplicates", 1L, Long::sum);
        forge(with(counts, state.controls(), 0, state.window()));
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.expected()).startsWith("counts"));
    }

    @Test
    void findsOtherControlRecords() throws Exception {
        byte[] genesis = state.controls().get(0).clone();
        genesis[20] ^= 1;
        forge(with(state.counts(), List.of(genesis), 0, state.window()));
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.expected()).contains("control records"));
    }

    @Test
    void findsOtherHeads() throws Exception {
        // given a head one input offset further
        ShardHead head = state.head();
        ShardHead other = new ShardHead(1, head.size(), head.root(), head.nextOffset() + 1);
        ShardSnapshot moved = new ShardSnapshot(
                other,
                state.frontier(),
                state.counts(),
                state.controls(),
                state.windowFirst(),
                state.window(),
                state.sealedOffset(),
                state.outcomesOffset(),
                state.leafSizeBytes());

        // when
        forge(manifest.ledgerFrontier(), other, moved);

        // then
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.expected()).startsWith("heads"));
        assertThat(items())
                .singleElement()
                .satisfies(item -> assertThat(item.problem()).contains("published were"));

        // and nobody goes on from it
        assertThatThrownBy(() -> scene.start().checkpointer.takeUp())
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("snapshot of epoch 0 has heads")
                .hasMessageContaining("was rewritten");
    }

    @Test
    void findsAnotherFrontierOfTheLedgerLog() throws Exception {
        forge(List.of(Rfc6962.EMPTY_ROOT), state.head(), state);
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.expected()).contains("frontier of the ledger log"));
        assertThat(items())
                .singleElement()
                .satisfies(item -> assertThat(item.isGood()).isFalse());
    }

    @ParameterizedTest
    @ValueSource(strings = {SnapshotName.SNAPSHOTS, SnapshotName.SHARD_SNAPSHOTS, WindowName.WINDOWS})
    void namesAnObjectWithAFlippedBitAndOneThatIsGone(String prefix) throws Exception {
        for (String name : new ArrayList<>(scene.store.list(prefix))) {
            byte[] good = scene.store.get(name).orElseThrow();
            byte[] damaged = good.clone();
            damaged[damaged.length / 2] ^= 1;
            scene.store.replace(name, damaged);
            assertThat(findings())
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.object()).isEqualTo(name));
            assertThat(items().get(0).isGood()).isFalse();
            assertThat(items().get(0).problem()).contains(name);

            if (!prefix.equals(SnapshotName.SNAPSHOTS)) {
                scene.store.delete(name);
                assertThat(findings())
                        .singleElement()
                        .satisfies(finding -> assertThat(finding.object()).isEqualTo(name));
                assertThat(items().get(0).problem()).contains(name);
                scene.store.putIfAbsent(name, good);
            } else {
                scene.store.replace(name, good);
            }
        }
    }
}
