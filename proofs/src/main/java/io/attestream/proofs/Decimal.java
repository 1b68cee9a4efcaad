// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs;

/** Unsigned 64-bit decimals as the C2SP formats write them: digits only, no sign, no leading zero. */
public final class Decimal {
    private Decimal() {}

    /**
     * Reads an unsigned 64-bit decimal.
     *
     * @param field named in the error
     * @throws InvalidFormat if the text is anything but the shortest form of a number below 2^64
     */
    public static long parseUnsigned(String text, String field) throws InvalidFormat {
        if (text.isEmpty() || text.length() > 20) {
            throw new InvalidFormat(field, "must be a decimal of 1 to 20 digits");
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                throw new InvalidFormat(field, "must have decimal digits only");
            }
        }
        if (text.length() > 1 && text.charAt(0) == '0') {
            throw new InvalidFormat(field, "must not have leading zeros");
        }
        try {
            return Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new InvalidFormat(field, "must be below 2^64");
        }
    }
}
