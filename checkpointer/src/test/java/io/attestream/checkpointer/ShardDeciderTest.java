// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.checkpointer.Decision.WithoutLeaf;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.schemas.avro.Event;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a record, for every kind of record there can be. */
class ShardDeciderTest {
    private static final int SHARD = 0;
    private static final long TIME = 1_767_603_600_000L;

    private static final TestLedger LEDGER = new TestLedger(2);
    private ShardDecider decider = new ShardDecider(SHARD, LEDGER.ledger, 1);
    private ShardDecider ofEntries = ShardDecider.ofEntries(SHARD, LEDGER.ledger, 1);
    private long offset;

    @BeforeEach
    void begin() {
        decider = new ShardDecider(SHARD, LEDGER.ledger, 1);
        ofEntries = ShardDecider.ofEntries(SHARD, LEDGER.ledger, 1);
        offset = 0;
        decide(LEDGER.genesisValue(SHARD));
    }

    // ---- leaves

    @Test
    void genesisIsTheFirstLeaf() {
        // given
        ShardDecider fresh = new ShardDecider(SHARD, LEDGER.ledger, 1);
        byte[] value = LEDGER.genesisValue(SHARD);

        // when
        Leaf leaf = (Leaf) ((ShardDecider.Decided) fresh.decide(0, TIME, value)).decision();

        // then
        assertThat(leaf.index()).isZero();
        assertThat(leaf.kind()).isEqualTo(EntryKind.GENESIS);
        assertThat(leaf.entry()).isEqualTo(Arrays.copyOfRange(value, 1, value.length));
        assertThat(leaf.identityDigest()).containsOnly(0);
    }

    @Test
    void anEventIsALeafWithItsEntryAndPayload() throws Exception {
        // when
        Leaf leaf = leaf(decide(LEDGER.eventValue(SHARD, "id-1", "hello")));

        // then
        EntryView.Event entry = (EntryView.Event) CanonicalEntry.parse(leaf.entry());
        assertThat(leaf.index()).isEqualTo(1);
        assertThat(entry.kind()).isEqualTo(EntryKind.EVENT);
        assertThat(entry.attributes()).containsEntry("id", "id-1");
        assertThat(entry.tenant()).isEqualTo(TestLedger.TENANT);
        assertThat(entry.timeMillis()).isEqualTo(TIME);
        assertThat(entry.dataSizeBytes()).isEqualTo(5);
        assertThat(((Payload.Plain) leaf.payload()).data()).isEqualTo("hello".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void anErasedPayloadDecidesTheSame() {
        // given
        Event event = TestLedger.event(LEDGER.sourceOf(SHARD), "id-1", "hello", Map.of());
        byte[] whole = TestSchemas.encode(event);
        event.setPayload(null);
        byte[] erased = TestSchemas.encode(event);
        ShardDecider other = new ShardDecider(SHARD, LEDGER.ledger, 1);
        other.decide(0, TIME, LEDGER.genesisValue(SHARD));

        // when
        Leaf withPayload = leaf(decide(whole));
        Leaf without = (Leaf) ((ShardDecider.Decided) other.decide(1, TIME, erased)).decision();

        // then
        assertThat(without.leafHash()).isEqualTo(withPayload.leafHash());
        assertThat(without.payload()).isInstanceOf(Payload.None.class);
    }

    // ---- identities

    @Test
    void aRetryIsADuplicateOfTheFirst() {
        // given
        Leaf first = leaf(decide(LEDGER.eventValue(SHARD, "id-1", "hello")));

        // when
        Decision retry = decide(LEDGER.eventValue(SHARD, "id-1", "hello"));

        // then
        assertThat(retry)
                .isEqualTo(new WithoutLeaf(2, OutcomeClaim.Kind.DUPLICATE, OptionalLong.of(first.index()), ""));
    }

    @Test
    void otherContentUnderOneIdentityIsAConflictLeafEachTime() throws Exception {
        // given
        decide(LEDGER.eventValue(SHARD, "id-1", "hello"));

        // when
        Leaf conflict = leaf(decide(LEDGER.eventValue(SHARD, "id-1", "other")));
        Leaf again = leaf(decide(LEDGER.eventValue(SHARD, "id-1", "other")));

        // then
        assertThat(conflict.kind()).isEqualTo(EntryKind.CONFLICT);
        assertThat(again.kind()).isEqualTo(EntryKind.CONFLICT);
        assertThat(again.index()).isEqualTo(3);
        assertThat(((EntryView.Event) CanonicalEntry.parse(conflict.entry())).ref())
                .contains(new LeafIndex(1));
        assertThat(conflict.identityDigest()).containsOnly(0);
    }

    @Test
    void theWindowsEdgeIsExactlyTheLastLeaves() {
        // given: window of 256; leaf 1 is the event, then 254 more, so that leaf 1 is the oldest but one in the window
        decide(LEDGER.eventValue(SHARD, "edge", "p"));
        for (int i = 0; i < 255; i++) {
            decide(LEDGER.eventValue(SHARD, "filler-" + i, "p"));
        }

        // when: 257 leaves, the window is [1, 257)
        Decision inside = decide(LEDGER.eventValue(SHARD, "edge", "p"));
        decide(LEDGER.eventValue(SHARD, "one more", "p"));
        Decision outside = decide(LEDGER.eventValue(SHARD, "edge", "p"));

        // then
        assertThat(inside).isInstanceOf(WithoutLeaf.class);
        assertThat(outside).isInstanceOf(Leaf.class);
    }

    @Test
    void identitiesDifferByPartitionKey() {
        // given
        String source = LEDGER.sourceOf(SHARD);
        decide(TestLedger.eventValue(source, "id-1", "hello", Map.of()));

        String key = IntStream.range(0, 1000)
                .mapToObj(i -> "k" + i)
                .filter(k -> Routing.shard(TestLedger.TENANT, source, k, 2) == SHARD)
                .findFirst()
                .orElseThrow();

        // when
        Decision other = decide(TestLedger.eventValue(source, "id-1", "hello", Map.of("partitionkey", key)));

        // then
        assertThat(leaf(other).kind()).isEqualTo(EntryKind.EVENT);
    }

    // ---- rejections

    static Stream<Arguments> rejected() {
        String source = LEDGER.sourceOf(SHARD);
        Event noId = TestLedger.event(source, "x", "p", Map.of());
        noId.getAttributes().remove("id");
        Event emptySource = TestLedger.event("", "x", "p", Map.of());
        Event control = TestLedger.event(source, "x\u0001", "p", Map.of());
        Event negative = TestLedger.event(source, "x", "p", Map.of());
        negative.setDataSize(-1);
        byte[] good = LEDGER.eventValue(SHARD, "x", "p");
        NoteSigner otherKey = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
        byte[] forged = ControlRecord.toValue(ControlRecord.sign(
                new Control.RulesChange(
                        TestLedger.ORIGIN,
                        SHARD,
                        new Rules(2, 512, 1, 65_000, 1 << 20, TestLedger.rules().schemaFingerprints()),
                        TestLedger.schemas()),
                otherKey));
        return Stream.of(
                Arguments.of("no value", null, "undecodable"),
                Arguments.of("empty", new byte[0], "undecodable"),
                Arguments.of("unknown magic", new byte[] {2, 0, 0, 0, 1}, "undecodable"),
                Arguments.of("magic only", new byte[] {0}, "undecodable"),
                Arguments.of("truncated", Arrays.copyOf(good, good.length - 1), "undecodable"),
                Arguments.of("trailing byte", Arrays.copyOf(good, good.length + 1), "undecodable"),
                Arguments.of("another record's schema", new byte[] {0, 0, 0, 0, 2, 0}, "undecodable"),
                Arguments.of("no id", TestSchemas.encode(noId), "undecodable"),
                Arguments.of("empty source", TestSchemas.encode(emptySource), "undecodable"),
                Arguments.of("control character", TestSchemas.encode(control), "undecodable"),
                Arguments.of("negative size", TestSchemas.encode(negative), "undecodable"),
                Arguments.of("misrouted", LEDGER.eventValue(1, "x", "p"), "misrouted"),
                Arguments.of(
                        "too large",
                        TestLedger.eventValue(source, "x", "p", Map.of("big", "b".repeat(65_000))),
                        "entry-too-large"),
                Arguments.of("second genesis", LEDGER.genesisValue(SHARD), "invalid-control"),
                Arguments.of("control of no JSON", new byte[] {1, 2, 3}, "invalid-control"),
                Arguments.of("rules of another key", forged, "invalid-control"),
                Arguments.of("rules of another shard", LEDGER.rulesValue(1, 2, 512), "invalid-control"),
                Arguments.of("rules that skip a version", LEDGER.rulesValue(SHARD, 3, 512), "invalid-control"),
                Arguments.of("rules said again", LEDGER.rulesValue(SHARD, 1, 512), "invalid-control"));
    }

    @ParameterizedTest(name = "{0} → {2}")
    @MethodSource("rejected")
    void rejectsWithTheReasonAndGoesOn(String name, byte[] value, String reason) {
        // when
        Decision decision = decide(value);

        // then
        assertThat(decision)
                .as(name)
                .isEqualTo(new WithoutLeaf(1, OutcomeClaim.Kind.REJECTED, OptionalLong.empty(), reason));
        assertThat(leaf(decide(LEDGER.eventValue(SHARD, "next", "p"))).index()).isEqualTo(1);
    }

    @Test
    void aDuplicateIsOneEvenWhenItsEntryWouldBeTooLarge() {
        // given
        String source = LEDGER.sourceOf(SHARD);
        Leaf first = leaf(decide(TestLedger.eventValue(source, "x", "p", Map.of())));

        // when
        Decision retry = decide(TestLedger.eventValue(source, "x", "p", Map.of("big", "b".repeat(65_000))));

        // then
        assertThat(retry)
                .isEqualTo(new WithoutLeaf(2, OutcomeClaim.Kind.DUPLICATE, OptionalLong.of(first.index()), ""));
    }

    @Test
    void anUnknownSchemaDecidesNothing() {
        // when
        ShardDecider.Verdict verdict = verdict(1, new byte[] {0, 0, 0, 0, 99, 1});

        // then
        assertThat(verdict).isInstanceOf(ShardDecider.Undecidable.class);
    }

    // ---- rules

    @Test
    void rulesHoldFromTheNextRecordOn() {
        // given: a wider window from here on
        decide(LEDGER.eventValue(SHARD, "edge", "p"));
        Leaf rules = leaf(decide(LEDGER.rulesValue(SHARD, 2, 512)));
        for (int i = 0; i < 300; i++) {
            decide(LEDGER.eventValue(SHARD, "filler-" + i, "p"));
        }

        // when
        Decision retry = decide(LEDGER.eventValue(SHARD, "edge", "p"));

        // then
        assertThat(rules.kind()).isEqualTo(EntryKind.RULES);
        assertThat(retry).isInstanceOf(WithoutLeaf.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"entryVersion\":2", "\"dedupWindowLeaves\":134217728"})
    void standsStillAtASignedControlRecordOfALaterVersion(String later) throws Exception {
        // given: signed by the ledger's key, and for a later version a leaf
        String name = later.substring(0, later.indexOf(':'));
        byte[] value =
                LEDGER.resigned(LEDGER.rulesValue(SHARD, 2, 512), json -> json.replaceAll(name + ":\\d+", later));

        // when
        ShardDecider.Verdict verdict = verdict(offset, value);

        // then
        assertThat(verdict)
                .isInstanceOfSatisfying(
                        ShardDecider.Undecidable.class,
                        undecidable -> assertThat(undecidable.reason())
                                .contains("offset " + offset)
                                .contains("cannot read"));
    }

    @Test
    void standsStillAtASchemaOfEventsThatTheRulesDoNotAllow() {
        // given
        Rules allowed = TestLedger.rules();
        Rules none =
                new Rules(2, 512, 1, allowed.maxEventEntryBytes(), allowed.maxPayloadBytes(), List.of("0".repeat(64)));
        decide(LEDGER.value(new Control.RulesChange(TestLedger.ORIGIN, SHARD, none, TestLedger.schemas())));

        // when, then
        assertThat(verdict(offset, LEDGER.eventValue(SHARD, "x", "p"))).isInstanceOf(ShardDecider.Undecidable.class);
    }

    // ---- the beginning

    @Test
    void refusesAShardThatDoesNotBeginWithItsGenesis() {
        for (byte[] first : new byte[][] {
            LEDGER.eventValue(SHARD, "x", "p"), LEDGER.genesisValue(1), LEDGER.rulesValue(SHARD, 2, 512), new byte[0]
        }) {
            ShardDecider fresh = new ShardDecider(SHARD, LEDGER.ledger, 1);
            assertThatThrownBy(() -> fresh.decide(0, TIME, first))
                    .isInstanceOf(FatalDoubtException.class)
                    .hasMessageContaining("expected the genesis of " + TestLedger.ORIGIN + " shard 0");
        }
    }

    private Decision decide(byte[] value) {
        return ((ShardDecider.Decided) verdict(offset++, value)).decision();
    }

    /** Both ways of reading say the same, but for payloads. */
    private ShardDecider.Verdict verdict(long at, byte[] value) {
        ShardDecider.Verdict verdict = decider.decide(at, TIME, value);
        assertThat(ofEntries.decide(at, TIME, value))
                .usingRecursiveComparison()
                .ignoringFieldsMatchingRegexes(".*payload")
                .isEqualTo(verdict);
        return verdict;
    }

    private static Leaf leaf(Decision decision) {
        return (Leaf) decision;
    }
}
