// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.support.SparseTree;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProofsTest {
    private static final int MAX_SIZE = 70;
    private static final ReferenceTree TREE = ReferenceTree.ofTexts(MAX_SIZE);

    @Test
    void proveInclusionOfEveryLeafAtEverySizeAsDefined() throws Exception {
        for (int size = 1; size <= MAX_SIZE; size++) {
            for (int index = 0; index < size; index++) {
                List<Hash> path = Proofs.inclusion(new LeafIndex(index), new TreeSize(size), TREE.nodes());
                assertThat(path).as("index %d of %d", index, size).isEqualTo(TREE.path(index, size));
                assertThat(verifies(index, size, TREE.leafHash(index), path, TREE.root(size)))
                        .as("index %d of %d", index, size)
                        .isTrue();
            }
        }
    }

    @Test
    void proveConsistencyOfEveryTwoSizesAsDefined() throws Exception {
        for (int second = 1; second <= MAX_SIZE; second++) {
            for (int first = 1; first <= second; first++) {
                List<Hash> proof = Proofs.consistency(new TreeSize(first), new TreeSize(second), TREE.nodes());
                assertThat(proof).as("%d to %d", first, second).isEqualTo(TREE.proof(first, second));
                assertThat(consistent(first, second, proof, TREE.root(first), TREE.root(second)))
                        .as("%d to %d", first, second)
                        .isTrue();
            }
        }
    }

    @Test
    void computeTheRootOfEverySize() throws Exception {
        for (int size = 0; size <= MAX_SIZE; size++) {
            assertThat(Proofs.root(new TreeSize(size), TREE.nodes())).isEqualTo(TREE.root(size));
        }
    }

    @Test
    void refuseAnInclusionProofWithAnythingChanged() {
        Seeded.check(300, random -> {
            // given a good proof
            int size = random.between(2, MAX_SIZE);
            int index = random.below(size);
            Hash leaf = TREE.leafHash(index);
            Hash root = TREE.root(size);
            List<Hash> path = TREE.path(index, size);

            // when the path is spoilt in any way, then it leads nowhere
            spoilt(path, random, leaf, root)
                    .forEach((how, bad) -> assertThat(verifies(index, size, leaf, bad, root))
                            .as("%s, index %d of %d", how, index, size)
                            .isFalse());

            // when leaf or root are others, then it does not lead there
            Hash other = Hash.of(random.bytes(32));
            assertThat(verifies(index, size, other, path, root)).as("leaf").isFalse();
            assertThat(verifies(index, size, leaf, path, other)).as("root").isFalse();
            assertThat(verifies(index, size, root, path, leaf)).as("swapped").isFalse();

            // when the index is another one, then it does not lead there
            for (int wrong = 0; wrong <= size; wrong++) {
                if (wrong != index) {
                    assertThat(verifies(wrong, size, leaf, path, root))
                            .as("index %d", wrong)
                            .isFalse();
                }
            }
        });
    }

    @Test
    void refuseAnInclusionProofAtASizeTheLeafIsNotIn() {
        assertThat(verifies(0, 0, TREE.leafHash(0), List.of(), TREE.leafHash(0)))
                .isFalse();
        assertThat(verifies(1, 1, TREE.leafHash(0), List.of(), TREE.leafHash(0)))
                .isFalse();
        assertThat(verifies(-1, 1, TREE.leafHash(0), List.of(), TREE.leafHash(0)))
                .isFalse();
        assertThatThrownBy(() -> Proofs.inclusion(new LeafIndex(5), new TreeSize(5), TREE.nodes()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refuseAConsistencyProofWithAnythingChanged() {
        Seeded.check(300, random -> {
            // given a good proof
            int second = random.between(2, MAX_SIZE);
            int first = random.between(1, second - 1);
            Hash r1 = TREE.root(first);
            Hash r2 = TREE.root(second);
            List<Hash> proof = TREE.proof(first, second);

            // when the proof is spoilt in any way, then it proves nothing
            spoilt(proof, random, r1, r2)
                    .forEach((how, bad) -> assertThat(consistent(first, second, bad, r1, r2))
                            .as("%s, %d to %d", how, first, second)
                            .isFalse());

            // when a root is another one, then it proves nothing
            Hash other = Hash.of(random.bytes(32));
            assertThat(consistent(first, second, proof, other, r2)).as("r1").isFalse();
            assertThat(consistent(first, second, proof, r1, other)).as("r2").isFalse();
            assertThat(consistent(first, second, proof, r2, r1)).as("swapped").isFalse();

            // when the first size is another one, then it proves nothing
            for (int wrong = 0; wrong <= second; wrong++) {
                if (wrong != first) {
                    assertThat(consistent(wrong, second, proof, r1, r2))
                            .as("first size %d", wrong)
                            .isFalse();
                }
            }
        });
    }

    @Test
    void proveNothingFromSizeZeroAndNothingBackwards() throws Exception {
        Hash root = TREE.root(5);
        assertThat(consistent(0, 5, List.of(), Rfc6962.EMPTY_ROOT, root)).isFalse();
        assertThat(consistent(0, 0, List.of(), Rfc6962.EMPTY_ROOT, Rfc6962.EMPTY_ROOT))
                .isFalse();
        assertThat(consistent(6, 5, List.of(), TREE.root(6), root)).isFalse();
        assertThat(Proofs.consistency(TreeSize.ZERO, new TreeSize(5), TREE.nodes()))
                .isEmpty();
        assertThatThrownBy(() -> Proofs.consistency(new TreeSize(6), new TreeSize(5), TREE.nodes()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void takeEqualSizesForConsistentOnlyWithEqualRootsAndNoProof() {
        Hash root = TREE.root(5);
        assertThat(consistent(5, 5, List.of(), root, root)).isTrue();
        assertThat(consistent(5, 5, List.of(root), root, root)).isFalse();
        assertThat(consistent(5, 5, List.of(), root, TREE.root(4))).isFalse();
    }

    @Test
    void holdOverAllUnsignedSizes() {
        Seeded.check(300, random -> {
            // given a tree of any size below 2^64 with one leaf unlike the others
            long size = Math.max(1, random.unsigned());
            size = size == 0 ? -1 : size;
            long index = Long.remainderUnsigned(random.nextLong(), size);
            long first = 1 + Long.remainderUnsigned(random.nextLong(), size);
            SparseTree tree = new SparseTree(index, random.bytes(10));
            TreeSize treeSize = new TreeSize(size);
            Hash root = Proofs.root(treeSize, tree);

            // when proofs are made, then they verify
            List<Hash> path = Proofs.inclusion(new LeafIndex(index), treeSize, tree);
            assertThat(Proofs.verifyInclusion(new LeafIndex(index), treeSize, tree.special(), path, root))
                    .as("index %s of %s", Long.toUnsignedString(index), treeSize)
                    .isTrue();
            List<Hash> proof = Proofs.consistency(new TreeSize(first), treeSize, tree);
            Hash firstRoot = Proofs.root(new TreeSize(first), tree);
            assertThat(Proofs.verifyConsistency(new TreeSize(first), treeSize, proof, firstRoot, root))
                    .as("%s to %s", Long.toUnsignedString(first), treeSize)
                    .isTrue();

            // and not for another leaf
            long other = Long.remainderUnsigned(random.nextLong(), size);
            if (other != index) {
                assertThat(Proofs.verifyInclusion(new LeafIndex(other), treeSize, tree.special(), path, root))
                        .isFalse();
            }
        });
    }

    @Test
    void areNeverLongerThan64HashesForAPath() throws Exception {
        SparseTree tree = new SparseTree(0, new byte[1]);
        assertThat(Proofs.inclusion(new LeafIndex(-2), new TreeSize(-1), tree)).hasSize(63);
        assertThat(Proofs.inclusion(new LeafIndex(0), new TreeSize(-1), tree)).hasSize(64);
        // A path of 64 with the highest index there is does not shift its bits away.
        assertThat(Proofs.verifyInclusion(
                        new LeafIndex(-2),
                        new TreeSize(-1),
                        tree.ordinary(),
                        Collections.nCopies(64, tree.ordinary()),
                        tree.ordinary()))
                .isFalse();
    }

    private static boolean verifies(long index, long size, Hash leaf, List<Hash> path, Hash root) {
        return Proofs.verifyInclusion(new LeafIndex(index), new TreeSize(size), leaf, path, root);
    }

    private static boolean consistent(long first, long second, List<Hash> proof, Hash r1, Hash r2) {
        return Proofs.verifyConsistency(new TreeSize(first), new TreeSize(second), proof, r1, r2);
    }

    /** All ways to spoil a list of hashes, by name. */
    private static Map<String, List<Hash>> spoilt(List<Hash> path, Seeded random, Hash one, Hash two) {
        Map<String, List<Hash>> bad = new LinkedHashMap<>();
        for (int i = 0; i < path.size(); i++) {
            List<Hash> changed = new ArrayList<>(path);
            byte[] hash = path.get(i).bytes();
            hash[random.below(32)] ^= (byte) (1 << random.below(8));
            changed.set(i, Hash.of(hash));
            bad.put("bit flipped in hash " + i, changed);
            List<Hash> shorter = new ArrayList<>(path);
            shorter.remove(i);
            bad.put("hash " + i + " missing", shorter);
            if (i > 0) {
                List<Hash> swapped = new ArrayList<>(path);
                Collections.swap(swapped, i, i - 1);
                bad.put("hashes " + i + " and " + (i - 1) + " swapped", swapped);
            }
        }
        for (Hash extra : List.of(one, two, Hash.of(random.bytes(32)))) {
            List<Hash> before = new ArrayList<>(path);
            before.add(0, extra);
            bad.put(extra + " before", before);
            List<Hash> after = new ArrayList<>(path);
            after.add(extra);
            bad.put(extra + " after", after);
        }
        return bad;
    }
}
