// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.toxiproxy;

import java.util.LinkedHashMap;
import java.util.Map;

/** A request that is not done, with the status and the words of the real Toxiproxy. */
final class ApiError extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;

    ApiError(int status, String message) {
        super(message);
        this.status = status;
    }

    static ApiError badBody(String why) {
        return new ApiError(400, "bad request body: " + why);
    }

    int status() {
        return status;
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("error", String.valueOf(getMessage()));
        json.put("status", status);
        return json;
    }
}
