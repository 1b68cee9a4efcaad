// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs;

import java.util.Base64;

/** Base64 as all formats here use it: RFC 4648 section 4, padded, and only the one canonical text for given bytes. */
public final class Base64Text {
    private Base64Text() {}

    /** Standard alphabet, padded. */
    public static String encode(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    /**
     * Decodes canonical base64.
     *
     * @param field named in the error
     * @throws InvalidFormat if padding is missing, a character is foreign, or unused bits are set
     */
    public static byte[] decode(String text, String field) throws InvalidFormat {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat(field, "must be base64 with padding");
        }
        if (!encode(bytes).equals(text)) {
            throw new InvalidFormat(field, "must be canonical base64 with padding");
        }
        return bytes;
    }

    /** As {@link #decode(String, String)}, and exactly so many bytes. */
    public static byte[] decode(String text, int sizeBytes, String field) throws InvalidFormat {
        byte[] bytes = decode(text, field);
        if (bytes.length != sizeBytes) {
            throw new InvalidFormat(field, "must be " + sizeBytes + " bytes, is " + bytes.length);
        }
        return bytes;
    }
}
