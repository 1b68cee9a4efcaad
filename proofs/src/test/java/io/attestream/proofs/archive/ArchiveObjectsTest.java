// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import static io.attestream.proofs.support.Samples.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.support.Seeded;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArchiveObjectsTest {
    private static final byte[] SEGMENT = Golden.bytes("segment-v1.seg");
    private static final byte[] TAG = HexFormat.of().parseHex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf");
    private static final byte[] PAYLOADS = Golden.bytes("payloads-v1.pay");

    @Test
    void writesTheGoldenSegment() {
        long time = Samples.TIME;
        List<byte[]> entries = Samples.entries();
        byte[] segment = Segment.builder(2)
                .startShard(0, 3)
                .add(new LeafRecord(EntryKind.EVENT, 4, time, entries.get(2)))
                .add(new OutcomeRecord.Duplicate(5, 3))
                .startShard(1, 9)
                .add(new OutcomeRecord.Rejected(30, "undecodable: ü"))
                .startShard(2, 0)
                .add(new LeafRecord(EntryKind.GENESIS, 0, time - 1000, entries.get(0)))
                .add(new LeafRecord(EntryKind.EVENT, 2, time, entries.get(1)))
                .add(new LeafRecord(EntryKind.EVENT, 3, Samples.UNUSUAL_TIME, entries.get(2)))
                .add(new LeafRecord(EntryKind.CONFLICT, 6, Samples.OTHER_TIME, entries.get(3)))
                .add(new LeafRecord(EntryKind.RULES, 7, Samples.OTHER_TIME + 1, entries.get(4)))
                .add(new OutcomeRecord.Duplicate(4, 1))
                .add(new OutcomeRecord.Rejected(5, "misrouted"))
                .startShard(3, 4)
                .build();
        assertThat(segment).isEqualTo(SEGMENT);
    }

    @Test
    void writesAndReadsTheGoldenEpochObject() throws Exception {
        // given
        List<String> names = Golden.lines("object-names-v1.txt");
        String note = Golden.lines("checkpoint-v1.txt").stream().limit(5).collect(Collectors.joining("\n", "", "\n"));
        EpochObject epoch = new EpochObject(
                Golden.bytes("epoch-leaf-v1.json"),
                List.of(ShardHead.parse(Golden.bytes("shard-head-v1.json"))),
                note,
                names.get(0),
                names.get(1),
                1);

        // then
        assertThat(epoch.encode()).asString(StandardCharsets.UTF_8).isEqualTo(Golden.text("epoch-v1.epoch"));
        EpochObject read = EpochObject.parse(Golden.bytes("epoch-v1.epoch"));
        assertThat(read.epochLeaf()).isEqualTo(epoch.epochLeaf());
        assertThat(read.heads()).isEqualTo(epoch.heads());
        assertThat(read.note()).isEqualTo(note);
        assertThat(read.segment()).isEqualTo(names.get(0));
        assertThat(read.payloads()).isEqualTo(names.get(1));
        assertThat(read.generation()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "'\"v\":1', '\"v\":2', v",
        "'\"generation\":1', '\"generation\":0', generation",
        "'\"heads\":[', '\"heads\":[1,', heads",
        "'\"segment\":', '\"segments\":', segments"
    })
    void refusesAnEpochObjectThatIsNone(String what, String by, String field) {
        byte[] changed = Golden.text("epoch-v1.epoch").replace(what, by).getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> EpochObject.parse(changed))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining(field);
    }

    @Test
    void readsTheGoldenSegment() throws Exception {
        Segment segment = Segment.parse(SEGMENT);
        assertThat(segment.epoch()).isEqualTo(2);
        assertThat(segment.shards()).containsExactly(0, 1, 2);
        assertThat(segment.firstIndex(0)).isEqualTo(3);
        assertThat(segment.count(2)).isEqualTo(5);
        assertThat(segment.has(0, 3)).isTrue();
        assertThat(segment.has(0, 2)).isFalse();
        assertThat(segment.has(0, 4)).isFalse();
        assertThat(segment.has(1, 0)).isFalse();
        assertThat(segment.leaves(1)).isEmpty();
        assertThat(segment.firstIndex(1)).isEqualTo(9);
        assertThat(segment.outcomes(0)).containsExactly(new OutcomeRecord.Duplicate(5, 3));
        assertThat(segment.outcomes(1)).containsExactly(new OutcomeRecord.Rejected(30, "undecodable: ü"));
        assertThat(segment.outcomes(2))
                .containsExactly(new OutcomeRecord.Duplicate(4, 1), new OutcomeRecord.Rejected(5, "misrouted"));
        assertThat(segment.outcomes(3)).isEmpty();

        LeafRecord conflict = segment.leaf(2, 3);
        assertThat(conflict.kind()).isEqualTo(EntryKind.CONFLICT);
        assertThat(conflict.offset()).isEqualTo(6);
        assertThat(conflict.timestampMillis()).isEqualTo(Samples.OTHER_TIME);
        assertThat(conflict.entry()).isEqualTo(Samples.entries().get(3));
        List<LeafRecord> leaves = segment.leaves(2);
        for (int i = 0; i < 5; i++) {
            assertThat(leaves.get(i).entry()).isEqualTo(Samples.entries().get(i));
        }
        assertThatThrownBy(() -> segment.leaf(2, 5)).hasMessageContaining("leaf 5");
        assertThatThrownBy(() -> segment.leaf(1, 9)).hasMessageContaining("leaf 9");
        assertThatThrownBy(() -> segment.leaf(3, 0)).hasMessageContaining("shard 3");
    }

    @Test
    void writesTheGoldenPayloads() {
        byte[] nonce = new byte[12];
        for (int i = 0; i < 12; i++) {
            nonce[i] = (byte) i;
        }
        byte[] payloads = PayloadObject.builder(2)
                .startShard(0, 3)
                .add(new Payload.Plain(TAG, Samples.UNUSUAL_SALT, new byte[0]))
                .startShard(2, 0)
                .add(new Payload.None())
                .add(new Payload.Plain(TAG, Samples.SALT, Samples.PAYLOAD))
                .add(new Payload.Plain(TAG, Samples.UNUSUAL_SALT, new byte[0]))
                .add(new Payload.Encrypted(TAG, "key-1", nonce, utf8("ciphertext")))
                .add(new Payload.None())
                .build();
        assertThat(payloads).isEqualTo(PAYLOADS);
    }

    @Test
    void readsTheGoldenPayloads() throws Exception {
        PayloadObject payloads = PayloadObject.parse(PAYLOADS);
        assertThat(payloads.epoch()).isEqualTo(2);
        assertThat(payloads.shards()).containsExactly(0, 2);
        assertThat(payloads.has(2, 4)).isTrue();
        assertThat(payloads.payload(2, 0)).isEqualTo(new Payload.None());
        Payload.Plain plain = (Payload.Plain) payloads.payload(2, 1);
        assertThat(plain.salt()).isEqualTo(Samples.SALT);
        assertThat(plain.data()).isEqualTo(Samples.PAYLOAD);
        assertThat(((Payload.Plain) payloads.payload(0, 3)).data()).isEmpty();
        Payload.Encrypted encrypted = (Payload.Encrypted) payloads.payload(2, 3);
        assertThat(List.of(plain.contentTag(), encrypted.contentTag())).containsOnly(TAG);
        assertThat(encrypted.keyId()).isEqualTo("key-1");
        assertThat(encrypted.nonce()).hasSize(12);
        assertThat(encrypted.ciphertext()).isEqualTo(utf8("ciphertext"));
    }

    @Test
    void namesObjectsByEpochAndDigest() throws Exception {
        List<String> names = Golden.lines("object-names-v1.txt");
        assertThat(ObjectNames.segment(2, SEGMENT)).isEqualTo(names.get(0));
        assertThat(ObjectNames.payloads(2, PAYLOADS)).isEqualTo(names.get(1));
        assertThat(ObjectNames.guard(2)).isEqualTo(names.get(2));
        assertThat(ObjectNames.epoch(2)).isEqualTo(names.get(3));

        ObjectNames.requireDigest(names.get(0), SEGMENT);
        ObjectNames.requireDigest(names.get(1), PAYLOADS);
        assertThatThrownBy(() -> ObjectNames.requireDigest(names.get(0), PAYLOADS))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("has digest");
        assertThatThrownBy(() -> ObjectNames.requireDigest(names.get(2), SEGMENT))
                .isInstanceOf(InvalidFormat.class);
    }

    @Test
    void givesEveryLeafByItsIndexWhateverTheShards() {
        Seeded.check(100, random -> {
            // given new leaves of some of the shards
            long epoch = random.unsigned() >>> 1;
            Map<Integer, Long> firsts = new TreeMap<>();
            Map<Integer, List<LeafRecord>> leaves = new TreeMap<>();
            Map<Integer, List<OutcomeRecord>> outcomes = new TreeMap<>();
            for (int i = random.below(5); i > 0; i--) {
                int shard = random.below(20);
                firsts.put(shard, random.unsigned() >>> 2);
                List<LeafRecord> records = new ArrayList<>();
                for (int n = random.below(8); n > 0; n--) {
                    EntryKind kind = EntryKind.values()[random.below(4)];
                    records.add(new LeafRecord(
                            kind, random.nextLong(), random.nextLong(), random.bytes(random.between(1, 60))));
                }
                leaves.put(shard, records);
                outcomes.put(shard, outcomes(random));
            }

            // when they are written
            Segment.Builder builder = Segment.builder(epoch);
            leaves.forEach((shard, records) -> {
                builder.startShard(shard, firsts.get(shard));
                records.forEach(builder::add);
                outcomes.get(shard).forEach(builder::add);
            });
            Segment segment = Segment.parse(builder.build());

            // then each is found
            assertThat(segment.epoch()).isEqualTo(epoch);
            leaves.keySet()
                    .removeIf(shard ->
                            leaves.get(shard).isEmpty() && outcomes.get(shard).isEmpty());
            assertThat(segment.shards()).isEqualTo(List.copyOf(leaves.keySet()));
            leaves.forEach((shard, records) -> {
                assertThat(outcomesOf(segment, shard)).isEqualTo(outcomes.get(shard));
                for (int i = 0; i < records.size(); i++) {
                    assertThat(leafOf(segment, shard, firsts.get(shard) + i))
                            .usingRecursiveComparison()
                            .isEqualTo(records.get(i));
                }
            });
        });
    }

    private static List<OutcomeRecord> outcomes(Seeded random) {
        List<OutcomeRecord> outcomes = new ArrayList<>();
        long offset = random.unsigned() >>> 2;
        for (int n = random.below(6); n > 0; n--) {
            offset += random.between(1, 1000);
            outcomes.add(
                    random.below(2) == 0
                            ? new OutcomeRecord.Duplicate(offset, random.unsigned() >>> 1)
                            : new OutcomeRecord.Rejected(offset, "ü".repeat(random.below(512))));
        }
        return outcomes;
    }

    private static List<OutcomeRecord> outcomesOf(Segment segment, int shard) {
        try {
            return segment.outcomes(shard);
        } catch (InvalidFormat e) {
            throw new AssertionError(e);
        }
    }

    private static LeafRecord leafOf(Segment segment, int shard, long index) {
        try {
            return segment.leaf(shard, index);
        } catch (InvalidFormat e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void writesAndReadsAnEpochWithoutLeaves() throws Exception {
        Segment empty = Segment.parse(Segment.builder(7).build());
        assertThat(empty.epoch()).isEqualTo(7);
        assertThat(empty.shards()).isEmpty();
    }

    @Test
    void holdsTheLargestEntry() throws Exception {
        byte[] entry = new byte[65_535];
        byte[] object = Segment.builder(0)
                .startShard(0, 0)
                .add(new LeafRecord(EntryKind.EVENT, 0, 0, entry))
                .build();
        assertThat(Segment.parse(object).leaf(0, 0).entry()).hasSize(65_535);
        byte[] tooLarge = Segment.builder(0)
                .startShard(0, 0)
                .add(new LeafRecord(EntryKind.EVENT, 0, 0, new byte[65_536]))
                .build();
        assertThatThrownBy(() -> Segment.parse(tooLarge).leaf(0, 0))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("leaf 0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "00000000000000               | no whole row",
                "000000000000000502           | no whole row",
                "0000000000000005020401       | at most 1,024 bytes",
                "0000000000000005020002ff     | no whole row",
                "0000000000000005020001ff     | UTF-8",
                "0000000000000005030000000000000001 | no known kind",
                "0000000000000005010000       | no whole row",
                "000000000000000501ffffffffffffffff | below 2^63",
                "8000000000000005010000000000000000 | higher offset",
                "00000000000000050100000000000000000000000000000005010000000000000000 | higher offset"
            })
    void refusesOutcomesThatAreNone(String rows, String message) {
        byte[] bytes = HexFormat.of().parseHex(rows);
        assertThatThrownBy(() -> OutcomeRow.parseAll(ByteBuffer.wrap(bytes)))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining(message);
    }

    @Test
    void refusesAnObjectCutOffAnywhereOrLonger() {
        for (int length = 0; length < SEGMENT.length; length++) {
            byte[] cut = Arrays.copyOf(SEGMENT, length);
            assertThatThrownBy(() -> Segment.parse(cut)).as("length %d", length).isInstanceOf(InvalidFormat.class);
        }
        assertThatThrownBy(() -> Segment.parse(Arrays.copyOf(SEGMENT, SEGMENT.length + 1)))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("rows: ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"epoch\":2,\"shards\":[],\"v\":2} | v",
                "{\"epoch\":-2,\"shards\":[],\"v\":1} | epoch",
                "{\"epoch\":\"9223372036854775808\",\"shards\":[],\"v\":1} | epoch",
                "{\"a\":0,\"epoch\":2,\"shards\":[],\"v\":1} | a",
                "{\"epoch\":2,\"v\":1} | shards",
                "{\"epoch\":2,\"shards\":[1],\"v\":1} | shards",
                "{\"epoch\":2,\"shards\":[{\"count\":-1,\"first\":0,\"shard\":0}],\"v\":1} | count",
                "{\"epoch\":2,\"shards\":[{\"count\":9007199254740991,\"first\":0,\"shard\":0}],\"v\":1} | count",
                "{\"epoch\":2,\"shards\":[{\"count\":2,\"first\":0,\"shard\":0}],\"v\":1} | shards",
                "{\"epoch\":2,\"shards\":[{\"count\":1,\"first\":0,\"shard\":-1}],\"v\":1} | shard",
                "{\"epoch\":2,\"shards\":[{\"count\":1,\"first\":0,\"shard\":2147483648}],\"v\":1} | shard",
                "{\"epoch\":2,\"shards\":[{\"count\":1,\"first\":-1,\"shard\":0}],\"v\":1} | first",
                "{\"epoch\":2,\"shards\":[{\"count\":1,\"first\":\"9223372036854775807\",\"shard\":0}],\"v\":1} | first",
                "{\"epoch\":2,\"shards\":[{\"a\":1,\"count\":1,\"first\":0,\"shard\":0}],\"v\":1} | a",
                "{\"epoch\":2,\"shards\": [],\"v\":1} | json",
                "[] | json",
            })
    void refusesAHeaderNamingTheMember(String header, String field) {
        // given one shard with one row of one byte behind the header, and an empty one behind that
        byte[] json = utf8(header);
        ByteBuffer object = ByteBuffer.allocate(8 + 4 + json.length + 25);
        object.put(SEGMENT, 0, 8)
                .putInt(json.length)
                .put(json)
                .putLong(0)
                .putLong(1)
                .putLong(1);
        assertThatThrownBy(() -> Segment.parse(object.array()))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, row 1 of shard 0", // an empty row
        "1, 1, row 0 of shard 0", // a gap before the first row
        "0, 2, row 1 of shard 0", // beyond the object
        "0, -1, row 1 of shard 0",
        "-1, 1, row 0 of shard 0",
        "0, 9223372036854775807, row 1 of shard 0",
    })
    void refusesRowsThatDoNotFollowEachOther(long first, long second, String field) {
        byte[] json = utf8("{\"epoch\":2,\"shards\":[{\"count\":1,\"first\":0,\"shard\":0}],\"v\":1}");
        ByteBuffer object = ByteBuffer.allocate(8 + 4 + json.length + 17);
        object.put(PAYLOADS, 0, 8).putInt(json.length).put(json).putLong(first).putLong(second);
        assertThatThrownBy(() -> PayloadObject.parse(object.array()))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @Test
    void refusesAShardWithNothing() {
        // given a table whose only shard has no leaves, and where it may, an empty row behind them
        byte[] json = utf8("{\"epoch\":2,\"shards\":[{\"count\":0,\"first\":0,\"shard\":0}],\"v\":1}");
        ByteBuffer object = ByteBuffer.allocate(8 + 4 + json.length + 16);
        object.position(8).putInt(json.length).put(json).putLong(0).putLong(0);

        // then
        assertThatThrownBy(
                        () -> PayloadObject.parse(object.put(0, PAYLOADS, 0, 8).array()))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("count: ");
        assertThatThrownBy(() -> Segment.parse(object.put(0, SEGMENT, 0, 8).array()))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("row 1 of shard 0: ");
    }

    @Test
    void tellsSegmentsAndPayloadsApart() {
        assertThatThrownBy(() -> Segment.parse(PAYLOADS)).hasMessageStartingWith("magic: ");
        assertThatThrownBy(() -> PayloadObject.parse(SEGMENT)).hasMessageStartingWith("magic: ");
    }

    @ParameterizedTest
    @CsvSource({
        "04, payload of leaf 0", // unknown type
        "03TAG016b, payload of leaf 0", // erased, which only a pack may say
        "03TAG016b00, payload of leaf 0", // erased, but something
        "0000, payload of leaf 0", // none, but something
        "01c0c1, payload", // tag too short
        "01TAGa0a1a2a3, payload", // salt too short
        "02TAG, payload", // no key id
        "02TAG05616263, payload", // key id cut off
        "02TAG016b, payload", // no nonce
        "02TAG016b0c00, payload", // nonce cut off
        "02TAG01ff00, keyId", // key id not UTF-8
    })
    void refusesEnvelopesNamingWhatIsWrong(String hex, String field) throws Exception {
        byte[] row = HexFormat.of().parseHex(hex.replace("TAG", HexFormat.of().formatHex(TAG)));
        byte[] json = utf8("{\"epoch\":2,\"shards\":[{\"count\":1,\"first\":0,\"shard\":0}],\"v\":1}");
        ByteBuffer object = ByteBuffer.allocate(8 + 4 + json.length + 16 + row.length);
        object.put(PAYLOADS, 0, 8)
                .putInt(json.length)
                .put(json)
                .putLong(0)
                .putLong(row.length)
                .put(row);
        PayloadObject payloads = PayloadObject.parse(object.array());
        assertThatThrownBy(() -> payloads.payload(0, 0))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @Test
    void refusesToWriteWhatCouldNotBeRead() {
        Segment.Builder segment = Segment.builder(0).startShard(1, 0);
        assertThatThrownBy(() -> segment.startShard(1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> segment.startShard(0, 0)).isInstanceOf(IllegalArgumentException.class);
        PayloadObject.Builder payloads = PayloadObject.builder(0).startShard(0, 0);
        assertThatThrownBy(() -> payloads.add(new Payload.Plain(TAG, new byte[15], new byte[0])))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> payloads.add(new Payload.Plain(new byte[15], new byte[16], new byte[0])))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> payloads.add(new Payload.Encrypted(TAG, "x".repeat(256), new byte[12], new byte[0])))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(new String(SEGMENT, 0, 5, StandardCharsets.US_ASCII)).isEqualTo("ATSEG");
    }
}
