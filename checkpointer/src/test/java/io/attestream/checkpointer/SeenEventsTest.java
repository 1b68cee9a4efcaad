// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** The events of the window, held against a list that is searched from its end. */
class SeenEventsTest {
    /** One leaf as the definition has it; {@code id} is -1 for a leaf that is no event. */
    private record Leaf(int id, int tag) {}

    @RepeatedTest(20)
    void knowsExactlyTheEventsAmongTheLastLeaves() {
        // given
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<Leaf> leaves = new ArrayList<>();
        long window = 1 + random.nextInt(600);
        long floor = 0;
        int ids = 50 + random.nextInt(2_000);
        SeenEvents seen = new SeenEvents(window);

        for (int step = 0; step < 5_000; step++) {
            // when
            int id = random.nextInt(ids);
            int tag = random.nextInt(3);
            int first = (int) Math.max(floor, leaves.size() - window);
            int expected = find(leaves, first, id);
            SeenEvents.@Nullable Seen found = seen.find(bytes(id));

            // then
            String where = "seed " + seed + " step " + step;
            if (expected < 0) {
                assertThat(found).as(where).isNull();
                seen.addEvent(bytes(id), bytes(tag));
                leaves.add(new Leaf(id, tag));
            } else {
                assertThat(found).as(where).isNotNull();
                assertThat(found.index()).as(where).isEqualTo(expected);
                assertThat(found.hasTag(bytes(tag)))
                        .as(where)
                        .isEqualTo(leaves.get(expected).tag() == tag);
            }
            if (random.nextInt(4) == 0) {
                seen.addOther();
                leaves.add(new Leaf(-1, 0));
            }
            if (random.nextInt(500) == 0) {
                floor = Math.max(floor, leaves.size() - window);
                window = 1 + random.nextInt(600);
                floor = Math.max(floor, leaves.size() - window);
                seen.resize(window);
            }
        }
    }

    @Test
    void digestsAndTagsAreComparedWhole() {
        // given
        SeenEvents seen = new SeenEvents(256);
        byte[] identity = new byte[16];
        byte[] tag = new byte[16];
        seen.addEvent(identity, tag);

        // then
        for (int i = 0; i < 16; i++) {
            byte[] other = new byte[16];
            other[i] = 1;
            assertThat(seen.find(other)).isNull();
            assertThat(seen.find(identity)).isNotNull();
            assertThat(seen.find(identity).hasTag(other)).isFalse();
        }
        assertThat(seen.find(identity).hasTag(tag)).isTrue();
    }

    @Test
    void aWindowWithoutLeavesOrWithoutEndIsRefused() {
        assertThatThrownBy(() -> new SeenEvents(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SeenEvents((1L << 26) + 1)).isInstanceOf(IllegalArgumentException.class);
    }

    private static int find(List<Leaf> leaves, int first, int id) {
        for (int i = leaves.size() - 1; i >= first; i--) {
            if (leaves.get(i).id() == id) {
                return i;
            }
        }
        return -1;
    }

    /** Half of them differ in the first eight bytes only, half in the last. */
    private static byte[] bytes(int id) {
        return id % 2 == 0
                ? ByteBuffer.allocate(16).putLong(id).putLong(0).array()
                : ByteBuffer.allocate(16).putLong(0).putLong(id).array();
    }
}
