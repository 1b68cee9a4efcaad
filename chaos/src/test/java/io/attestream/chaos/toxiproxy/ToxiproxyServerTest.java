// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.toxiproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.model.ToxicDirection;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The REST API: what the real Toxiproxy answers, to good requests and to bad ones. */
class ToxiproxyServerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ECHO = "{\"name\":\"echo\",\"listen\":\"127.0.0.1:0\",\"upstream\":\"127.0.0.1:9\"}";

    private final HttpClient http = HttpClient.newHttpClient();
    private ToxiproxyServer server;

    @BeforeEach
    void start() {
        server = ToxiproxyServer.start(0);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private record Answer(int status, JsonNode json) {
        String error() {
            return json.path("error").asText();
        }
    }

    private Answer send(String method, String path, String body) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(server.url() + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    private Answer send(HttpRequest request) throws Exception {
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        Answer answer = new Answer(response.statusCode(), JSON.readTree(response.body()));
        if (answer.status() >= 400) {
            assertThat(answer.json().path("status").asInt()).isEqualTo(answer.status());
            assertThat(answer.error()).isNotEmpty();
        }
        return answer;
    }

    @Test
    void aForeignClientSeesWhatItMade() throws Exception {
        // given
        eu.rekawek.toxiproxy.ToxiproxyClient client = new eu.rekawek.toxiproxy.ToxiproxyClient(
                "127.0.0.1", server.url().getPort());
        assertThat(client.version()).contains(ToxiproxyServer.VERSION);

        // when
        Proxy proxy = client.createProxy("echo", "127.0.0.1:0", "127.0.0.1:9");
        proxy.toxics()
                .latency("late", ToxicDirection.UPSTREAM, 100)
                .setJitter(7)
                .setToxicity(0.5f);
        proxy.toxics().slicer("sliced", ToxicDirection.DOWNSTREAM, 10, 20).setSizeVariation(3);

        // then
        assertThat(client.getProxies()).hasSize(1);
        assertThat(client.getProxy("echo").getListen()).matches("127.0.0.1:[1-9][0-9]*");
        JsonNode shown = send("GET", "/proxies/echo", "").json();
        assertThat(shown.path("enabled").asBoolean()).isTrue();
        assertThat(shown.path("toxics").get(0)).isEqualTo(JSON.readTree("""
                {"name":"late","type":"latency","stream":"upstream","toxicity":0.5,"attributes":{"latency":100,"jitter":7}}
                """));
        assertThat(shown.path("toxics").get(1).path("attributes"))
                .isEqualTo(JSON.readTree("{\"average_size\":10,\"size_variation\":3,\"delay\":20}"));
        assertThat(proxy.toxics().getAll()).hasSize(2);

        // and when all is reset
        proxy.disable();
        client.reset();
        assertThat(client.getProxy("echo").isEnabled()).isTrue();
        assertThat(proxy.toxics().getAll()).isEmpty();
        proxy.delete();
        assertThat(client.getProxies()).isEmpty();
    }

    /** It is what both the local cluster and one in containers are asked by. */
    @Test
    void ourClientAddsAndRemoves() throws Exception {
        ToxiproxyClient client = new ToxiproxyClient(server.url());
        server.add("kafka-gateway", 0, 9);
        assertThat(client.proxies()).containsExactly("kafka-gateway");
        Toxic toxic = Toxic.of("late", Toxic.Type.LATENCY, Toxic.Stream.UPSTREAM, Map.of("latency", 5L, "jitter", 1L));
        client.add("kafka-gateway", toxic);
        assertThat(client.has("kafka-gateway", "late")).isTrue();
        assertThatThrownBy(() -> client.add("kafka-gateway", toxic))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("409 toxic already exists");
        client.remove("kafka-gateway", "late");
        client.remove("kafka-gateway", "late");
        client.remove("nobody", "late");
        assertThat(client.has("kafka-gateway", "late")).isFalse();
        server.close();
        assertThatThrownBy(client::proxies)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("does not answer at " + server.url());
    }

    @Test
    void populateMakesAndReplaces() throws Exception {
        Answer made = send(
                "POST",
                "/populate",
                "[" + ECHO + ",{\"name\":\"off\",\"upstream\":\"localhost:9\",\"enabled\":false}]");
        assertThat(made.status()).isEqualTo(201);
        assertThat(made.json().path("proxies").get(0).path("enabled").asBoolean())
                .isTrue();
        assertThat(made.json().path("proxies").get(1).path("enabled").asBoolean())
                .isFalse();
        assertThat(send("POST", "/populate", "[" + ECHO.replace(":9", ":10") + "]")
                        .status())
                .isEqualTo(201);
        assertThat(send("GET", "/proxies/echo", "").json().path("upstream").asText())
                .isEqualTo("127.0.0.1:10");
        assertThat(send("GET", "/proxies", "").json()).hasSize(2);
    }

    @Test
    void aToxicKeepsWhatAnUpdateDoesNotName() throws Exception {
        send("POST", "/proxies", ECHO);
        Answer made = send(
                "POST", "/proxies/echo/toxics", "{\"type\":\"latency\",\"attributes\":{\"latency\":5,\"jitter\":2}}");
        assertThat(made.status()).isEqualTo(200);
        assertThat(made.json().path("name").asText()).isEqualTo("latency_downstream");
        for (String method : new String[] {"POST", "PATCH"}) {
            Answer changed = send(method, "/proxies/echo/toxics/latency_downstream", "{\"attributes\":{\"jitter\":3}}");
            assertThat(changed.json().path("attributes")).isEqualTo(JSON.readTree("{\"latency\":5,\"jitter\":3}"));
            assertThat(changed.json().path("toxicity").asDouble()).isEqualTo(1);
        }
        assertThat(send("DELETE", "/proxies/echo/toxics/latency_downstream", "").status())
                .isEqualTo(204);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            GET    | /nowhere                 |                                       | 404 | there is no such path
            GET    | /                        |                                       | 404 | there is no such path
            GET    | /proxies/echo/toxics/a/b |                                       | 404 | there is no such path
            GET    | /proxies/echo/other      |                                       | 404 | there is no such path
            GET    | /proxies/none            |                                       | 404 | proxy not found
            GET    | /proxies/%2e%2e%2fecho   |                                       | 404 | proxy not found
            DELETE | /proxies/none            |                                       | 404 | proxy not found
            GET    | /proxies/echo/toxics/no  |                                       | 404 | toxic not found
            DELETE | /proxies/echo/toxics/no  |                                       | 404 | toxic not found
            PUT    | /proxies                 |                                       | 405 | the path does not take this method
            DELETE | /reset                   |                                       | 405 | the path does not take this method
            PUT    | /proxies/echo            | {}                                    | 405 | the path does not take this method
            POST   | /proxies                 |                                       | 400 | bad request body
            POST   | /proxies                 | {                                     | 400 | bad request body: it is no JSON
            POST   | /proxies                 | []                                    | 400 | bad request body: it is no JSON object
            POST   | /proxies                 | {}                                    | 400 | missing required field: name
            POST   | /proxies                 | {"name":"a"}                          | 400 | missing required field: upstream
            POST   | /proxies                 | {"name":7,"upstream":"127.0.0.1:9"}   | 400 | name must be a string
            POST   | /proxies                 | {"name":"a","upstream":"10.0.0.1:9"}  | 400 | upstream must be 127.0.0.1
            POST   | /proxies                 | {"name":"a","upstream":"127.0.0.1"}   | 400 | upstream must be 127.0.0.1
            POST   | /proxies                 | {"name":"a","upstream":"127.0.0.1:99999"} | 400 | upstream must be 127.0.0.1
            POST   | /proxies                 | {"name":"a","upstream":"127.0.0.1:9","listen":"0.0.0.0:0"} | 400 | listen must be 127.0.0.1
            POST   | /proxies                 | {"name":"a","upstream":"127.0.0.1:9","listen":":0"} | 400 | listen must be 127.0.0.1
            POST   | /proxies                 | {"name":"a","upstream":"127.0.0.1:9","enabled":"yes"} | 400 | enabled must be a boolean
            POST   | /proxies                 | {"name":"echo","upstream":"127.0.0.1:9"} | 409 | proxy already exists
            POST   | /proxies/echo            | {"listen":"example.org:1"}            | 400 | listen must be 127.0.0.1
            POST   | /populate                | {}                                    | 400 | it is no JSON array
            POST   | /populate                | [1]                                   | 400 | it is no JSON object
            POST   | /proxies/echo/toxics     | {"type":"netem"}                      | 400 | invalid toxic type
            POST   | /proxies/echo/toxics     | {}                                    | 400 | invalid toxic type
            POST   | /proxies/echo/toxics     | {"type":"latency","stream":"both"}    | 400 | stream was invalid
            POST   | /proxies/echo/toxics     | {"type":"latency","attributes":{"latency":"5"}} | 400 | attributes.latency must be a whole number
            POST   | /proxies/echo/toxics     | {"type":"latency","attributes":{"latency":-1}} | 400 | latency must be 0 to
            POST   | /proxies/echo/toxics     | {"type":"latency","attributes":{"latency":9223372036854775808}} | 400 | attributes.latency must be a whole number
            POST   | /proxies/echo/toxics     | {"type":"latency","attributes":7}     | 400 | it is no JSON object
            POST   | /proxies/echo/toxics     | {"type":"latency","toxicity":2}       | 400 | toxicity must be 0 to 1
            POST   | /proxies/echo/toxics     | {"type":"timeout","name":"there"}     | 409 | toxic already exists
            POST   | /proxies/echo/toxics/there | {"attributes":{"timeout":-1}}       | 400 | timeout must be 0 to
            """)
    void badRequestsAreToldWhatIsWrongAndChangeNothing(
            String method, String path, String body, int status, String error) throws Exception {
        // given
        send("POST", "/proxies", ECHO);
        send("POST", "/proxies/echo/toxics", "{\"name\":\"there\",\"type\":\"timeout\"}");
        JsonNode before = send("GET", "/proxies", "").json();

        // when
        Answer answer = send(method, path, body == null ? "" : body);

        // then
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.error()).contains(error);
        assertThat(send("GET", "/proxies", "").json()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[", "{\"a\":", "\"", "1"})
    void aBodyThatIsTooLongOrTooDeepIsRefused(String piece) throws Exception {
        assertThat(send("POST", "/proxies", piece.repeat(200_000)).status()).isEqualTo(400);
        String tooLong = piece.repeat((1 << 20) / piece.length() + 1);
        assertThat(send("POST", "/proxies", tooLong).error()).contains("more than 1048576 bytes");
        assertThat(send("GET", "/version", "").status()).isEqualTo(200);
    }

    @Test
    void aPortThatIsTakenIsAnErrorOfTheServer() throws Exception {
        String listen = "127.0.0.1:" + server.url().getPort();
        Answer answer =
                send("POST", "/proxies", "{\"name\":\"a\",\"listen\":\"" + listen + "\",\"upstream\":\"127.0.0.1:9\"}");
        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.error()).contains("listen tcp " + listen);
        assertThat(send("GET", "/proxies", "").json()).isEmpty();
    }

    /** A page that somebody looks at on this machine must not be able to do anything. */
    @Test
    void browsersAreRefused() throws Exception {
        Answer answer = send(HttpRequest.newBuilder(URI.create(server.url() + "/reset"))
                .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build());
        assertThat(answer.status()).isEqualTo(403);
    }
}
