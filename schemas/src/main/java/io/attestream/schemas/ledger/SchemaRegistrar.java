// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.proofs.control.SchemaText;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;

/**
 * Registers the schemas at a registry that speaks Confluent's API, for producers and people. The services never ask it: the
 * ids it gives go into the genesis records.
 */
public final class SchemaRegistrar {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    private static final String CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";

    private final String api;
    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    /** @param api base of the Confluent API, for Apicurio {@code http://host:port/apis/ccompat/v7} */
    public SchemaRegistrar(URI api) {
        this.api = api.toString().replaceFirst("/+$", "");
    }

    /** The current schemas numbered without a registry, for ledgers that have none: ids 1 to 4. */
    public static List<SchemaText> withoutRegistry() {
        List<SchemaText> texts = new ArrayList<>();
        SchemaTexts.current().forEach((name, schema) -> texts.add(text(name, texts.size() + 1, schema)));
        return texts;
    }

    /**
     * Registers every current schema as {@code <topic>-value} with compatibility BACKWARD_TRANSITIVE. Registering again gives
     * the same ids.
     *
     * @throws IOException naming the subject and the registry's answer
     */
    public List<SchemaText> register(Topics topics) throws IOException {
        List<SchemaText> texts = new ArrayList<>();
        for (Map.Entry<String, Schema> entry : SchemaTexts.current().entrySet()) {
            String subject = SchemaTexts.topicOf(entry.getKey(), topics) + "-value";
            JsonNode answer = send(
                    "POST",
                    "/subjects/" + subject + "/versions",
                    json.createObjectNode().put("schema", entry.getValue().toString()));
            if (!answer.path("id").isInt()) {
                throw new IOException("the registry gave no id for subject " + subject + ": " + answer);
            }
            send("PUT", "/config/" + subject, json.createObjectNode().put("compatibility", "BACKWARD_TRANSITIVE"));
            texts.add(text(entry.getKey(), answer.path("id").asInt(), entry.getValue()));
        }
        return texts;
    }

    private static SchemaText text(String name, int id, Schema schema) {
        return new SchemaText(name, id, SchemaTexts.fingerprint(schema), schema.toString());
    }

    private JsonNode send(String method, String path, JsonNode body) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(api + path))
                .timeout(TIMEOUT)
                .header("Content-Type", CONTENT_TYPE)
                .method(method, HttpRequest.BodyPublishers.ofByteArray(json.writeValueAsBytes(body)))
                .build();
        try {
            HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
            if (response.statusCode() / 100 != 2) {
                throw new IOException("the registry answered " + method + " " + path + " with " + response.statusCode()
                        + ": " + new String(response.body(), StandardCharsets.UTF_8));
            }
            return json.readTree(response.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while asking the registry", e);
        }
    }
}
