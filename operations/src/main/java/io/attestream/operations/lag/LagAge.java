// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

/** How old the first record is that a group has not processed. Not knowing it is not the same as 0. */
public sealed interface LagAge {
    /** Nothing is left to be processed. */
    LagAge NONE = new Known(0);

    /** @param seconds since the timestamp of that record, not below 0 */
    record Known(double seconds) implements LagAge {}

    /** @param reason for people */
    record Unknown(String reason) implements LagAge {}
}
