// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.attestation;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * An in-toto statement (in-toto/attestation, Statement v1): what is said, of which files. It is worth what its signature is.
 *
 * @param subjects SHA-256 of each file, 64 lower-case hexadecimal digits, by its name; at least one
 * @param predicateType URI of what the predicate means
 * @param predicate what is said
 */
public record Statement(Map<String, String> subjects, String predicateType, JsonObject predicate) {
    /** The payload type of an envelope that holds a statement. */
    public static final String MEDIA_TYPE = "application/vnd.in-toto+json";

    private static final String TYPE = "https://in-toto.io/Statement/v1";
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final int MAX_SUBJECTS = 10_000;

    /** @throws IllegalArgumentException without a subject, or with more than 10,000, or with what is no SHA-256 */
    public Statement {
        subjects = Collections.unmodifiableMap(new LinkedHashMap<>(subjects));
        if (subjects.isEmpty() || subjects.size() > MAX_SUBJECTS) {
            throw new IllegalArgumentException(
                    "a statement has 1 to " + MAX_SUBJECTS + " subjects, not " + subjects.size());
        }
        for (String digest : subjects.values()) {
            if (!SHA_256.matcher(digest).matches()) {
                throw new IllegalArgumentException("not a SHA-256 in lower-case hexadecimal: " + digest);
            }
        }
    }

    /**
     * Reads what {@link Envelope.Verification.Verified} gave. A subject may have other digests beside its SHA-256; they are
     * not kept.
     */
    public static Statement parse(byte[] json) throws InvalidFormat {
        JsonObject object = Json.parseObject(json);
        object.allowOnly("_type", "subject", "predicateType", "predicate");
        if (!object.string("_type").equals(TYPE)) {
            throw new InvalidFormat("_type", "must be " + TYPE);
        }
        Map<String, String> subjects = new LinkedHashMap<>();
        for (JsonValue value : object.array("subject")) {
            if (!(value instanceof JsonObject subject)) {
                throw new InvalidFormat("subject", "must be objects");
            }
            String name = subject.string("name");
            if (subjects.put(name, subject.object("digest").string("sha256")) != null) {
                throw new InvalidFormat(name, "must not be a subject twice");
            }
        }
        try {
            return new Statement(subjects, object.string("predicateType"), object.object("predicate"));
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat("subject", String.valueOf(e.getMessage()));
        }
    }

    /** As canonical JSON (RFC 8785). */
    public byte[] encode() {
        List<JsonValue> values = new ArrayList<>();
        subjects.forEach((name, digest) -> values.add(new JsonObject(Map.of(
                "name", new JsonString(name), "digest", new JsonObject(Map.of("sha256", new JsonString(digest)))))));
        return Jcs.encode(new JsonObject(Map.of(
                "_type", new JsonString(TYPE),
                "subject", new JsonArray(values),
                "predicateType", new JsonString(predicateType),
                "predicate", predicate)));
    }

    /** In an envelope. */
    public Envelope sign(Envelope.Signer signer) {
        return Envelope.sign(MEDIA_TYPE, encode(), signer);
    }
}
