// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.http.Problem;
import org.jspecify.annotations.Nullable;

/** An event that was read: ready for the log, or refused. */
public sealed interface Intake {
    record Ready(String id, LogRecord record) implements Intake {}

    /** @param id the event's id, if that much could be read */
    record Refused(@Nullable String id, Problem problem) implements Intake {}
}
