// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.support;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * Property tests: a check is made with many random inputs. A failure names its seed; {@code -Dattestream.seed=<that number>}
 * makes the first case the same again.
 */
public final class Seeded {
    private static final String PROPERTY = "attestream.seed";
    private static final long FIRST = Long.getLong(PROPERTY, new Random().nextLong());

    private final SplittableRandom random;

    private Seeded(long seed) {
        this.random = new SplittableRandom(seed);
    }

    /** A check with inputs drawn from a seed. */
    @FunctionalInterface
    public interface Check {
        void with(Seeded random) throws Exception;
    }

    /** Makes the check so many times. */
    public static void check(int cases, Check check) {
        for (int i = 0; i < cases; i++) {
            long seed = FIRST + i;
            try {
                check.with(new Seeded(seed));
            } catch (Exception | AssertionError e) {
                throw new AssertionError("with -D" + PROPERTY + "=" + seed + ": " + e.getMessage(), e);
            }
        }
    }

    /** From 0 to bound - 1. */
    public int below(int bound) {
        return random.nextInt(bound);
    }

    /** From least to most, both included. */
    public int between(int least, int most) {
        return random.nextInt(least, most + 1);
    }

    public long nextLong() {
        return random.nextLong();
    }

    /** Any unsigned 64-bit number, small and large ones alike, and often near a power of two. */
    public long unsigned() {
        long value = random.nextLong() >>> below(64);
        return below(4) == 0 ? Long.highestOneBit(value) + below(3) - 1 : value;
    }

    public boolean chance(int percent) {
        return below(100) < percent;
    }

    public byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Text without control characters and lone surrogates, of all lengths of UTF-8 and with what JSON escapes. */
    public String text(int maxLength) {
        StringBuilder text = new StringBuilder();
        int length = between(1, maxLength);
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(
                    switch (below(8)) {
                        case 0 -> "\"\\/{}[]:,".charAt(below(9));
                        case 1 -> between(0xa0, 0x7ff);
                        case 2 -> between(0x800, 0xd7ff);
                        case 3 -> between(0xe000, 0xffff);
                        case 4 -> between(0x10000, 0x10ffff);
                        default -> between(0x20, 0x7e);
                    });
        }
        return text.toString();
    }

    /** Text that may also have control characters. */
    public String anyText(int maxLength) {
        return chance(50) ? text(maxLength) : (char) below(0x20) + text(maxLength) + (char) below(0xa0);
    }

    /** A changed copy: bits flipped, bytes changed, removed, doubled, inserted, or the end cut off. */
    public byte[] mutated(byte[] original) {
        byte[] bytes = original.clone();
        for (int i = between(1, 3); i > 0; i--) {
            bytes = mutatedOnce(bytes);
        }
        return bytes;
    }

    private byte[] mutatedOnce(byte[] bytes) {
        if (bytes.length == 0) {
            return bytes(between(1, 8));
        }
        int at = below(bytes.length);
        int length = Math.min(between(1, 8), bytes.length - at);
        switch (below(6)) {
            case 0:
                bytes[at] ^= (byte) (1 << below(8));
                return bytes;
            case 1:
                bytes[at] = "\0\n \"\\{}[]09-+.:,\u007f".getBytes(StandardCharsets.US_ASCII)[below(17)];
                return bytes;
            case 2:
                return spliced(bytes, at, at + length, new byte[0]);
            case 3:
                return spliced(bytes, at, at, java.util.Arrays.copyOfRange(bytes, at, at + length));
            case 4:
                return spliced(bytes, at, at, bytes(length));
            default:
                return java.util.Arrays.copyOf(bytes, at);
        }
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] middle) {
        byte[] result = new byte[from + middle.length + bytes.length - to];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(middle, 0, result, from, middle.length);
        System.arraycopy(bytes, to, result, from + middle.length, bytes.length - to);
        return result;
    }
}
