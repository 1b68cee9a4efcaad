// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class GatewayHealthTest {
    /** As a gateway answers that is not ready. */
    private static String fencedOf(String data) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        byte[] body = ("{\"status\":\"DOWN\",\"checks\":[{\"name\":\"brokers\",\"status\":\"DOWN\"},"
                        + "{\"name\":\"ledger\",\"status\":\"DOWN\",\"data\":" + data + "}]}")
                .getBytes(StandardCharsets.UTF_8);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(503, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            return GatewayHealth.fenced(
                    URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/q/health/ready"));
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aGatewayThatSawEventsVanishSaysWhyItMustNotJustBeStartedAgain() throws Exception {
        assertThat(fencedOf("{\"state\":\"refused: events lost its end\",\"fenced\":true}"))
                .isEqualTo("refused: events lost its end");
    }

    @Test
    void oneThatIsNotReadyForAnotherReasonMayBeStartedAgain() throws Exception {
        assertThat(fencedOf("{\"state\":\"refused: retention.ms is 1, must be -1\",\"fenced\":false}"))
                .isEmpty();
    }

    @Test
    void oneThatDoesNotAnswerMayBeStartedAgain() {
        assertThat(GatewayHealth.fenced(URI.create("http://127.0.0.1:1/q/health/ready")))
                .isEmpty();
    }
}
