// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * Appends the tokens of canonical JSON (RFC 8785) to a growing byte array. The caller writes members in canonical order.
 * Reusable and not thread-safe: the sequencer encodes every entry with one.
 */
public final class JcsWriter {
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private byte[] bytes = new byte[1024];
    private int size;

    /** Forgets what was written. */
    public JcsWriter reset() {
        size = 0;
        return this;
    }

    /** ASCII text as it is: brackets, commas, names known to need no escape. */
    public JcsWriter raw(String ascii) {
        int length = ascii.length();
        ensure(length);
        for (int i = 0; i < length; i++) {
            bytes[size++] = (byte) ascii.charAt(i);
        }
        return this;
    }

    public JcsWriter number(long value) {
        return raw(Long.toString(value));
    }

    /** Standard base64 with padding, as a string. */
    public JcsWriter base64(byte[] value) {
        byte[] text = Base64.getEncoder().encode(value);
        ensure(text.length + 2);
        bytes[size++] = '"';
        System.arraycopy(text, 0, bytes, size, text.length);
        size += text.length;
        bytes[size++] = '"';
        return this;
    }

    /**
     * A string with the escapes of RFC 8785 section 3.2.2.2.
     *
     * @throws IllegalArgumentException on a lone surrogate, which has no UTF-8
     */
    public JcsWriter string(String value) {
        int length = value.length();
        ensure(6 * length + 2);
        bytes[size++] = '"';
        for (int i = 0; i < length; i++) {
            char c = value.charAt(i);
            if (c >= 0x20 && c <= 0x7f && c != '"' && c != '\\') {
                bytes[size++] = (byte) c;
            } else if (c < 0x80) {
                escape(c);
            } else if (c < 0x800) {
                bytes[size++] = (byte) (0xc0 | c >> 6);
                bytes[size++] = (byte) (0x80 | (c & 0x3f));
            } else if (Character.isSurrogate(c)) {
                surrogates(value, i++);
            } else {
                bytes[size++] = (byte) (0xe0 | c >> 12);
                bytes[size++] = (byte) (0x80 | (c >> 6 & 0x3f));
                bytes[size++] = (byte) (0x80 | (c & 0x3f));
            }
        }
        bytes[size++] = '"';
        return this;
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

    private void ensure(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
        }
    }
}
