// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class ControlServerTest {
    private static final String SECRET = "secret";
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final List<String> asked = new CopyOnWriteArrayList<>();

    private final ControlServer.Children children = new ControlServer.Children() {
        @Override
        public List<ClusterControl.Condition> conditions() {
            return List.of(new ClusterControl.Condition("gateway-0", true, true, ""));
        }

        @Override
        public void restart(String name) {
            asked.add("restart " + name);
        }

        @Override
        public void stop(String name) {
            throw new IllegalArgumentException("there is no process " + name);
        }

        @Override
        public void rotateTokens() {
            asked.add("rotate");
        }
    };

    private static HttpResponse<String> post(int port, String path, String secret) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + secret)
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }

    /** Any user of the machine can send one. */
    @Test
    void requestsThatNeverEndKeepNobodyFromStartingAProcessAgain() throws Exception {
        int port = FreePorts.pick();
        try (ControlServer server = ControlServer.start(children, SECRET, port);
                Socket one = new Socket(InetAddress.getLoopbackAddress(), port);
                Socket two = new Socket(InetAddress.getLoopbackAddress(), port)) {
            // given two halves of a request, which are being read
            for (Socket socket : List.of(one, two)) {
                socket.getOutputStream().write("GET /pro".getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().flush();
            }

            // when
            HttpResponse<String> answer = post(port, "/processes/gateway-0/restart", SECRET);

            // then
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(asked).containsExactly("restart gateway-0");
        }
    }

    @Test
    void whoHasNotTheTokenIsTurnedAwayAndAnUnknownProcessIsSaidToBe() throws Exception {
        int port = FreePorts.pick();
        try (ControlServer server = ControlServer.start(children, SECRET, port)) {
            assertThat(post(port, "/processes/gateway-0/restart", "guess").statusCode())
                    .isEqualTo(401);
            HttpResponse<String> answer = post(port, "/processes/gateway-7/stop", SECRET);
            assertThat(answer.statusCode()).isEqualTo(404);
            assertThat(answer.body()).contains("there is no process gateway-7");
            assertThat(asked).isEmpty();
        }
    }
}
