// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs;

/** Bytes that are not what a format asks for. Names the field at fault, so that a person can find it. */
public final class InvalidFormat extends Exception {
    private final String field;
    private final String reason;

    /**
     * @param field the field, line or object at fault
     * @param reason what is wrong with it
     */
    public InvalidFormat(String field, String reason) {
        super(field + ": " + reason);
        this.field = field;
        this.reason = reason;
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
