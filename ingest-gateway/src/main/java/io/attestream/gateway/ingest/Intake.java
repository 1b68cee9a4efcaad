// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.http.Problem;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** An event that was read: ready for the log, ready but for its key, refused, or to be sent again later. */
public sealed interface Intake {
    /** Whether it is to be sent, as far as is known. */
    default boolean isToBeSent() {
        return this instanceof Ready || this instanceof Keyed;
    }

    record Ready(String id, LogRecord record) implements Intake {}

    /**
     * Needs a key that may have to be fetched or made: only after a quota granted it.
     *
     * @param sizeBytes of its record, roughly
     * @param making what it comes to
     */
    record Keyed(String id, long sizeBytes, Supplier<Intake> making) implements Intake {}

    /** @param id the event's id, if that much could be read */
    record Refused(@Nullable String id, Problem problem) implements Intake {}

    /**
     * The key its payload is to be encrypted under cannot be had just now.
     *
     * @param isOfSubjectAlone others' can
     */
    record KeyUnavailable(String id, boolean isOfSubjectAlone) implements Intake {}
}
