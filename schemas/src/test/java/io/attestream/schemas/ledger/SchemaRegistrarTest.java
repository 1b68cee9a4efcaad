// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.attestream.proofs.control.SchemaText;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.avro.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SchemaRegistrarTest {
    private static final Topics TOPICS = new Topics("x");

    private final Queue<String> requests = new ConcurrentLinkedQueue<>();
    private final AtomicInteger nextId = new AtomicInteger(40);
    private HttpServer server;
    private volatile int status = 200;
    private volatile String answer = "";

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/apis/ccompat/v7", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + body);
            String text = answer.isEmpty() ? "{\"id\":" + nextId.incrementAndGet() + "}" : answer;
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private SchemaRegistrar registrar() {
        return new SchemaRegistrar(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/apis/ccompat/v7/"));
    }

    @Test
    void registersEverySchemaAndKeepsTheIdsItGot() throws IOException {
        // when
        List<SchemaText> texts = registrar().register(TOPICS);

        // then: the numbers between are answers to the requests about compatibility
        assertThat(texts).extracting(SchemaText::id).containsExactly(41, 43, 45, 47);
        assertThat(texts)
                .extracting(SchemaText::name)
                .containsExactlyElementsOf(SchemaTexts.current().keySet());
        List<String> all = List.copyOf(requests);
        assertThat(all).hasSize(8);
        assertThat(all.get(0)).startsWith("POST /apis/ccompat/v7/subjects/x.events-value/versions ");
        assertThat(all.get(1))
                .isEqualTo("PUT /apis/ccompat/v7/config/x.events-value {\"compatibility\":\"BACKWARD_TRANSITIVE\"}");
        assertThat(all.get(6)).startsWith("POST /apis/ccompat/v7/subjects/x.checkpoints-value/versions ");
        String sent = new ObjectMapper()
                .readTree(all.get(0).substring(all.get(0).indexOf('{')))
                .get("schema")
                .asText();
        assertThat(SchemaTexts.fingerprint(new Schema.Parser().parse(sent)))
                .isEqualTo(texts.get(0).fingerprint());
    }

    @Test
    void namesSubjectAndAnswerWhenTheRegistryRefuses() {
        status = 409;
        answer = "{\"message\":\"incompatible\"}";
        assertThatThrownBy(() -> registrar().register(TOPICS))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("x.events-value")
                .hasMessageContaining("409")
                .hasMessageContaining("incompatible");
    }

    @Test
    void refusesAnAnswerWithoutId() {
        answer = "{\"id\":\"1\"}";
        assertThatThrownBy(() -> registrar().register(TOPICS))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no id for subject x.events-value");
    }

    @Test
    void refusesAnAnswerThatIsNoJson() {
        answer = "<html>";
        assertThatThrownBy(() -> registrar().register(TOPICS)).isInstanceOf(IOException.class);
    }
}
