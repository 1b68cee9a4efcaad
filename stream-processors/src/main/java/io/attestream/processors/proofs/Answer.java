// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What a proof query came to. */
public sealed interface Answer {
    /** An object, to be written as JSON. */
    record Json(Map<String, Object> members) implements Answer {}

    /** Bytes with their media type. */
    record Raw(String mediaType, byte[] bytes) implements Answer {
        static Raw text(byte[] bytes) {
            return new Raw("text/plain; charset=utf-8", bytes);
        }

        static Raw text(String text) {
            return text(text.getBytes(StandardCharsets.UTF_8));
        }

        static Raw octets(byte[] bytes) {
            return new Raw("application/octet-stream", bytes);
        }
    }

    /** There is no such thing, or not yet. */
    record NotFound(String reason) implements Answer {}

    /** The question cannot be answered as it is put. */
    record BadRequest(String reason) implements Answer {}

    /** This instance has no copy, or is not ready: ask another one. */
    record NotHere() implements Answer {}
}
