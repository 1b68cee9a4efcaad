// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.processors.IntegrityException;
import io.attestream.processors.TestLedger;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.IdentityWindow;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.avro.EncryptedPayload;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.Tag16;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class DeciderTest {
    private static final TestLedger LEDGER = new TestLedger(2, 256);
    private static final int SHARD = 0;
    private static final long TIME = 1_767_600_000_000L;

    private final IdentityWindow window = new IdentityWindow(256);
    private final Decider decider = new Decider(SHARD, LEDGER.shards, LEDGER.key.verifier());

    @BeforeEach
    void beginsWithGenesis() throws InvalidFormat {
        byte[] genesis = ControlRecord.ofValue(LEDGER.genesisValue(SHARD));
        decider.use(ControlRecord.read(genesis, LEDGER.key.verifier()));
        window.append(EntryKind.GENESIS, new byte[16], 0, new byte[16], 0);
    }

    private Decision decide(byte @Nullable [] value) {
        return decider.decide(window, 7, TIME, value);
    }

    private static byte[] event(Map<String, String> attributes) {
        Map<String, String> all = new HashMap<>(Map.of("id", "1", "source", LEDGER.sourceOf(SHARD)));
        all.putAll(attributes);
        return TestLedger.encode(TestLedger.event(all, "x"));
    }

    static Stream<Arguments> badRecords() {
        byte[] good = LEDGER.eventValue(SHARD, "1", "x");
        Event withoutTenant = TestLedger.event(Map.of("id", "1", "source", "/s"), "x");
        withoutTenant.setTenant("");
        Event negative = TestLedger.event(Map.of("id", "1", "source", "/s"), "x");
        negative.setDataSize(-1L);
        byte[] otherKind = good.clone();
        otherKind[4] = (byte) (good[4] == 1 ? 2 : 1);
        byte[] badSignature = LEDGER.rulesValue(SHARD, 2, 512);
        badSignature[badSignature.length - 20] ^= 1;
        return Stream.of(
                Arguments.of("null", null, "undecodable"),
                Arguments.of("empty", new byte[0], "undecodable"),
                Arguments.of("unknown magic", new byte[] {2, 0, 0, 0, 1}, "undecodable"),
                Arguments.of("shorter than a schema id", new byte[] {0, 0, 0}, "undecodable"),
                Arguments.of("truncated", Arrays.copyOf(good, good.length - 1), "undecodable"),
                Arguments.of("bytes behind it", Arrays.copyOf(good, good.length + 1), "undecodable"),
                Arguments.of("another kind of record", otherKind, "undecodable"),
                Arguments.of("empty id", event(Map.of("id", "")), "undecodable"),
                Arguments.of("control character", event(Map.of("subject", "a\u0007b")), "undecodable"),
                Arguments.of("attribute named data", event(Map.of("data", "x")), "undecodable"),
                Arguments.of("upper case name", event(Map.of("Upper", "x")), "undecodable"),
                Arguments.of("no tenant", TestLedger.encode(withoutTenant), "undecodable"),
                Arguments.of("negative size", TestLedger.encode(negative), "undecodable"),
                Arguments.of("another shard's source", LEDGER.eventValue(1, "1", "x"), "misrouted"),
                Arguments.of("too large", event(Map.of("subject", "x".repeat(65_000))), "entry-too-large"),
                Arguments.of("no JSON behind the magic byte", new byte[] {1, '{'}, "invalid-control"),
                Arguments.of("second genesis", LEDGER.genesisValue(SHARD), "invalid-control"),
                Arguments.of("rules of another shard", LEDGER.rulesValue(1, 2, 512), "invalid-control"),
                Arguments.of("rules two versions on", LEDGER.rulesValue(SHARD, 3, 512), "invalid-control"),
                Arguments.of("rules of the same version", LEDGER.rulesValue(SHARD, 1, 512), "invalid-control"),
                Arguments.of(
                        "rules by another key", new TestLedger(2, 256).rulesValue(SHARD, 2, 512), "invalid-control"),
                Arguments.of("rules with a broken signature", badSignature, "invalid-control"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badRecords")
    void rejectsWithItsReason(String what, byte @Nullable [] value, String reason) {
        assertThat(decide(value)).isEqualTo(new Decision.Rejected(reason));
    }

    @Test
    void hashesTheCanonicalEntryWithTheRecordsTime() {
        // given
        Event event = TestLedger.event(Map.of("id", "1", "source", LEDGER.sourceOf(SHARD)), "x");
        byte[] entry = CanonicalEntry.event(
                event.getAttributes(),
                TestLedger.TENANT,
                "actor-1",
                TIME,
                event.getDataDigest().bytes(),
                1);

        // when
        Decision.Leaf leaf = (Decision.Leaf) decide(TestLedger.encode(event));

        // then
        assertThat(Hash.of(leaf.leafHash())).isEqualTo(Rfc6962.leafHash(entry));
        assertThat(leaf.kind()).isEqualTo(EntryKind.EVENT);
    }

    @Test
    void namesTheFirstLeafInAConflict() {
        // given
        Map<String, String> attributes = Map.of("id", "1", "source", LEDGER.sourceOf(SHARD));
        Decision.Leaf first = (Decision.Leaf) decide(TestLedger.encode(TestLedger.event(attributes, "x")));
        window.append(EntryKind.EVENT, first.identityDigest(), 0, first.contentTag(), 0);
        Event other = TestLedger.event(attributes, "other");
        byte[] entry = CanonicalEntry.conflict(
                other.getAttributes(),
                TestLedger.TENANT,
                "actor-1",
                TIME,
                other.getDataDigest().bytes(),
                5,
                new LeafIndex(1));

        // when
        Decision.Leaf conflict = (Decision.Leaf) decide(TestLedger.encode(other));

        // then
        assertThat(conflict.kind()).isEqualTo(EntryKind.CONFLICT);
        assertThat(Hash.of(conflict.leafHash())).isEqualTo(Rfc6962.leafHash(entry));
        assertThat(conflict.identityDigest()).isEqualTo(new byte[16]);
    }

    // ---- what is not plain, and is left to the decoder

    static Stream<Event> notPlain() {
        Map<String, String> many = new HashMap<>();
        for (int i = 0; i < 20; i++) {
            many.put("a" + i, "x");
        }
        Event encrypted = event("x", Map.of());
        encrypted.setPayload(new EncryptedPayload("k", ByteBuffer.wrap(new byte[12]), ByteBuffer.wrap(new byte[30])));
        return Stream.of(
                event("x", Map.of("subject", "é")), event("x", Map.of("subject", "\"")), event("x", many), encrypted);
    }

    private static Event event(String content, Map<String, String> more) {
        Map<String, String> all = new HashMap<>(Map.of("id", "1", "source", LEDGER.sourceOf(SHARD)));
        all.putAll(more);
        return TestLedger.event(all, content);
    }

    @ParameterizedTest
    @MethodSource("notPlain")
    void decidesWhatIsNotPlainAsWhatIs(Event event) {
        // given
        byte[] entry = CanonicalEntry.event(
                event.getAttributes(),
                TestLedger.TENANT,
                "actor-1",
                TIME,
                event.getDataDigest().bytes(),
                event.getDataSize());

        // when
        Decision.Leaf first = (Decision.Leaf) decide(TestLedger.encode(event));
        window.append(EntryKind.EVENT, first.identityDigest(), 0, first.contentTag(), 0);

        // then: also where the other one of the two is plain
        assertThat(Hash.of(first.leafHash())).isEqualTo(Rfc6962.leafHash(entry));
        assertThat(decide(TestLedger.encode(event))).isEqualTo(new Decision.Duplicate(1));
        assertThat(decide(event(Map.of()))).isEqualTo(new Decision.Duplicate(1));
        event.setContentTag(new Tag16(TestLedger.tag("other")));
        assertThat(((Decision.Leaf) decide(TestLedger.encode(event))).kind()).isEqualTo(EntryKind.CONFLICT);
    }

    @ParameterizedTest
    @MethodSource("notPlain")
    void aPlainOneCameBeforeWhatIsNotPlain(Event event) {
        // given
        Decision.Leaf first = (Decision.Leaf) decide(event(Map.of()));
        window.append(EntryKind.EVENT, first.identityDigest(), 0, first.contentTag(), 0);

        // when, then
        assertThat(decide(TestLedger.encode(event))).isEqualTo(new Decision.Duplicate(1));
        event.setContentTag(new Tag16(TestLedger.tag("other")));
        assertThat(((Decision.Leaf) decide(TestLedger.encode(event))).kind()).isEqualTo(EntryKind.CONFLICT);
    }

    @ParameterizedTest
    @MethodSource("notPlain")
    void whatIsNotPlainCanBeMisroutedToo(Event event) {
        // given
        Map<String, String> attributes = new HashMap<>(event.getAttributes());
        attributes.put("source", LEDGER.sourceOf(1));
        event.setAttributes(attributes);

        // when, then
        assertThat(decide(TestLedger.encode(event))).isEqualTo(new Decision.Rejected("misrouted"));
    }

    @Test
    void tellsIdentitiesApartByPartitionKey() {
        // given: a partition key that leads to the same shard
        String source = LEDGER.sourceOf(SHARD);
        String partitionKey = Stream.iterate(0, i -> i + 1)
                .map(i -> "pk-" + i)
                .filter(pk -> io.attestream.proofs.entry.Routing.shard(TestLedger.TENANT, source, pk, 2) == SHARD)
                .findFirst()
                .orElseThrow();
        Decision.Leaf first = (Decision.Leaf) decide(event(Map.of()));
        window.append(EntryKind.EVENT, first.identityDigest(), 0, first.contentTag(), 0);

        // when, then
        assertThat(decide(event(Map.of()))).isEqualTo(new Decision.Duplicate(1));
        assertThat(decide(event(Map.of("partitionkey", partitionKey)))).isInstanceOf(Decision.Leaf.class);
    }

    @Test
    void logsAControlRecordAsItIs() {
        byte[] value = LEDGER.rulesValue(SHARD, 2, 512);
        Decision.Leaf leaf = (Decision.Leaf) decide(value);
        assertThat(Hash.of(leaf.leafHash())).isEqualTo(Rfc6962.leafHash(ControlRecord.ofValue(value)));
        assertThat(leaf.kind()).isEqualTo(EntryKind.RULES);
    }

    // ---- what this version cannot know

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"entryVersion\":1   | \"entryVersion\":2",
                "\"kind\":\"rules\"   | \"kind\":\"truce\"",
                "\"v\":1}            | \"v\":2}",
                "{\"kind\"           | {\"added\":1,\"kind\"",
                "\"dedupWindowLeaves\":512 | \"dedupWindowLeaves\":134217728",
            })
    void stopsAtASignedControlRecordOfALaterVersion(String from, String to) {
        // given
        byte[] later = LEDGER.resigned(LEDGER.rulesValue(SHARD, 2, 512), json -> json.replace(from, to));

        // when, then
        assertThatThrownBy(() -> decide(later))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("shard 0 offset 7")
                .hasMessageContaining("cannot read")
                .hasMessageContaining("nothing is lost");
    }

    @Test
    void rejectsALaterVersionThatTheLedgersKeyDidNotSign() {
        byte[] foreign = new TestLedger(2, 256)
                .resigned(LEDGER.rulesValue(SHARD, 2, 512), json -> json.replace("\"v\":1}", "\"v\":2}"));
        byte[] unsigned = "\u0001{\"kind\":\"rules\",\"v\":2}".getBytes(StandardCharsets.UTF_8);
        assertThat(decide(foreign)).isEqualTo(new Decision.Rejected("invalid-control"));
        assertThat(decide(unsigned)).isEqualTo(new Decision.Rejected("invalid-control"));
    }

    @Test
    void stopsAtASchemaThatTheRulesNoLongerAllow() {
        // given
        Decision.Leaf rules = (Decision.Leaf) decide(LEDGER.rulesValueWithoutAllowedSchemas(SHARD, 2));
        decider.use(rules.control());

        // when, then
        assertThatThrownBy(() -> decide(event(Map.of())))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("define and allow");
    }
}
