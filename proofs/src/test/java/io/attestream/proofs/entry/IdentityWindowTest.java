// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.support.Seeded;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdentityWindowTest {
    /** The window written down naively: every leaf, and a map from identity to the newest leaf that has it. */
    private static final class Model {
        private final List<byte[]> tags = new ArrayList<>();
        private final Map<String, Long> newest = new LinkedHashMap<>();
        private final long first;
        private long floor;
        private long window;

        Model(long first, long window) {
            this.first = first;
            this.floor = first;
            this.window = window;
        }

        long size() {
            return first + tags.size();
        }

        long firstLeaf() {
            return Math.max(floor, size() - window);
        }

        long find(byte[] digest) {
            Long index = newest.get(HexFormat.of().formatHex(digest));
            return index != null && index >= firstLeaf() ? index : -1;
        }

        void append(EntryKind kind, byte[] digest, byte[] tag) {
            if (kind == EntryKind.EVENT) {
                newest.put(HexFormat.of().formatHex(digest), size());
            }
            tags.add(tag);
        }

        void resize(long leaves) {
            floor = Math.max(firstLeaf(), size() - leaves);
            window = leaves;
        }
    }

    @Test
    void findsExactlyWhatAMapOfAllLeavesFinds() {
        Seeded.check(60, random -> {
            // given a window that may be that of a restored shard, and identities that come again and again
            long first = random.chance(50) ? 0 : random.below(100_000);
            long leaves = 1L << random.between(8, 11);
            IdentityWindow window = IdentityWindow.startingAt(first, leaves);
            Model model = new Model(first, leaves);
            int identities = random.between(1, 4000);

            for (int step = random.below(6000); step > 0; step--) {
                // when records come, each is decided as the sequencer decides it
                byte[] digest = digest(random.below(identities));
                byte[] tag = random.bytes(16);
                long found = model.find(digest);
                assertThat(window.find(digest, 0)).isEqualTo(found);
                if (found >= 0) {
                    byte[] firstTag = model.tags.get((int) (found - first));
                    assertThat(window.hasTag(found, firstTag, 0)).isTrue();
                    assertThat(window.hasTag(found, tag, 0)).isFalse();
                }
                EntryKind kind = found >= 0 ? EntryKind.CONFLICT : random.chance(3) ? EntryKind.RULES : EntryKind.EVENT;
                window.append(kind, digest, 0, tag, 0);
                model.append(kind, digest, tag);
                if (random.chance(1) && random.chance(20)) {
                    long resized = 1L << random.between(8, 11);
                    window.resize(resized);
                    model.resize(resized);
                }
                // then it holds what the model holds
                assertThat(window.size()).isEqualTo(model.size());
                assertThat(window.firstLeaf()).isEqualTo(model.firstLeaf());
            }
            for (int identity = 0; identity < identities; identity++) {
                byte[] digest = digest(identity);
                assertThat(window.find(digest, 0)).isEqualTo(model.find(digest));
            }
        });
    }

    @Test
    void findsALeafAsTheWindowsLastAndNotOneLeafLater() {
        for (long leaves : new long[] {256, 512, 1024}) {
            // given an event followed by W - 1 other leaves
            IdentityWindow window = new IdentityWindow(leaves);
            append(window, 0);
            for (int i = 1; i < leaves; i++) {
                assertThat(window.find(digest(0), 0)).isZero();
                append(window, i);
            }

            // then it is the last leaf of the window
            assertThat(window.firstLeaf()).isZero();
            assertThat(window.find(digest(0), 0)).isZero();

            // and out of it one leaf later
            append(window, (int) leaves);
            assertThat(window.find(digest(0), 0)).isEqualTo(-1);
            assertThat(window.find(digest(1), 0)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"CONFLICT", "GENESIS", "RULES"})
    void movesWithLeavesThatCannotBeFound(EntryKind kind) {
        IdentityWindow window = new IdentityWindow(256);
        append(window, 0);
        byte[] other = digest(1);
        for (int i = 1; i < 256; i++) {
            window.append(kind, other, 0, new byte[16], 0);
        }
        assertThat(window.find(other, 0)).isEqualTo(-1);
        assertThat(window.find(digest(0), 0)).isZero();
        window.append(kind, other, 0, new byte[16], 0);
        assertThat(window.find(digest(0), 0)).isEqualTo(-1);
    }

    @Test
    void givesOutTheLeavesItHolds() {
        // given an event and a control leaf
        IdentityWindow window = IdentityWindow.startingAt(1000, 256);
        byte[] both = new byte[32];
        Arrays.fill(both, 0, 16, (byte) 7);
        Arrays.fill(both, 16, 32, (byte) 8);
        window.append(EntryKind.EVENT, both, 0, both, 16);
        window.append(EntryKind.RULES, both, 0, both, 16);

        // when they are copied out, then the event as it was given, the control leaf as zeros
        byte[] out = new byte[40];
        assertThat(window.copyTo(1000, out, 0, out, 20)).isTrue();
        assertThat(Arrays.copyOf(out, 16)).containsOnly(7);
        assertThat(Arrays.copyOfRange(out, 20, 36)).containsOnly(8);
        assertThat(window.copyTo(1001, out, 0, out, 20)).isFalse();
        assertThat(out).containsOnly(0);
        assertThatThrownBy(() -> window.copyTo(999, out, 0, out, 20)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> window.copyTo(1002, out, 0, out, 20)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void survivesManyIdentitiesThatShareASlot() {
        // given digests of which whole runs have the same place in the table, with many seeds so that some runs wrap
        // around
        for (long seed = 0; seed < 30; seed++) {
            IdentityWindow window = new IdentityWindow(0, 256, seed);
            Model model = new Model(0, 256);
            for (int i = 0; i < 3000; i++) {
                byte[] digest = ByteBuffer.allocate(16)
                        .putLong(i % 700)
                        .putLong(i % 3 == 0 ? 511 : 0)
                        .array();
                long found = model.find(digest);
                assertThat(window.find(digest, 0))
                        .as("seed %d, step %d", seed, i)
                        .isEqualTo(found);
                EntryKind kind = found < 0 ? EntryKind.EVENT : EntryKind.CONFLICT;
                window.append(kind, digest, 0, digest, 0);
                model.append(kind, digest, digest);
            }
        }
    }

    /**
     * Who chooses ids can choose digests whose last bits are equal, a few million tries each. If these bits were the slot, every
     * probe of the shard would walk over all of them.
     */
    @Test
    void doesNotLetAProducerChooseTheSlot() {
        // given identities whose digests end in the same 40 bits, or have halves that cancel each other out
        IdentityWindow window = new IdentityWindow(0, 1 << 14, 42);
        for (long i = 0; i < 4000; i++) {
            appendLow(window, i << 40 | 0x12_3456_789aL);
            appendLow(window, i << 32 | i);
        }

        // then they are spread as others are
        assertThat(window.longestRun()).isLessThan(200);
    }

    private static void appendLow(IdentityWindow window, long low) {
        byte[] digest = ByteBuffer.allocate(16).putLong(low).putLong(low).array();
        window.append(EntryKind.EVENT, digest, 0, digest, 0);
    }

    @Test
    void comparesWholeDigests() {
        // given an identity, and others that differ from it in one bit
        IdentityWindow window = new IdentityWindow(256);
        byte[] digest = digest(1);
        window.append(EntryKind.EVENT, digest, 0, digest, 0);
        for (int bit = 0; bit < 128; bit++) {
            byte[] other = digest.clone();
            other[bit / 8] ^= (byte) (1 << bit % 8);
            // then it is not taken for one of them, nor its tag for another
            assertThat(window.find(other, 0)).isEqualTo(-1);
            assertThat(window.hasTag(0, other, 0)).isFalse();
        }
        assertThat(window.find(digest, 0)).isZero();
        assertThat(window.hasTag(0, digest, 0)).isTrue();
    }

    @Test
    void refusesAnIdentityThatIsInTheWindowAlsoAtItsEdgeAndStaysAsItWas() {
        IdentityWindow window = new IdentityWindow(256);
        for (int i = 0; i < 256; i++) {
            append(window, i);
        }
        for (int identity : new int[] {0, 255}) {
            assertThatThrownBy(() -> append(window, identity)).isInstanceOf(IllegalStateException.class);
            assertThat(window.size()).isEqualTo(256);
            assertThat(window.find(digest(identity), 0)).isEqualTo(identity);
        }
    }

    @Test
    void keepsOutOfALargerWindowWhatLeftASmallerOne() {
        // given a window that shrank and grew again
        IdentityWindow window = new IdentityWindow(1024);
        for (int i = 0; i < 600; i++) {
            append(window, i);
        }
        window.resize(256);
        window.resize(1024);

        // then only what was in the smallest is found, now and later
        assertThat(window.firstLeaf()).isEqualTo(344);
        assertThat(window.find(digest(343), 0)).isEqualTo(-1);
        assertThat(window.find(digest(344), 0)).isEqualTo(344);
        for (int i = 600; i < 344 + 1024; i++) {
            append(window, i);
        }
        assertThat(window.find(digest(344), 0)).isEqualTo(344);
        append(window, 344 + 1024);
        assertThat(window.find(digest(344), 0)).isEqualTo(-1);
    }

    @Test
    void growsWithTheShardAndNotAhead() {
        IdentityWindow window = new IdentityWindow(1L << 26);
        for (int i = 0; i < 257; i++) {
            append(window, i);
        }
        assertThat(window).hasToString("window of 67108864 leaves, [0, 257), capacity 512");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -256, 128, 255, 257, 768, 1L << 27, Long.MIN_VALUE})
    void refusesAWindowThatIsNotAPowerOfTwoInItsLimits(long leaves) {
        assertThatThrownBy(() -> new IdentityWindow(leaves)).isInstanceOf(IllegalArgumentException.class);
        IdentityWindow window = new IdentityWindow(256);
        assertThatThrownBy(() -> window.resize(leaves)).isInstanceOf(IllegalArgumentException.class);
        assertThat(window.windowLeaves()).isEqualTo(256);
    }

    private static void append(IdentityWindow window, int identity) {
        window.append(EntryKind.EVENT, digest(identity), 0, new byte[16], 0);
    }

    private static byte[] digest(int identity) {
        return IdentityDigest.compute("t", "s", null, Integer.toString(identity));
    }
}
