// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.processors.IntegrityException;
import io.attestream.processors.TestLedger;
import io.attestream.processors.sequencer.ShardModel.Told;
import io.attestream.processors.sequencer.ShardModel.Told.BadTold;
import io.attestream.processors.sequencer.ShardModel.Told.EventTold;
import io.attestream.processors.sequencer.ShardModel.Told.GenesisTold;
import io.attestream.processors.sequencer.ShardModel.Told.RulesTold;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.tree.Hash;
import io.attestream.schemas.avro.Sealed;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardStateTest {
    private static final int SHARD = 1;
    private static final int RECORDS = 2_500;
    private static final StateLife LIFE = new StateLife(1, 1, new Uuid(1, 2), new byte[32]);

    private final TestLedger ledger = new TestLedger(2, 256);
    private final MemoryStores stores = new MemoryStores();

    private ShardState open(MemoryStores from) {
        return ShardState.open(SHARD, ledger.shards, LIFE, ledger.key.verifier(), from);
    }

    private ShardState begun() {
        ShardState state = open(stores);
        state.accept(0, 1_000, ledger.genesisValue(SHARD));
        return state;
    }

    private Decision accept(ShardState state, String id, String content) {
        return state.accept(state.nextOffset(), 1_000 + state.nextOffset(), ledger.eventValue(SHARD, id, content))
                .decision();
    }

    private void fill(ShardState state, String prefix, long toSize) {
        while (state.size() < toSize) {
            accept(state, prefix + state.size(), "x");
        }
    }

    // ---- any way of feeding the same records gives the same tree

    /** A record and its position; offsets have gaps, as transaction markers make them. */
    private record Fed(long offset, Told told, byte[] value) {}

    private List<Fed> randomRecords(Random random) {
        List<Fed> records = new ArrayList<>();
        int rulesVersion = 1;
        long offset = 0;
        records.add(new Fed(offset, new GenesisTold(256), ledger.genesisValue(SHARD)));
        while (records.size() < RECORDS) {
            offset += 1 + (random.nextInt(20) == 0 ? random.nextInt(3) : 0);
            int what = random.nextInt(400);
            Told told = what == 0
                    ? new RulesTold(256L << random.nextInt(3))
                    : what < 20
                            ? new BadTold(List.of("undecodable", "misrouted", "invalid-control")
                                    .get(random.nextInt(3)))
                            : new EventTold("id-" + random.nextInt(900), "content-" + random.nextInt(100) / 90);
            if (told instanceof RulesTold) {
                rulesVersion++;
            }
            records.add(new Fed(offset, told, ShardModel.value(ledger, SHARD, told, rulesVersion)));
        }
        return records;
    }

    /** What came out: decisions, and all deltas. */
    private static final class Run {
        final List<String> decisions = new ArrayList<>();
        final List<Sealed> deltas = new ArrayList<>();

        void take(ShardState.Step step, long leafIndex) {
            decisions.add(describe(step.decision(), leafIndex));
            step.delta().ifPresent(deltas::add);
        }

        List<Hash> hashes() {
            List<Hash> hashes = new ArrayList<>();
            for (Sealed delta : deltas) {
                assertThat(delta.getFirstIndex()).isEqualTo(hashes.size());
                byte[] bytes = bytes(delta.getHashes());
                for (int at = 0; at < bytes.length; at += 32) {
                    hashes.add(Hash.of(bytes, at));
                }
            }
            return hashes;
        }
    }

    private static String describe(Decision decision, long leafIndex) {
        if (decision instanceof Decision.Leaf leaf) {
            return "leaf " + leaf.kind().word() + " " + leafIndex;
        }
        return decision instanceof Decision.Duplicate duplicate
                ? "duplicate " + duplicate.reference()
                : "rejected " + ((Decision.Rejected) decision).reason();
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** @param restartPercent how often it crashes after a commit and goes on from the stores */
    private Run run(List<Fed> records, MemoryStores into, Random random, int restartPercent) {
        Run run = new Run();
        ShardState state = open(into);
        for (Fed record : records) {
            long leafIndex = state.size();
            run.take(state.accept(record.offset(), 5_000 + record.offset(), record.value()), leafIndex);
            if (random.nextInt(100) < restartPercent) {
                state.seal().ifPresent(run.deltas::add);
            }
            if (random.nextInt(100) < restartPercent) {
                state = open(into);
            }
        }
        state.seal().ifPresent(run.deltas::add);
        return run;
    }

    @RepeatedTest(4)
    void givesTheSameTreeHoweverItIsFedAndAsTheModelSays() {
        // given
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        List<Fed> records = randomRecords(random);
        ShardModel model = new ShardModel();
        List<String> expected = records.stream()
                .map(record -> model.decide(record.offset(), record.told()).replaceAll(" ref .*", ""))
                .toList();

        // when
        MemoryStores straightStores = new MemoryStores();
        Run straight = run(records, straightStores, random, 0);
        MemoryStores brokenStores = new MemoryStores();
        Run broken = run(records, brokenStores, random, 20);

        // then
        assertThat(straight.decisions).as("seed " + seed).isEqualTo(expected);
        assertThat(broken.decisions).as("seed " + seed).isEqualTo(expected);
        assertThat(broken.hashes()).isEqualTo(straight.hashes()).hasSize(model.leaves.size());
        assertThat(brokenStores.edge()).isEqualTo(straightStores.edge());
        assertThat(brokenStores.tiles()).isEqualTo(straightStores.tiles());
        assertThat(expected)
                .anyMatch(decision -> decision.startsWith("duplicate"))
                .anyMatch(decision -> decision.startsWith("leaf conflict"))
                .anyMatch(decision -> decision.startsWith("leaf rules"));
        requireRootsOf(straight, model);
        requireRootsOf(broken, model);
    }

    private static void requireRootsOf(Run run, ShardModel model) {
        List<Hash> hashes = run.hashes();
        long size = 0;
        for (Sealed delta : run.deltas) {
            int count = delta.getOffsets().size();
            assertThat(size % 256 + count).as("a delta crosses no tile").isLessThanOrEqualTo(256);
            for (int i = 0; i < count; i++) {
                ShardModel.ModelLeaf leaf = model.leaves.get((int) size + i);
                assertThat(delta.getKinds().get(i)).isEqualTo(leaf.kind().code());
                assertThat(delta.getOffsets().get(i))
                        .isEqualTo(leaf.offset())
                        .isLessThan(delta.getHead().getNextOffset());
                assertThat(delta.getTimestampsMillis().get(i)).isEqualTo(5_000 + leaf.offset());
                boolean zero =
                        Arrays.equals(bytes(delta.getIdentityDigests()), 16 * i, 16 * i + 16, new byte[16], 0, 16);
                assertThat(zero).isEqualTo(leaf.kind() != EntryKind.EVENT);
            }
            size += count;
            assertThat(delta.getHead().getSize()).isEqualTo(size);
            assertThat(delta.getHead().getRoot().bytes())
                    .isEqualTo(ShardModel.root(hashes.subList(0, (int) size)).bytes());
        }
    }

    @Test
    void keepsWindowStateBoundedByTheWindow() {
        // given
        ShardState state = begun();

        // when
        fill(state, "id-", 256 * 9);

        // then
        assertThat(stores.tileCount()).isEqualTo(1);
    }

    // ---- dedup

    @Test
    void recognisesARetryOfALeafThatWasNotInAFullTileAfterARestart() {
        // given
        ShardState state = begun();
        assertThat(accept(state, "a", "x")).isInstanceOf(Decision.Leaf.class);

        // when
        Decision retry = accept(open(stores), "a", "x");

        // then
        assertThat(retry).isEqualTo(new Decision.Duplicate(1));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void remembersExactlyTheLastWLeaves(boolean restart) {
        // given: "edge" is leaf 1, and leaves up to 256 follow
        ShardState state = begun();
        accept(state, "edge", "x");
        fill(state, "other-", 257);
        if (restart) {
            state = open(stores);
        }

        // when: the window is leaves 1 to 256
        Decision within = accept(state, "edge", "x");
        accept(state, "pushes-it-out", "x");
        Decision beyond = accept(restart ? open(stores) : state, "edge", "x");

        // then
        assertThat(within).isEqualTo(new Decision.Duplicate(1));
        assertThat(describe(beyond, 258)).isEqualTo("leaf event 258");
    }

    @Test
    void makesOtherContentAConflictThatIsALeafButNeverTheFirst() {
        // given
        ShardState state = begun();
        accept(state, "a", "one");

        // when
        Decision other = accept(state, "a", "two");
        Decision again = accept(open(stores), "a", "two");
        Decision first = accept(state, "a", "one");

        // then
        assertThat(describe(other, 2)).isEqualTo("leaf conflict 2");
        assertThat(describe(again, 3)).isEqualTo("leaf conflict 3");
        assertThat(first).isEqualTo(new Decision.Duplicate(1));
    }

    @Test
    void forgetsWhatASmallerWindowDoesNotReachAndNeverTakesItBack() {
        // given
        ShardState state = begun();
        state.accept(1, 0, ledger.rulesValue(SHARD, 2, 1024));
        accept(state, "old", "x");
        fill(state, "id-", 600);

        // when
        Decision before = accept(state, "old", "x");
        state.accept(state.nextOffset(), 0, ledger.rulesValue(SHARD, 3, 256));
        int tilesOfTheSmaller = stores.tileCount();
        state.accept(state.nextOffset(), 0, ledger.rulesValue(SHARD, 4, 2048));
        Decision kept = accept(state, "id-599", "x");
        Decision after = accept(open(stores), "old", "x");

        // then
        assertThat(before).isEqualTo(new Decision.Duplicate(2));
        assertThat(tilesOfTheSmaller).isEqualTo(1);
        assertThat(kept).isEqualTo(new Decision.Duplicate(599));
        assertThat(after).isInstanceOf(Decision.Leaf.class);
    }

    @Test
    void saysHowFarBackDedupReaches() {
        // given
        ShardState state = begun();
        fill(state, "id-", 256);
        assertThat(state.windowStartMillis()).isEmpty();

        // when: leaves 300 to 555 are remembered; the oldest full tile among them begins with leaf 256 at offset 256
        fill(state, "id-", 556);

        // then
        assertThat(state.windowStartMillis()).hasValue(1_000 + 256);
        assertThat(open(stores).windowStartMillis()).hasValue(1_000 + 256);
    }

    // ---- sealing

    @Test
    void sealsNothingTwice() {
        // given
        ShardState state = begun();
        accept(state, "a", "x");

        // when
        Sealed delta = state.seal().orElseThrow();

        // then
        assertThat(delta.getOffsets()).containsExactly(0L, 1L);
        assertThat(state.seal()).isEmpty();
        assertThat(open(stores).seal()).isEmpty();
    }

    @Test
    void accountsForRecordsThatAreNoLeavesWithAnEmptyDelta() {
        // given
        ShardState state = begun();
        state.seal();

        // when
        state.accept(1, 0, new byte[] {9});
        Sealed delta = state.seal().orElseThrow();

        // then
        assertThat(delta.getOffsets()).isEmpty();
        assertThat(delta.getHead().getNextOffset()).isEqualTo(2);
        assertThat(delta.getHead().getSize()).isEqualTo(1);
    }

    // ---- fences

    @Test
    void refusesAnOffsetItHasAccountedFor() {
        // given
        ShardState state = begun();
        accept(state, "a", "x");

        // when, then
        assertThatThrownBy(() -> state.accept(1, 0, ledger.eventValue(SHARD, "b", "x")))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("was given offset 1")
                .hasMessageContaining("below 2");
        assertThat(state.size()).isEqualTo(2);
    }

    @Test
    void refusesToBeginWithAnythingButGenesis() {
        assertThatThrownBy(() -> open(stores).accept(500, 0, ledger.eventValue(SHARD, "a", "x")))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("the state was lost");
    }

    @Test
    void refusesTheGenesisOfAnotherShard() {
        assertThatThrownBy(() -> open(stores).accept(0, 0, ledger.genesisValue(0)))
                .isInstanceOf(IntegrityException.class);
    }

    @Test
    void refusesAGenesisSignedByAnotherKey() {
        TestLedger other = new TestLedger(2, 256);
        assertThatThrownBy(() -> open(stores).accept(0, 0, other.genesisValue(SHARD)))
                .isInstanceOf(IntegrityException.class);
    }

    @Test
    void refusesStateOfAnotherLife() {
        begun();
        requireRefused(new StateLife(2, 1, new Uuid(1, 2), new byte[32]), "generation 1");
        requireRefused(new StateLife(1, 2, new Uuid(1, 2), new byte[32]), "incarnation 1");
        requireRefused(new StateLife(1, 1, new Uuid(1, 3), new byte[32]), "the topic was recreated");
        byte[] otherChangelogs = new byte[32];
        otherChangelogs[31] = 1;
        requireRefused(new StateLife(1, 1, new Uuid(1, 2), otherChangelogs), "a changelog was deleted or replaced");
    }

    private void requireRefused(StateLife life, String why) {
        assertThatThrownBy(() -> ShardState.open(SHARD, ledger.shards, life, ledger.key.verifier(), stores))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining(why);
    }

    @Test
    void refusesStateOfWhichAPartIsMissing() {
        ShardState state = begun();
        fill(state, "id-", 300);

        stores.loseTiles();
        requireRefused(LIFE, "the dedup window lacks tile 0");
        stores.loseControl();
        requireRefused(LIFE, "no control record");
        stores.putControl(new byte[] {1});
        stores.loseEdge();
        requireRefused(LIFE, "no edge record");
    }

    @Test
    void refusesStateOfWhichTheRulesAreOlderThanTheRest() {
        // given: what a changelog of rules without its last record restores
        ShardState state = begun();
        byte[] before = stores.control();
        state.accept(1, 0, ledger.rulesValue(SHARD, 2, 256));

        // when
        stores.putControl(before);

        // then
        requireRefused(LIFE, "has rules of version 1 in its state, its edge record is under version 2");
    }

    @Test
    void refusesAnEdgeRecordOfAnotherFormat() {
        begun();
        byte[] edge = stores.edge();
        edge[3] = 2;
        stores.putEdge(edge);
        requireRefused(LIFE, "another version of this program");
    }

    @Test
    void stopsAtAnUnknownSchemaWithoutDeciding() {
        // given
        ShardState state = begun();

        // when, then
        assertThatThrownBy(() -> state.accept(1, 0, TestLedger.unknownSchemaValue()))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("schema id 999");
        assertThat(state.nextOffset()).isEqualTo(1);
    }
}
