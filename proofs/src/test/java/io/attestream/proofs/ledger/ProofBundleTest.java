// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import static io.attestream.proofs.support.Samples.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Rfc6962;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProofBundleTest {
    private static final String GOLDEN = "proof-bundle-v1.attest.json";

    @Test
    void readsAndWritesTheGoldenBundle() throws Exception {
        ProofBundle bundle = ProofBundle.parse(Golden.bytes(GOLDEN));
        assertThat(bundle.entry()).isEqualTo(Golden.bytes("entry-event-v1.json"));
        assertThat(bundle.leafIndex()).isEqualTo(new LeafIndex(1));
        assertThat(bundle.head()).isEqualTo(Golden.bytes("shard-head-v1.json"));
        assertThat(bundle.epochLeaf()).isEqualTo(Golden.bytes("epoch-leaf-v1.json"));
        assertThat(bundle.shards()).isEqualTo(4);
        assertThat(bundle.leafPath()).hasSize(3);
        assertThat(bundle.vectorPath()).hasSize(2);
        assertThat(bundle.ledgerPath()).hasSize(1);
        assertThat(bundle.payload()).isEqualTo(Samples.PAYLOAD);
        assertThat(bundle.salt()).isEqualTo(Samples.SALT);
        assertThat(bundle.encode()).isEqualTo(Golden.bytes(GOLDEN));
    }

    @Test
    void readsABundleSomebodyReformatted() throws Exception {
        String reformatted = Golden.text(GOLDEN).replace(",\"", " ,\n  \"").replace("\":", "\" : ");
        assertThat(ProofBundle.parse(utf8(reformatted)).encode()).isEqualTo(Golden.bytes(GOLDEN));
    }

    @Test
    void leavesPayloadAndSaltToWhoMaySeeThem() throws Exception {
        ProofBundle without = ProofBundle.parse(Golden.bytes(GOLDEN)).withoutPayload();
        assertThat(without.payload()).isNull();
        assertThat(without.salt()).isNull();
        assertThat(new String(without.encode(), StandardCharsets.UTF_8)).doesNotContain("payload", "salt");
        assertThat(ProofBundle.parse(without.encode()).encode()).isEqualTo(without.encode());
    }

    @Test
    void readsBackWhatItWrites() {
        Seeded.check(100, random -> {
            ProofBundle bundle = new ProofBundle(
                    random.bytes(random.below(100)),
                    new LeafIndex(random.unsigned()),
                    path(random),
                    random.bytes(random.below(100)),
                    1 + (int) (random.unsigned() >>> 34),
                    path(random),
                    random.bytes(random.below(100)),
                    path(random),
                    random.anyText(300),
                    random.chance(50) ? null : random.bytes(random.below(3000)),
                    random.chance(50) ? null : random.bytes(16));
            ProofBundle read = ProofBundle.parse(bundle.encode());
            assertThat(read).usingRecursiveComparison().isEqualTo(bundle);
            assertThat(read.encode()).isEqualTo(bundle.encode());
        });
    }

    private static List<Hash> path(Seeded random) {
        List<Hash> path = new ArrayList<>();
        for (int i = random.below(65); i > 0; i--) {
            path.add(Hash.of(random.bytes(32)));
        }
        return path;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"v\":1 | \"v\":2 | v",
                "\"v\":1, | | v",
                "\"shards\":4 | \"shards\":0 | shards",
                "\"shards\":4 | \"shards\":2147483648 | shards",
                "\"shards\":4, | | shards",
                "\"leafIndex\":1 | \"leafIndex\":-1 | leafIndex",
                "\"leafIndex\":1 | \"leafIndex\":\"1\" | leafIndex",
                "\"leafIndex\":1, | | leafIndex",
                "\"entry\":\" | \"entry\":\"! | entry",
                "\"entry\":\" | \"Entry\":\" | Entry",
                "\"head\":\" | \"head\":\"A | head",
                "\"epochLeaf\":\" | \"epochLeaf\":\"= | epochLeaf",
                "\"leafPath\":[ | \"leafPath\":[1, | leafPath",
                "\"leafPath\":[\" | \"leafPath\":[\"AAAA | leafPath",
                "\"vectorPath\":[ | \"vectorPath\":[null, | vectorPath",
                "\"vectorPath\":[\" | \"vectorPath\":[\"=| vectorPath",
                "\"ledgerPath\":[ | \"ledgerPath\":[[], | ledgerPath",
                "\"ledgerPath\":[ | \"ledgerpath\":[ | ledgerpath",
                "\"note\":\" | \"note\":1,\"x\":\" | x",
                "\"payload\":\" | \"payload\":\"? | payload",
                "\"payload\":\" | \"payload\":null,\"q\":\" | q",
                "\"salt\":\" | \"salt\":\"AAAA | salt",
                "\"salt\":\" | \"salt\":\"AA==\",\"t\":\" | t",
            })
    void refusesABundleNamingTheMember(String from, String to, String field) {
        String golden = Golden.text(GOLDEN);
        assertThat(golden).contains(from);
        String changed = golden.replace(from, to == null ? "" : to);
        assertThatThrownBy(() -> ProofBundle.parse(utf8(changed)))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @Test
    void boundsPathsAndSize() throws Exception {
        ProofBundle golden = ProofBundle.parse(Golden.bytes(GOLDEN));
        ProofBundle longPath = new ProofBundle(
                golden.entry(),
                golden.leafIndex(),
                Collections.nCopies(65, Rfc6962.EMPTY_ROOT),
                golden.head(),
                4,
                List.of(),
                golden.epochLeaf(),
                List.of(),
                golden.note(),
                null,
                null);
        assertThatThrownBy(() -> ProofBundle.parse(longPath.encode()))
                .isInstanceOf(InvalidFormat.class)
                .hasMessage("leafPath: must have at most 64 hashes");
        assertThatThrownBy(() -> ProofBundle.parse(new byte[ProofBundle.MAX_SIZE_BYTES + 1]))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("bundle: must be at most 64 MiB");
    }

    @Test
    void doesNotChangeWithTheArraysGivenOrTaken() throws Exception {
        ProofBundle bundle = ProofBundle.parse(Golden.bytes(GOLDEN));
        bundle.entry()[0] = 0;
        bundle.head()[0] = 0;
        bundle.epochLeaf()[0] = 0;
        Objects.requireNonNull(bundle.payload())[0] = 0;
        Objects.requireNonNull(bundle.salt())[0] = 0;
        assertThat(bundle.encode()).isEqualTo(Golden.bytes(GOLDEN));
    }

    @Test
    void doesNotPrintThePayload() throws Exception {
        ProofBundle bundle = ProofBundle.parse(Golden.bytes(GOLDEN));
        assertThat(bundle).asString().contains("leaf 1").doesNotContain("Codertocat");
    }
}
