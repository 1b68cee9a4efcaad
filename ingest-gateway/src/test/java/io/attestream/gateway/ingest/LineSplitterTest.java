// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LineSplitterTest {
    private static List<String> split(int maxLineBytes, int[] cuts, byte[] input) {
        List<String> lines = new ArrayList<>();
        LineSplitter splitter = new LineSplitter(
                maxLineBytes, line -> lines.add(new String(line, StandardCharsets.UTF_8)), () -> lines.add("TOO LONG"));
        int from = 0;
        for (int cut : cuts) {
            splitter.add(Arrays.copyOfRange(input, from, cut));
            from = cut;
        }
        splitter.add(Arrays.copyOfRange(input, from, input.length));
        splitter.end();
        return lines;
    }

    @Test
    void cutsTheSameLinesHoweverTheBytesArrive() {
        // given
        byte[] input = "one\ntwo\r\n\n \t\r\n123456\n1234567\nthree\rfour\nlast".getBytes(StandardCharsets.UTF_8);
        List<String> expected = List.of("one", "two", "123456", "TOO LONG", "TOO LONG", "last");
        long seed = System.nanoTime();
        System.out.println("LineSplitterTest seed " + seed);
        Random random = new Random(seed);

        for (int round = 0; round < 200; round++) {
            // when
            int[] cuts =
                    random.ints(random.nextInt(8), 0, input.length + 1).sorted().toArray();
            List<String> lines = split(6, cuts, input);

            // then
            assertThat(lines).as("cuts %s", Arrays.toString(cuts)).isEqualTo(expected);
        }
    }

    @Test
    void holdsNothingOfALineThatIsTooLong() {
        // given
        byte[] megabyte = new byte[1 << 20];
        Arrays.fill(megabyte, (byte) 'x');
        List<String> lines = new ArrayList<>();
        LineSplitter splitter = new LineSplitter(10, line -> lines.add(""), () -> lines.add("TOO LONG"));

        // when
        for (int i = 0; i < 100; i++) {
            splitter.add(megabyte);
        }
        splitter.end();

        // then
        assertThat(lines).containsExactly("TOO LONG");
    }
}
