// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;

/** JSON as a dossier reads it, strictly and by a schema, and as it writes it: the same for the same. */
final class DossierJson {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private DossierJson() {}

    /** @throws IOException if it is no JSON, or has a member twice */
    static JsonNode tree(byte[] json) throws IOException {
        return JSON.readTree(json);
    }

    /** With a line feed at the end. */
    static byte[] write(Object value) {
        try {
            return (JSON.writeValueAsString(value) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads what is of a schema of ours.
     *
     * @param name of the file, for messages
     * @throws CliException as usage if it is not
     */
    static <T> T read(String name, byte[] json, String schema, Class<T> type) {
        try {
            Optional<String> violation = violation(ours(schema), json);
            if (violation.isPresent()) {
                throw wrong(name, violation.get());
            }
            return JSON.readValue(json, type);
        } catch (IOException e) {
            throw wrong(name, String.valueOf(e.getMessage()));
        }
    }

    private static CliException wrong(String name, String why) {
        String line = why.lines().findFirst().orElse("");
        return new CliException(
                ExitCode.USAGE, name + " is not as its schema says: " + line, "The schemas are in release/.");
    }

    /** Published in {@code release/}, and in the jar, so that nobody can relax one by an edit. */
    private static byte[] ours(String schema) throws IOException {
        try (InputStream in = Objects.requireNonNull(DossierJson.class.getResourceAsStream("release/" + schema))) {
            return in.readAllBytes();
        }
    }

    /** The first way in which a document is not of a schema (JSON Schema 2020-12); empty if it is. */
    static Optional<String> violation(byte[] schema, byte[] json) {
        try {
            return violation(schema(schema), json);
        } catch (IOException e) {
            return Optional.of("its schema is no JSON");
        }
    }

    static JsonSchema schema(byte[] schema) throws IOException {
        return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(tree(schema));
    }

    static Optional<String> violation(JsonSchema schema, byte[] json) {
        try {
            return schema.validate(tree(json)).stream()
                    .map(Object::toString)
                    .sorted()
                    .findFirst();
        } catch (IOException e) {
            return Optional.of(
                    String.valueOf(e.getMessage()).lines().findFirst().orElse("no JSON"));
        }
    }
}
