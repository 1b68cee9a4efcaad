// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import org.jspecify.annotations.Nullable;

/** Ends a request with a problem. Answered by {@link ErrorMapping}; without a stack trace, for it is no bug. */
public final class ProblemException extends RuntimeException {
    private final transient Problem problem;

    public ProblemException(Problem problem) {
        super(problem.type(), null, false, false);
        this.problem = problem;
    }

    public ProblemException(ProblemCode code, String detail) {
        this(Problem.of(code, detail));
    }

    public ProblemException(ProblemCode code, String detail, @Nullable String field) {
        this(Problem.of(code, detail, field));
    }

    public Problem problem() {
        return problem;
    }
}
