// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import static io.attestream.proofs.support.Samples.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.EpochLeaf.Logged;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadsTest {
    private static final ReferenceTree SHARD = new ReferenceTree(Samples.entries());
    private static final ShardHead HEAD = new ShardHead(2, new TreeSize(5), SHARD.root(5), 9);

    private static List<ShardHead> heads() {
        return List.of(
                new ShardHead(0, new TreeSize(1), Samples.leafHash("zero"), 1),
                new ShardHead(1, new TreeSize(3), Samples.leafHash("one"), 3),
                HEAD,
                new ShardHead(3, new TreeSize(1), Samples.leafHash("three"), 2));
    }

    private static EpochLeaf epochLeaf() throws InvalidFormat {
        return new EpochLeaf(
                2,
                "2026-01-05T09:00:01.500Z",
                Map.of("conflicts", 1L, "controls", 5L, "duplicates", 2L, "events", 4L, "leaves", 10L, "rejected", 0L),
                List.of(new Logged("packs/00000000000000000000", Hash.ofHex(Samples.sha256Hex("a pack")))),
                ShardHead.vectorRoot(heads()));
    }

    @Test
    void writeAndReadTheGoldenHeads() throws Exception {
        ShardHead large = new ShardHead(Integer.MAX_VALUE, new TreeSize(-1), SHARD.root(5), (1L << 53) - 1);
        assertThat(HEAD.encode()).isEqualTo(Golden.bytes("shard-head-v1.json"));
        assertThat(large.encode()).isEqualTo(Golden.bytes("shard-head-large-v1.json"));
        assertThat(ShardHead.parse(Golden.bytes("shard-head-v1.json"))).isEqualTo(HEAD);
        assertThat(ShardHead.parse(Golden.bytes("shard-head-large-v1.json"))).isEqualTo(large);
    }

    @Test
    void writeAndReadTheGoldenEpochLeaf() throws Exception {
        assertThat(epochLeaf().encode()).isEqualTo(Golden.bytes("epoch-leaf-v1.json"));
        assertThat(EpochLeaf.parse(Golden.bytes("epoch-leaf-v1.json"))).isEqualTo(epochLeaf());
    }

    @Test
    void giveTheRootOverTheHeadsInTheirOrder() {
        List<byte[]> encoded = new ArrayList<>();
        heads().forEach(head -> encoded.add(head.encode()));
        assertThat(ShardHead.vectorRoot(heads())).isEqualTo(new ReferenceTree(encoded).root(4));
    }

    @Test
    void readBackWhatTheyWrite() {
        Seeded.check(300, random -> {
            ShardHead head = new ShardHead(
                    (int) (random.unsigned() >>> 33),
                    new TreeSize(random.unsigned()),
                    Hash.of(random.bytes(32)),
                    random.unsigned() >>> 1);
            assertThat(ShardHead.parse(head.encode())).isEqualTo(head);
            EpochLeaf leaf = new EpochLeaf(
                    random.unsigned() >>> 1,
                    "2026-01-05T09:00:01.500Z",
                    random.chance(50) ? Map.of() : Map.of(random.anyText(5), random.unsigned() >>> 11),
                    random.chance(50) ? List.of() : List.of(new Logged(random.anyText(9), Hash.of(random.bytes(32)))),
                    Hash.of(random.bytes(32)));
            assertThat(EpochLeaf.parse(leaf.encode())).isEqualTo(leaf);
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"shard\":2 | \"shard\":-1 | shard",
                "\"shard\":2 | \"shard\":2147483648 | shard",
                "\"shard\":2 | \"shard\":\"2\" | shard",
                "\"shard\":2, | | shard",
                "\"size\":5 | \"size\":-5 | size",
                "\"size\":5 | \"size\":\"5\" | size",
                "\"size\":5 | \"size\":\"18446744073709551616\" | size",
                "\"size\":5 | \"size\":5,\"v\":1 | v",
                ",\"size\":5 | | size",
                "\"nextOffset\":9 | \"nextOffset\":-9 | nextOffset",
                "\"nextOffset\":9 | \"nextOffset\":\"9223372036854775808\" | nextOffset",
                "\"nextOffset\":9, | | nextOffset",
                "\"root\":\" | \"root\":\"AAAA | root",
                "\"root\":\" | \"Root\":\" | json",
                "{ | {\"a\":0, | a",
                "{\"nextOffset | { \"nextOffset | json",
            })
    void refuseAHeadNamingTheMember(String from, String to, String field) {
        assertRefused("shard-head-v1.json", from, to, field, ShardHead::parse);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"v\":1 | \"v\":2 | v",
                "\"v\":1, | | v",
                "\"epoch\":2 | \"epoch\":-2 | epoch",
                "\"epoch\":2 | \"epoch\":\"9223372036854775808\" | epoch",
                "\"epoch\":2, | | epoch",
                "\"time\":\"2026 | \"time\":\"026 | time",
                "\"time\":\"2026-01-05T09:00:01.500Z\", | | time",
                "\"time\":\"2026-01-05T09:00:01.500Z\" | \"time\":1 | time",
                "\"counts\":{ | \"counts\":{\"a\":-1, | a",
                "\"counts\":{ | \"counts\":{\"a\":\"1\", | a",
                "\"epoch\":2 | \"count\":{},\"epoch\":2 | json",
                "\"logged\":[ | \"logged\":[1, | logged",
                "\"logged\":[{ | \"logged\":[{\"a\":1, | a",
                "\"digest\":\" | \"digest\":\"AAAA | digest",
                "\"name\":\"packs/00000000000000000000\" | \"name\":1 | name",
                "\"vectorRoot\":\" | \"vectorRoot\":\"A | vectorRoot",
                "\"v\":1 | \"u\":1,\"v\":1 | u",
                "{\"counts\" | {\"Counts\" | Counts",
            })
    void refuseAnEpochLeafNamingTheMember(String from, String to, String field) {
        assertRefused("epoch-leaf-v1.json", from, to, field, EpochLeaf::parse);
    }

    private interface Parser {
        Object parse(byte[] bytes) throws InvalidFormat;
    }

    private static void assertRefused(String name, String from, String to, String field, Parser parser) {
        String golden = Golden.text(name);
        assertThat(golden).contains(from);
        byte[] changed = utf8(golden.replace(from, to == null ? "" : to));
        assertThatThrownBy(() -> parser.parse(changed))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    /** It is an entry of the ledger log, and no bundle of entries can carry a longer one. */
    @Test
    void boundTheEpochLeafAsAnEntry() throws Exception {
        // given a leaf that is exactly as long as an entry may be, and one a byte longer
        int rest = 65_535 - withName("").encode().length;
        EpochLeaf longest = withName("x".repeat(rest));
        EpochLeaf tooLong = withName("x".repeat(rest + 1));

        // then only the first can be written and read
        assertThat(EpochLeaf.parse(longest.encode())).isEqualTo(longest);
        assertThatThrownBy(tooLong::encode)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("65,535");
        String json = new String(longest.encode(), StandardCharsets.UTF_8);
        assertThatThrownBy(() -> EpochLeaf.parse(utf8(json.replace("xx", "xxx"))))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("65,535");
    }

    private static EpochLeaf withName(String name) throws InvalidFormat {
        EpochLeaf leaf = epochLeaf();
        return new EpochLeaf(
                leaf.epoch(),
                leaf.time(),
                leaf.counts(),
                List.of(new Logged(name, leaf.vectorRoot())),
                leaf.vectorRoot());
    }

    @Test
    void refuseValuesThatCannotBe() {
        Hash root = SHARD.root(1);
        assertThatThrownBy(() -> new ShardHead(-1, TreeSize.ZERO, root, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ShardHead(0, TreeSize.ZERO, root, -1))
                .isInstanceOf(IllegalArgumentException.class);
        String time = "2026-01-05T09:00:01.500Z";
        assertThatThrownBy(() -> new EpochLeaf(-1, time, Map.of(), List.of(), root))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new EpochLeaf(0, "now", Map.of(), List.of(), root))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("time");
        assertThatThrownBy(() -> new EpochLeaf(0, time, Map.of("a", -1L), List.of(), root))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new EpochLeaf(0, time, Map.of("a", 1L << 53), List.of(), root))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
