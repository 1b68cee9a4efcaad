// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonObject;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;

/** Invariants as errors that need no test library: Jazzer reports them. */
final class Holds {
    private Holds() {}

    static void holds(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    static void equal(Object expected, Object actual) {
        holds(expected.equals(actual), "expected " + expected + ", is " + actual);
    }

    static void sameBytes(byte[] expected, byte[] actual) {
        holds(
                Arrays.equals(expected, actual),
                "expected " + HexFormat.of().formatHex(expected) + ", is "
                        + HexFormat.of().formatHex(actual));
    }

    /** What the header of an archive object says about a shard. */
    static long firstIndex(byte[] object, int shard) throws InvalidFormat {
        int size = ByteBuffer.wrap(object).getInt(8);
        JsonObject header = Json.parseObject(Arrays.copyOfRange(object, 12, 12 + size));
        for (JsonValue value : header.array("shards")) {
            if (value instanceof JsonObject described && described.integer("shard") == shard) {
                return IndexText.read(described, "first");
            }
        }
        throw new AssertionError("no shard " + shard);
    }
}
