// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import java.util.Map;

/**
 * What one part of the process says about itself.
 *
 * @param data details, to be written as JSON
 */
record HealthCheck(String name, boolean up, Map<String, Object> data) {
    Map<String, Object> toJson() {
        return Map.of("name", name, "status", up ? "UP" : "DOWN", "data", data);
    }
}
