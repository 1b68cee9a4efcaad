// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs;

/** Bytes that are not what a format asks for. Names the field at fault, so that a person can find it. */
public final class InvalidFormat extends Exception {
    private static final long serialVersionUID = 1L;
    private static final int MAX_FIELD_LENGTH = 150;

    private final String field;
    private final String reason;

    /**
     * @param field the field, line or object at fault; may come from the input: made fit for a log line
     * @param reason what is wrong with it
     */
    public InvalidFormat(String field, String reason) {
        super(printable(field) + ": " + reason);
        this.field = printable(field);
        this.reason = reason;
    }

    private static String printable(String field) {
        String head = field.length() > MAX_FIELD_LENGTH ? field.substring(0, MAX_FIELD_LENGTH) + "…" : field;
        return head.replaceAll("[\\p{Cc}\\p{Cf}\\p{Cs}\\u2028\\u2029]", "?");
    }

    /** The field, line or object at fault. */
    public String field() {
        return field;
    }

    /** What is wrong with it. */
    public String reason() {
        return reason;
    }
}
