// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import org.jspecify.annotations.Nullable;

/** What reading one event came to. */
public sealed interface EventResult {
    record Accepted(CloudEvent event) implements EventResult {}

    /** @param id the event's id as far as it could be read, so that a producer can tell which of many this was */
    record Refused(@Nullable String id, EventProblem problem) implements EventResult {}
}
