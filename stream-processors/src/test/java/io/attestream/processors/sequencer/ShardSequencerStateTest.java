// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.processors.IntegrityException;
import io.attestream.processors.TestLedger;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowBlocks;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.schemas.avro.Event;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** State that is made out of the archive is the state that was lost. */
class ShardSequencerStateTest {
    private static final int SHARD = 1;
    private static final StateLife LIFE = new StateLife(1, 1, new Uuid(1, 2), new byte[32]);
    private static final StateLife NEXT = new StateLife(2, 2, new Uuid(3, 4), new byte[32]);

    private final TestLedger ledger = new TestLedger(2, 256);
    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private final MemoryStores stores = new MemoryStores();
    private final ShardState state = ShardState.open(SHARD, ledger.shards, LIFE, ledger.key.verifier(), stores);

    // What the archive has of it.
    private final List<LeafRecord> leaves = new ArrayList<>();
    private final CompactRange range = CompactRange.empty();
    private final WindowBlock.Builder block = new WindowBlock.Builder(SHARD, 0);
    private final List<byte[]> controls = new ArrayList<>();
    private final Map<String, Long> firsts = new HashMap<>();
    private long windowLeaves = 256;
    private long windowFirst;
    private int rulesVersion = 1;

    private void control(byte[] value, long newWindowLeaves) {
        byte[] entry = ControlRecord.ofValue(value);
        long offset = state.nextOffset();
        Decision.Leaf leaf =
                (Decision.Leaf) state.accept(offset, 1_000 + offset, value).decision();
        controls.add(entry);
        add(leaf, new LeafRecord(leaf.kind(), offset, 1_000 + offset, entry), new byte[16]);
        windowLeaves = newWindowLeaves;
        windowFirst = Math.max(windowFirst, leaves.size() - windowLeaves);
    }

    private Decision event(String id, String content) {
        long offset = state.nextOffset() + random.nextInt(2);
        Event event = TestLedger.event(Map.of("id", id, "source", ledger.sourceOf(SHARD)), content);
        Decision decision =
                state.accept(offset, 1_000 + offset, TestLedger.encode(event)).decision();
        if (decision instanceof Decision.Leaf leaf) {
            byte[] entry = leaf.kind() == EntryKind.EVENT
                    ? CanonicalEntry.event(
                            event.getAttributes(),
                            event.getTenant(),
                            event.getActor(),
                            1_000 + offset,
                            event.getDataDigest().bytes(),
                            event.getDataSize())
                    : CanonicalEntry.conflict(
                            event.getAttributes(),
                            event.getTenant(),
                            event.getActor(),
                            1_000 + offset,
                            event.getDataDigest().bytes(),
                            event.getDataSize(),
                            new LeafIndex(Objects.requireNonNull(firsts.get(id), "the first")));
            add(leaf, new LeafRecord(leaf.kind(), offset, 1_000 + offset, entry), TestLedger.tag(content));
            if (leaf.kind() == EntryKind.EVENT) {
                firsts.put(id, leaves.size() - 1L);
            }
        }
        return decision;
    }

    private void add(Decision.Leaf leaf, LeafRecord record, byte[] tag) {
        leaves.add(record);
        range.append(Hash.of(leaf.leafHash()));
        block.add(new WindowBlock.Row(leaf.kind(), record.offset(), leaf.identityDigest(), tag));
        windowFirst = Math.max(windowFirst, leaves.size() - windowLeaves);
    }

    private void fill(int records) {
        control(ledger.genesisValue(SHARD), 256);
        for (int i = 0; i < records; i++) {
            if (random.nextInt(200) == 0) {
                long next = 256L << random.nextInt(3);
                control(ledger.rulesValue(SHARD, ++rulesVersion, next), next);
            } else {
                event("id-" + random.nextInt(700), "content-" + random.nextInt(100) / 95);
            }
        }
        state.seal();
    }

    private ShardSnapshot snapshot(WindowName name) {
        return new ShardSnapshot(
                new ShardHead(SHARD, range.size(), range.root(), state.nextOffset()),
                range.hashes(),
                Map.of(),
                controls,
                windowFirst,
                List.of(name),
                0,
                0,
                0);
    }

    private MemoryStores made(StateLife life) throws Exception {
        byte[] object = block.build();
        WindowName name = block.name(object);
        return made(life, snapshot(name), wanted -> WindowBlock.parse(wanted, object));
    }

    private MemoryStores made(StateLife life, ShardSnapshot snapshot, WindowBlocks blocks) throws Exception {
        ShardSequencerState made = new ShardSequencerState();
        leaves.forEach(made::leaf);
        MemoryStores restored = new MemoryStores();
        made.write(
                snapshot,
                blocks,
                ledger.key.verifier(),
                new ShardSequencerState.Life(
                        life.generation(), life.incarnation(), life.eventsTopicId(), life.changelogs()),
                (store, key, value) -> {
                    switch (store) {
                        case SequencerTopology.EDGE_STORE -> restored.putEdge(value);
                        case SequencerTopology.RULES_STORE -> restored.putControl(value);
                        case SequencerTopology.WINDOW_STORE -> restored.putTile(key, value);
                        default -> throw new AssertionError(store);
                    }
                });
        return restored;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 254, 255, 256, 300, 2_000, 5_000})
    void isThatWhichWasLost(int records) throws Exception {
        // given
        System.out.println("seed " + seed);
        fill(records);

        // when
        MemoryStores made = made(LIFE);

        // then: the edge but for the floor of the window, and each tile that is whole in the window
        assertThat(masked(made.edge())).isEqualTo(masked(stores.edge()));
        assertThat(made.control()).isEqualTo(stores.control());
        Map<ByteBuffer, ByteBuffer> madeTiles = made.tiles();
        Map<ByteBuffer, ByteBuffer> tiles = stores.tiles();
        int whole = 0;
        for (long tile = (windowFirst + 255) / 256; tile < range.size().value() / 256; tile++, whole++) {
            ByteBuffer key = ByteBuffer.wrap(WindowTile.key(tile, windowLeaves));
            assertThat(madeTiles.get(key)).as("tile %d", tile).isEqualTo(tiles.get(key));
        }
        assertThat(madeTiles.size() - whole).isBetween(0, 1);
    }

    private static byte[] masked(byte[] edge) {
        byte[] masked = Objects.requireNonNull(edge, "edge").clone();
        for (int at = 40; at < 48; at++) {
            masked[at] = 0;
        }
        return masked;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 255, 256, 2_000})
    void theNextIncarnationDecidesAsTheLastWouldHave(int records) throws Exception {
        // given
        System.out.println("seed " + seed);
        fill(records);
        MemoryStores made = made(NEXT);
        ShardState next = ShardState.open(SHARD, ledger.shards, NEXT, ledger.key.verifier(), made);
        assertThat(next.nextOffset()).isEqualTo(LedgerOffset.first(2));
        assertThat(next.seal()).isEmpty();

        // when: a rules record takes the place of the genesis where the topic was not lost
        byte[] inForce = controls.get(controls.size() - 1);
        Prior prior = new Prior(5, range.size(), range.hashes());
        byte[] genesis = ledger.laterGenesisValue(
                SHARD,
                2,
                prior,
                ControlRecord.read(inForce, ledger.key.verifier()).rules());
        next.accept(next.nextOffset(), 5_000, genesis);
        state.accept(state.nextOffset(), 5_000, ledger.rulesValue(SHARD, rulesVersion + 1, windowLeaves));

        // then
        for (int i = 0; i < 1_000; i++) {
            byte[] value = ledger.eventValue(SHARD, "id-" + random.nextInt(900), "content-" + random.nextInt(100) / 95);
            Decision expected =
                    state.accept(state.nextOffset(), 6_000 + i, value).decision();
            Decision actual = next.accept(next.nextOffset(), 6_000 + i, value).decision();
            assertThat(describe(actual)).isEqualTo(describe(expected));
        }
        assertThat(next.size()).isEqualTo(state.size());
        assertThat(next.seal().orElseThrow().getFirstIndex())
                .isGreaterThan(range.size().value());
    }

    private static String describe(Decision decision) {
        return decision instanceof Decision.Leaf leaf
                ? leaf.kind() + " " + Hash.of(leaf.leafHash())
                : decision.toString();
    }

    @Test
    void firstSealsTheGenesisAndNoLeafThatWasSealedBefore() throws Exception {
        // given
        fill(300);
        ShardState next = ShardState.open(SHARD, ledger.shards, NEXT, ledger.key.verifier(), made(NEXT));

        // when
        next.accept(next.nextOffset(), 5_000, laterGenesis(range, 2));

        // then
        assertThat(next.seal()).hasValueSatisfying(delta -> {
            assertThat(delta.getFirstIndex()).isEqualTo(range.size().value());
            assertThat(delta.getOffsets()).containsExactly(LedgerOffset.first(2));
            assertThat(delta.getHead().getNextOffset()).isEqualTo(LedgerOffset.of(2, 1));
        });
    }

    private byte[] laterGenesis(CompactRange prior, int incarnation) throws InvalidFormat {
        byte[] inForce = controls.get(controls.size() - 1);
        return ledger.laterGenesisValue(
                SHARD,
                incarnation,
                new Prior(5, prior.size(), prior.hashes()),
                ControlRecord.read(inForce, ledger.key.verifier()).rules());
    }

    @Test
    void aGenesisOfAnotherTreeIncarnationOrRulesStopsTheShard() throws Exception {
        // given
        fill(300);
        CompactRange shorter = CompactRange.empty();
        CompactRange other = CompactRange.empty();
        for (int i = 0; i < range.size().value(); i++) {
            other.append(Hash.of(new byte[32]));
        }
        Prior prior = new Prior(5, range.size(), range.hashes());

        // then
        assertStops(laterGenesis(shorter, 2), "goes on from 0");
        assertStops(laterGenesis(other, 2), "goes on from root");
        assertStops(laterGenesis(range, 3), "genesis of incarnation 3");
        assertStops(
                ledger.laterGenesisValue(SHARD, 2, prior, ledger.rules.withDedupWindowLeaves(1 << 20)),
                "other rules in force");
        assertStops(ledger.eventValue(SHARD, "id", "content"), "is not its genesis");
    }

    private void assertStops(byte[] value, String why) throws Exception {
        ShardState next = ShardState.open(SHARD, ledger.shards, NEXT, ledger.key.verifier(), made(NEXT));
        assertThatThrownBy(() -> next.accept(next.nextOffset(), 5_000, value))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining(why);
    }

    @Test
    void refusesAStateThatIsNotThatOfTheLeaves() throws Exception {
        // given
        fill(300);
        byte[] object = block.build();
        ShardSnapshot snapshot = snapshot(block.name(object));
        WindowBlocks blocks = name -> WindowBlock.parse(name, object);

        // when: a leaf is missing
        leaves.remove(7);

        // then
        assertThatThrownBy(() -> made(NEXT, snapshot, blocks))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("is not that of the");
    }
}
