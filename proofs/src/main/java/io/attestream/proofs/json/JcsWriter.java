// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.json;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * Appends the tokens of canonical JSON (RFC 8785) to a growing byte array. The caller writes members in canonical order.
 * Reusable and not thread-safe: the sequencer encodes every entry with one, so nothing but the array is allocated.
 */
public final class JcsWriter {
    private static final byte[] HEX = ascii("0123456789abcdef");
    private static final byte[] BASE64 = ascii("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    /** More than any one character takes. */
    private static final int MAX_CHARACTER_BYTES = 6;

    /** What arrays of this platform may hold. */
    private static final int MAX_SIZE_BYTES = Integer.MAX_VALUE - 8;

    private byte[] bytes = new byte[1024];
    private int size;

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Forgets what was written. */
    public JcsWriter reset() {
        size = 0;
        return this;
    }

    /** ASCII text as it is: brackets, commas, names known to need no escape. */
    public JcsWriter raw(String ascii) {
        int length = ascii.length();
        ensure(length);
        // In local variables, which the loop's stores cannot change: several times as fast.
        byte[] to = bytes;
        int at = size;
        for (int i = 0; i < length; i++) {
            to[at + i] = (byte) ascii.charAt(i);
        }
        size = at + length;
        return this;
    }

    public JcsWriter number(long value) {
        if (value < 0) {
            return raw(Long.toString(value));
        }
        int digits = 1;
        for (long rest = value / 10; rest > 0; rest /= 10) {
            digits++;
        }
        return digits(value, digits);
    }

    /** The last so many decimal digits of a number that is not negative, with leading zeros. */
    public JcsWriter digits(long value, int count) {
        ensure(count);
        long rest = value;
        for (int at = size + count - 1; at >= size; at--) {
            bytes[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        size += count;
        return this;
    }

    /** Standard base64 with padding, as a string. */
    public JcsWriter base64(byte[] value) {
        ensure(4L * (value.length / 3 + 1) + 2);
        bytes[size++] = '"';
        int whole = value.length / 3 * 3;
        for (int i = 0; i < whole; i += 3) {
            base64((value[i] & 0xff) << 16 | (value[i + 1] & 0xff) << 8 | (value[i + 2] & 0xff), 4);
        }
        int rest = value.length - whole;
        if (rest > 0) {
            base64((value[whole] & 0xff) << 16 | (rest == 2 ? (value[whole + 1] & 0xff) << 8 : 0), rest + 1);
            for (int i = rest; i < 3; i++) {
                bytes[size++] = '=';
            }
        }
        bytes[size++] = '"';
        return this;
    }

    /** The first so many of the four characters for 24 bits. */
    private void base64(int bits, int characters) {
        byte[] to = bytes;
        int at = size;
        for (int i = 0; i < characters; i++) {
            to[at + i] = BASE64[bits >>> (18 - 6 * i) & 0x3f];
        }
        size = at + characters;
    }

    /**
     * A string with the escapes of RFC 8785 section 3.2.2.2.
     *
     * @throws IllegalArgumentException on a lone surrogate, which has no UTF-8
     */
    public JcsWriter string(String value) {
        int length = value.length();
        ensure(length + 2L);
        bytes[size++] = '"';
        int i = plain(value, 0);
        while (i < length) {
            ensure(length - i + MAX_CHARACTER_BYTES);
            i = plain(value, i + 1 + special(value, i));
        }
        bytes[size++] = '"';
        return this;
    }

    /** A string of {@code from[start, +length)}: ASCII that needs no escape, which is the caller's to know. */
    public JcsWriter plainString(byte[] from, int start, int length) {
        ensure(length + 2L);
        byte[] to = bytes;
        int at = size;
        to[at++] = '"';
        System.arraycopy(from, start, to, at, length);
        at += length;
        to[at++] = '"';
        size = at;
        return this;
    }

    /** Writes characters that are themselves one byte, nearly all there are; returns where they end. */
    private int plain(String value, int from) {
        byte[] to = bytes;
        int at = size;
        int length = value.length();
        int i = from;
        for (; i < length; i++) {
            char c = value.charAt(i);
            if (c < 0x20 || c > 0x7f || c == '"' || c == '\\') {
                break;
            }
            to[at++] = (byte) c;
        }
        size = at;
        return i;
    }

    /** A character that is not itself one byte; returns how many more chars of the string it took. */
    private int special(String value, int i) {
        char c = value.charAt(i);
        if (c < 0x80) {
            escape(c);
        } else if (c < 0x800) {
            bytes[size++] = (byte) (0xc0 | c >> 6);
            bytes[size++] = (byte) (0x80 | (c & 0x3f));
        } else if (Character.isSurrogate(c)) {
            surrogates(value, i);
            return 1;
        } else {
            bytes[size++] = (byte) (0xe0 | c >> 12);
            bytes[size++] = (byte) (0x80 | (c >> 6 & 0x3f));
            bytes[size++] = (byte) (0x80 | (c & 0x3f));
        }
        return 0;
    }

    private void surrogates(String value, int i) {
        boolean pair = Character.isHighSurrogate(value.charAt(i))
                && i + 1 < value.length()
                && Character.isLowSurrogate(value.charAt(i + 1));
        if (!pair) {
            throw new IllegalArgumentException("a lone surrogate has no UTF-8");
        }
        int c = Character.toCodePoint(value.charAt(i), value.charAt(i + 1));
        bytes[size++] = (byte) (0xf0 | c >> 18);
        bytes[size++] = (byte) (0x80 | (c >> 12 & 0x3f));
        bytes[size++] = (byte) (0x80 | (c >> 6 & 0x3f));
        bytes[size++] = (byte) (0x80 | (c & 0x3f));
    }

    private void escape(char c) {
        bytes[size++] = '\\';
        switch (c) {
            case '"', '\\' -> bytes[size++] = (byte) c;
            case '\b' -> bytes[size++] = 'b';
            case '\f' -> bytes[size++] = 'f';
            case '\n' -> bytes[size++] = 'n';
            case '\r' -> bytes[size++] = 'r';
            case '\t' -> bytes[size++] = 't';
            default -> {
                bytes[size++] = 'u';
                bytes[size++] = '0';
                bytes[size++] = '0';
                bytes[size++] = HEX[c >> 4];
                bytes[size++] = HEX[c & 0xf];
            }
        }
    }

    /** Bytes written so far. */
    public int size() {
        return size;
    }

    /** A copy of what was written. */
    public byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }

    /** Updates a digest with what was written. */
    public void updateDigest(MessageDigest digest) {
        digest.update(bytes, 0, size);
    }

    private void ensure(long more) {
        long needed = size + more;
        if (needed > bytes.length) {
            if (needed > MAX_SIZE_BYTES) {
                throw new IllegalStateException("JSON of more than 2 GiB cannot be written");
            }
            bytes = Arrays.copyOf(bytes, (int) Math.min(MAX_SIZE_BYTES, Math.max(2L * bytes.length, needed)));
        }
    }
}
