// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Seeded;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class Rfc6962Test {
    @Test
    void hashesTheEmptyTreeAsTheEmptyString() {
        assertThat(Rfc6962.EMPTY_ROOT.hex())
                .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assertThat(Rfc6962.EMPTY_ROOT.base64()).isEqualTo("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    @Test
    void hashesLeavesAndNodesAsTheKnownAnswersSay() throws Exception {
        assertThat(Rfc6962.leafHash(new byte[0]).hex())
                .isEqualTo("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assertThat(Rfc6962.leafHash(ascii("L123456")).hex())
                .isEqualTo("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
        Hash left = Hash.ofHex("00".repeat(32));
        assertThat(Rfc6962.nodeHash(left, left)).isNotEqualTo(Rfc6962.leafHash(new byte[64]));
    }

    @Test
    void givesNodesAnotherPrefixThanLeaves() {
        // given two hashes, and an entry that is their concatenation
        ReferenceTree tree = ReferenceTree.ofTexts(2);
        byte[] forged = new byte[64];
        tree.leafHash(0).copyTo(forged, 0);
        tree.leafHash(1).copyTo(forged, 32);

        // when both are hashed
        Hash node = Rfc6962.nodeHash(tree.leafHash(0), tree.leafHash(1));

        // then the entry does not pass for the node
        assertThat(node).isEqualTo(tree.root(2)).isNotEqualTo(Rfc6962.leafHash(forged));
    }

    @Test
    void hashesInPlaceWhatItHashesApart() {
        Seeded.check(200, random -> {
            // given a buffer with hashes and an entry somewhere in it
            byte[] buffer = random.bytes(200);
            int left = random.below(168);
            int right = random.below(168);
            int out = random.below(168);
            Hash expectedNode = Rfc6962.nodeHash(Hash.of(buffer, left), Hash.of(buffer, right));
            int length = random.below(200 - left);
            Hash expectedLeaf = new ReferenceTree(List.of(Arrays.copyOfRange(buffer, left, left + length))).leafHash(0);

            // when hashed into the same buffer
            byte[] forNode = buffer.clone();
            Rfc6962.nodeHash(forNode, left, forNode, right, forNode, out);
            byte[] forLeaf = buffer.clone();
            Rfc6962.leafHash(forLeaf, left, length, forLeaf, out);

            // then the results are the same
            assertThat(Hash.of(forNode, out)).isEqualTo(expectedNode);
            assertThat(Hash.of(forLeaf, out)).isEqualTo(expectedLeaf);
        });
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
