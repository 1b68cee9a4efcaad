// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.tree.Hash;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Snapshots as docs/entry-format.md has them; the golden files were made apart from the code. */
class SnapshotTest {
    private static final String ORIGIN = "attestream.example/ledger";

    private final byte[] note = Golden.bytes("snapshot-v1.snapshot");
    private final byte[] state = Golden.bytes("shard-snapshot-v1.json");
    private final byte[] window = Golden.bytes("window-v1.window");
    private final List<String> names = Golden.lines("snapshot-names-v1.txt");

    @Test
    void readsTheGoldenSnapshotUnderTheLedgersKey() throws Exception {
        // when
        SnapshotName name = SnapshotName.parse(names.get(0));
        name.requireDigest(note);
        SignedNote signed = SignedNote.parse(note);
        Snapshot manifest = Snapshot.parse(ORIGIN, signed.text());
        NoteVerifier key = NoteVerifier.parse(Golden.lines("keys-v1.txt").get(1));

        // then
        assertThat(signed.verify(List.of(key.withName(Snapshot.keyName(ORIGIN)))))
                .isInstanceOf(NoteVerification.Verified.class);
        assertThat(manifest.epoch()).isEqualTo(2).isEqualTo(name.epoch());
        assertThat(manifest.text()).isEqualTo(signed.text());
        assertThat(manifest.ledgerRange().size().value()).isEqualTo(3);
        assertThat(manifest.shards().get(0).name()).isEqualTo(names.get(1));
        assertThat(SnapshotName.of(2, note).name()).isEqualTo(names.get(0));
    }

    @Test
    void readsTheGoldenShard() throws Exception {
        // when
        SnapshotName.requireShardDigest(names.get(1), state);
        ShardSnapshot shard = ShardSnapshot.parse(state);

        // then
        assertThat(shard.encode()).isEqualTo(state);
        assertThat(shard.range().root()).isEqualTo(shard.head().root());
        assertThat(shard.head().nextOffset()).isEqualTo(6);
        assertThat(shard.controls()).containsExactly(Golden.bytes("control-genesis-v1.json"));
        assertThat(shard.windowFirst()).isEqualTo(1);
        assertThat(shard.window()).extracting(WindowName::name).containsExactly(names.get(2));
        assertThat(shard.sealedOffset()).isEqualTo(7);
        assertThat(shard.outcomesOffset()).isEqualTo(1);
        assertThat(SnapshotName.ofShard(2, 0, state)).isEqualTo(names.get(1));
    }

    @Test
    void readsAndWritesTheGoldenWindow() throws Exception {
        // when
        WindowName name = WindowName.parse(names.get(2));
        WindowBlock block = WindowBlock.parse(name, window);

        // then
        assertThat(block.row(0).kind()).isEqualTo(EntryKind.GENESIS);
        WindowBlock.Row event = block.row(1);
        assertThat(event.kind()).isEqualTo(EntryKind.EVENT);
        assertThat(event.offset()).isEqualTo(3);
        assertThat(event.identity()).hasSize(16).startsWith(0x10);
        assertThat(event.contentTag()).hasSize(16).startsWith(0x30);
        assertThat(block.row(2).kind()).isEqualTo(EntryKind.CONFLICT);
        WindowBlock.Builder again = new WindowBlock.Builder(0, 0);
        for (long index = 0; index < 3; index++) {
            again.add(block.row(index));
        }
        assertThat(again.build()).isEqualTo(window);
        assertThat(again.name(window)).isEqualTo(name);
    }

    @Test
    void growsAWindowBlockRowByRow() throws Exception {
        // given
        WindowBlock.Builder builder = new WindowBlock.Builder(4, 65_536);
        for (int i = 0; i < 1000; i++) {
            builder.add(new WindowBlock.Row(EntryKind.EVENT, 2L * i, new byte[16], new byte[16]));
        }

        // when
        byte[] built = builder.build();
        WindowBlock block = WindowBlock.parse(builder.name(built), built);

        // then
        assertThat(block.name().end()).isEqualTo(66_536);
        assertThat(block.row(66_535).offset()).isEqualTo(1998);
    }

    /** Every byte of each object counts. */
    @Test
    void refusesEveryFlippedBit() throws Exception {
        for (int at = 0; at < window.length; at++) {
            byte[] flipped = window.clone();
            flipped[at] ^= 4;
            assertThatThrownBy(() -> WindowBlock.parse(WindowName.parse(names.get(2)), flipped))
                    .isInstanceOf(InvalidFormat.class)
                    .hasMessageContaining("digest");
        }
        for (int at = 0; at < state.length; at++) {
            byte[] flipped = state.clone();
            flipped[at] ^= 4;
            assertThatThrownBy(() -> SnapshotName.requireShardDigest(names.get(1), flipped))
                    .isInstanceOf(InvalidFormat.class)
                    .hasMessageContaining("digest");
        }
    }

    /** A digest says who wrote it, not that it is right. */
    @ParameterizedTest
    @CsvSource({"0, magic", "11, shard", "19, first", "23, count"})
    void refusesAWindowBlockOfOtherLeavesWhateverItsDigest(int at, String what) throws Exception {
        // given
        byte[] other = window.clone();
        other[at] ^= 1;
        WindowName name = new WindowName(0, 0, 3, PackHeader.sha256(other));

        // then
        assertThatThrownBy(() -> WindowBlock.parse(name, other))
                .as(what)
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("is not a window block of these leaves");
    }

    @Test
    void refusesAWindowBlockWhoseOffsetsDoNotAscend() {
        WindowBlock.Builder builder = new WindowBlock.Builder(0, 0);
        builder.add(new WindowBlock.Row(EntryKind.EVENT, 5, new byte[16], new byte[16]));
        builder.add(new WindowBlock.Row(EntryKind.EVENT, 5, new byte[16], new byte[16]));
        byte[] built = builder.build();
        assertThatThrownBy(() -> WindowBlock.parse(builder.name(built), built))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("has leaf 1 at offset 5 after 5");
    }

    @Test
    void refusesAShardWhoseFrontierGivesAnotherRoot() throws Exception {
        ShardSnapshot good = ShardSnapshot.parse(state);
        List<Hash> swapped = List.of(good.frontier().get(1), good.frontier().get(0));
        refused(with(good, swapped, good.windowFirst(), good.window()), "gives root");
        refused(with(good, swapped.subList(0, 1), good.windowFirst(), good.window()), "must have 2 hashes");
    }

    @Test
    void refusesAShardWhoseWindowIsNotThatOfItsLastLeaves() throws Exception {
        ShardSnapshot good = ShardSnapshot.parse(state);
        Hash digest = good.window().get(0).digest();
        refused(with(good, good.frontier(), 4, good.window()), "windowFirst");
        refused(with(good, good.frontier(), 1, List.of()), "must hold leaves from 1 to 3");
        refused(with(good, good.frontier(), 3, good.window()), "must hold leaves from 3 to 3");
        refused(with(good, good.frontier(), 1, List.of(new WindowName(0, 0, 2, digest))), "ends at leaf 2");
        refused(
                with(good, good.frontier(), 1, List.of(new WindowName(1, 0, 3, digest))),
                "expected is leaf 0 of shard 0");
        refused(
                with(good, good.frontier(), 1, List.of(new WindowName(0, 65_536, 65_537, digest))),
                "begins at leaf 65536");
        refused(
                with(good, good.frontier(), 1, List.of(good.window().get(0), new WindowName(0, 0, 3, digest))),
                "expected is leaf 3");
    }

    private static ShardSnapshot with(ShardSnapshot good, List<Hash> frontier, long first, List<WindowName> window) {
        return new ShardSnapshot(
                good.head(),
                frontier,
                good.counts(),
                good.controls(),
                first,
                window,
                good.sealedOffset(),
                good.outcomesOffset(),
                good.leafSizeBytes());
    }

    private static void refused(ShardSnapshot snapshot, String why) {
        assertThatThrownBy(() -> ShardSnapshot.parse(snapshot.encode()))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining(why);
    }

    @ParameterizedTest
    @CsvSource({
        "'\"epoch\":2', '\"epoch\":3', epoch of another size",
        "'\"v\":1', '\"v\":2', version",
        "'\"generation\":1', '\"generation\":0', generation",
        "'snapshot\n{', 'snapshots\n{', first line",
        "'shard-snapshots/00000000000000000002', 'shard-snapshots/00000000000000000001', name of another epoch",
        "'-00000-', '-00001-', name of another shard",
        "'\"v\":1}', '\"v\":1,\"w\":1}', unknown member"
    })
    void refusesAManifestThatDoesNotFitTogether(String part, String other, String what) throws Exception {
        String text = SignedNote.parse(note).text();
        assertThat(text).contains(part);
        assertThatThrownBy(() -> Snapshot.parse(ORIGIN, text.replace(part, other)))
                .as(what)
                .isInstanceOf(InvalidFormat.class);
    }

    /** Whoever reads it finds a shard by its place. */
    @Test
    void refusesAManifestWhoseShardsAreNotInOrder() throws Exception {
        Snapshot good = Snapshot.parse(ORIGIN, SignedNote.parse(note).text());
        ShardHead head = good.heads().get(0);
        Snapshot.Shard second = new Snapshot.Shard(
                new ShardHead(1, head.size(), head.root(), head.nextOffset()), SnapshotName.ofShard(2, 1, state));
        assertThat(Snapshot.parse(ORIGIN, text(good, good.shards().get(0), second))
                        .shards())
                .hasSize(2);
        for (String text : List.of(text(good, second, good.shards().get(0)), text(good, second))) {
            assertThatThrownBy(() -> Snapshot.parse(ORIGIN, text))
                    .isInstanceOf(InvalidFormat.class)
                    .hasMessageContaining("must be in shard order");
        }
    }

    private static String text(Snapshot good, Snapshot.Shard... shards) {
        return new Snapshot(
                        good.origin(),
                        good.epoch(),
                        good.ledgerFrontier(),
                        good.incarnation(),
                        good.generation(),
                        good.time(),
                        List.of(shards))
                .text();
    }

    @Test
    void refusesAManifestOfAnotherLedger() throws Exception {
        String text = SignedNote.parse(note).text();
        assertThatThrownBy(() -> Snapshot.parse("other.example/ledger", text)).isInstanceOf(InvalidFormat.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "snapshots/2-00.snapshot",
                "snapshots/99999999999999999999-cdc71668d8d68e79b1d600ca50611c82e6a3fe9b47891ca276845ecf450afc72.snapshot",
                "snapshot/00000000000000000002-cdc71668d8d68e79b1d600ca50611c82e6a3fe9b47891ca276845ecf450afc72.snapshot",
                "windows/00000/00000000000000000001-00000000000000000003-76437e1983f998a66ab64ef947961e10f9065f1e4057e2661bed44337a1ee6c1.window",
                "windows/00000/00000000000000000000-00000000000000065537-76437e1983f998a66ab64ef947961e10f9065f1e4057e2661bed44337a1ee6c1.window"
            })
    void refusesOtherNames(String name) {
        assertThatThrownBy(() -> SnapshotName.parse(name)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> WindowName.parse(name)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> SnapshotName.epochOfShard(name)).isInstanceOf(InvalidFormat.class);
    }
}
