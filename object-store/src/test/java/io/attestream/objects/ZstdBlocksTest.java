// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class ZstdBlocksTest {
    private final ZstdBlocks codec = new ZstdBlocks();

    @Test
    void givesBackWhatWasCompressed() throws Exception {
        byte[] raw = "the same again and again, ".repeat(1_000).getBytes(StandardCharsets.UTF_8);
        byte[] compressed = codec.compress(raw);
        assertThat(compressed).hasSizeLessThan(raw.length / 10);
        assertThat(codec.decompress(compressed, raw.length)).isEqualTo(raw);
    }

    /** Made by hand from RFC 8878: one raw block of five bytes. */
    @Test
    void readsAFrameOfAnotherMaker() throws Exception {
        byte[] frame = HexFormat.of().parseHex("28b52ffda0050000002900006162636465");
        assertThat(codec.decompress(frame, 5)).isEqualTo(new byte[] {'a', 'b', 'c', 'd', 'e'});
    }

    @Test
    void refusesWhatIsNotAFrameOfExactlyThatSize() {
        byte[] compressed = codec.compress(new byte[1_000]);
        assertThatThrownBy(() -> codec.decompress(compressed, 999)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> codec.decompress(compressed, 1_001)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> codec.decompress(Arrays.copyOf(compressed, compressed.length - 1), 1_000))
                .isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> codec.decompress(new byte[10], 1_000)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> codec.decompress(new byte[0], 0)).isInstanceOf(InvalidFormat.class);
    }
}
