// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

/** Leaves the reading of an event; turned into {@link EventResult.Refused} before it leaves the package. */
final class EventRefused extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient EventProblem problem;

    EventRefused(String code, String field, String detail) {
        super(detail, null, false, false);
        this.problem = new EventProblem(code, field, detail);
    }

    EventProblem problem() {
        return problem;
    }
}
