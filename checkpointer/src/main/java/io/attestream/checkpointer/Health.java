// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.LinkedHashMap;
import java.util.Map;

/** One look at whether the process does its work. */
record Health(String name, boolean up, Map<String, Object> data) {
    Health {
        data = Map.copyOf(new LinkedHashMap<>(data));
    }
}
