// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Seeded;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompactRangeTest {
    @Test
    void growsTheReferenceTreeOfCertificateTransparency() {
        // given its eight inputs
        List<byte[]> inputs = Stream.of(
                        "",
                        "00",
                        "10",
                        "2021",
                        "3031",
                        "40414243",
                        "5051525354555657",
                        "606162636465666768696a6b6c6d6e6f")
                .map(HexFormat.of()::parseHex)
                .toList();
        CompactRange range = CompactRange.empty();
        List<String> roots = new ArrayList<>();

        // when they are appended
        for (byte[] input : inputs) {
            range.append(Rfc6962.leafHash(input));
            roots.add(range.root().hex());
        }

        // then every root is the known one
        assertThat(roots.stream().map(root -> root.substring(0, 8)))
                .containsExactly(
                        "6e340b9c", "fac54203", "aeb6bcfe", "d37ee418", "4e3bbb1f", "76e67dad", "ddb89be4", "5dc9da79");
        assertThat(roots.get(7)).isEqualTo("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    }

    @ParameterizedTest
    @CsvSource({
        "1, G7l9zCFjXUfiZj79/QoXRobZjdcBNS3SzQbotD/T0wU=",
        "2, /F9riP+FVPdbsvnm85wxsZNtRLaSdu33sSBalVuXYeM=",
        "3, 1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpU=",
        "7, WmH8K1T5z6cXdPJDIUPdQMbLKxGUf69lp9PaXLZRmcg=",
        "8, xcLIIO00L92ozolra5z1uMAKIcxLIHFMxuXTwFw1JAs=",
        "100, E/iJFcVg3JEaHaD7IJ2EoglxBR8pTr60KPs/wpOvJ0M=",
        "256, z17/2xHQknou31Ow5zx4N/ZZQU4AU32l2Q61xMSf8nQ=",
        "257, hVuTaqAMuYtRFEhCSa0514pr6TYj4mwB6OSH3AIYSlo=",
    })
    void growsTheTreeOfGosTestsToTheKnownRoots(int size, String root) {
        ReferenceTree tree = ReferenceTree.ofTexts(size);
        CompactRange range = CompactRange.empty();
        for (int i = 0; i < size; i++) {
            range.append(tree.leafHash(i));
        }
        assertThat(range.root().base64()).isEqualTo(root);
    }

    @Test
    void hasTheRootOfTheDefinitionAtEverySize() {
        ReferenceTree tree = ReferenceTree.ofTexts(300);
        CompactRange range = CompactRange.empty();
        assertThat(range.root()).isEqualTo(Rfc6962.EMPTY_ROOT);
        for (int size = 1; size <= tree.size(); size++) {
            range.append(tree.leafHash(size - 1).bytes(), 0);
            assertThat(range.root()).as("size %d", size).isEqualTo(tree.root(size));
            assertThat(range.size()).isEqualTo(new TreeSize(size));
        }
    }

    @Test
    void goesOnFromItsHashesAsIfItHadNeverStopped() {
        Seeded.check(100, random -> {
            // given a tree stopped somewhere
            ReferenceTree tree = ReferenceTree.ofTexts(random.between(1, 200));
            int stop = random.below(tree.size() + 1);
            CompactRange before = CompactRange.empty();
            for (int i = 0; i < stop; i++) {
                before.append(tree.leafHash(i));
            }

            // when it is taken up from its hashes, and from a copy
            CompactRange after = CompactRange.of(before.size(), before.hashes());
            CompactRange copy = before.copy();
            for (int i = stop; i < tree.size(); i++) {
                after.append(tree.leafHash(i));
                copy.append(tree.leafHash(i));
            }

            // then both have the root of the whole tree, and the original none of what came later
            assertThat(after.root()).isEqualTo(tree.root(tree.size()));
            assertThat(copy.root()).isEqualTo(tree.root(tree.size()));
            assertThat(before.root()).isEqualTo(tree.root(stop));
            assertThat(before.hashes()).hasSize(CompactRange.hashCount(before.size()));
        });
    }

    @Test
    void takesWholeSubtreesWhereTheyFit() {
        Seeded.check(100, random -> {
            // given a tree cut at random into subtrees that are complete and aligned
            ReferenceTree tree = ReferenceTree.ofTexts(random.between(1, 200));
            CompactRange range = CompactRange.empty();
            int size = 0;
            while (size < tree.size()) {
                int level = random.below(8);
                if ((size & ((1 << level) - 1)) == 0 && size + (1 << level) <= tree.size()) {
                    // when each is appended by its root
                    range.appendSubtree(
                            level, tree.nodes().node(level, size >>> level).bytes(), 0);
                    size += 1 << level;
                }
            }

            // then the root is that of the leaves
            assertThat(range.root()).isEqualTo(tree.root(tree.size()));
        });
    }

    @Test
    void refusesASubtreeWhereItDoesNotFit() {
        CompactRange range = CompactRange.empty();
        range.append(Rfc6962.EMPTY_ROOT);
        for (int level : new int[] {1, 63, 64, -1}) {
            assertThatThrownBy(() -> range.appendSubtree(level, new byte[32], 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("level " + level);
        }
        assertThat(range.root()).isEqualTo(Rfc6962.EMPTY_ROOT);
    }

    @Test
    void refusesAnotherNumberOfHashesThanTheSizeHas() {
        for (int hashes : new int[] {0, 1, 3}) {
            assertThatThrownBy(() -> CompactRange.of(
                            new TreeSize(5),
                            List.of(Rfc6962.EMPTY_ROOT, Rfc6962.EMPTY_ROOT, Rfc6962.EMPTY_ROOT)
                                    .subList(0, hashes)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("has 2 hashes, not " + hashes);
        }
    }

    @Test
    void holdsUpToTheLargestSizeAndRefusesOneMore() {
        // given a tree with all but one of 2^64 - 1 leaves
        TreeSize almost = new TreeSize(-2);
        CompactRange range = CompactRange.of(almost, java.util.Collections.nCopies(63, Rfc6962.EMPTY_ROOT));

        // when the last is appended
        range.append(Rfc6962.EMPTY_ROOT);

        // then there is room for no other
        assertThat(range.size()).hasToString("18446744073709551615");
        assertThatThrownBy(() -> range.append(Rfc6962.EMPTY_ROOT))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("full");
        assertThat(range.size()).hasToString("18446744073709551615");
    }
}
