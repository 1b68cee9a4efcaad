// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Reads what issuers and strangers send as JSON: UTF-8 only, no member twice at any depth, nothing behind the value, bounded
 * depth and numbers. Two readers must not see two headers in one token (RFC 7515 section 4, RFC 7519 section 4).
 */
final class StrictJson {
    private static final int MAX_DEPTH = 16;
    private static final int MAX_NUMBER_LENGTH = 40;

    private static final ObjectReader READER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(MAX_NUMBER_LENGTH)
                            .build())
                    // Names come from strangers: they must not stay in memory for good.
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .readerForMapOf(Object.class);

    private StrictJson() {}

    /** @throws Malformed if it is no JSON object, or one that two readers could understand differently */
    static Map<String, Object> object(byte[] utf8) throws Malformed {
        try {
            // As text: given bytes, the parser would take UTF-16 and UTF-32 for granted.
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
            Map<String, Object> object = READER.readValue(text);
            if (object == null) {
                throw new Malformed();
            }
            return object;
        } catch (CharacterCodingException | JsonProcessingException e) {
            throw new Malformed(); // without the cause, which quotes the text
        }
    }

    /** Says no more: what was read is never logged. */
    static final class Malformed extends Exception {
        Malformed() {
            super("not a JSON object", null, false, false);
        }
    }
}
