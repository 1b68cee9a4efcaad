// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Surroundings;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every answer says to browsers and caches, read from the socket: no client stands between. */
@QuarkusTest
@WithTestResource(Surroundings.class)
class SecurityHeadersTest {
    private record Raw(String statusLine, Map<String, String> headers, String body) {
        static Raw of(String text) {
            int end = text.indexOf("\r\n\r\n");
            assertThat(end).as("no answer: %s", text).isPositive();
            String[] lines = text.substring(0, end).split("\r\n", -1);
            Map<String, String> headers = new TreeMap<>();
            for (int i = 1; i < lines.length; i++) {
                int colon = lines[i].indexOf(':');
                String name = lines[i].substring(0, colon).toLowerCase(Locale.ROOT);
                assertThat(headers.put(name, lines[i].substring(colon + 1).strip()))
                        .as(name)
                        .isNull();
            }
            return new Raw(lines[0], headers, text.substring(end + 4));
        }

        String header(String name) {
            return headers.getOrDefault(name, "");
        }
    }

    private static Raw send(int port, String method, String path, String... headers) {
        String more = String.join("\r\n", headers);
        return Raw.of(Gateway.raw(
                port,
                method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + more
                        + (more.isEmpty() ? "" : "\r\n") + "\r\n"));
    }

    private static void isSafe(Raw answer) {
        assertThat(answer.header("x-content-type-options")).isEqualTo("nosniff");
        assertThat(answer.header("referrer-policy")).isEqualTo("no-referrer");
        assertThat(answer.header("content-security-policy"))
                .startsWith("default-src 'none'")
                .contains("frame-ancestors 'none'");
        assertThat(answer.header("cache-control")).isNotEmpty();
        assertThat(answer.headers()).doesNotContainKeys("server", "x-powered-by", "strict-transport-security");
    }

    @ParameterizedTest
    @CsvSource({
        "GET,/openapi,200",
        "GET,/v1/epochs/999999999,404",
        "GET,/nothing,404",
        "GET,/,404",
        "GET,/v1%2fcheckpoint,400",
        "GET,/v1/epochs/x,404",
        "GET,/v1/receipts/1/0/0,401",
        "GET,/v1/events/0/0,401",
        "DELETE,/v1/checkpoint,405",
        "OPTIONS,/v1/events,200",
        "HEAD,/openapi,200",
        "TRACE,/v1/checkpoint,405",
        "BREW,/v1/checkpoint,405"
    })
    void answersOfTheApiAreSafeErrorsIncluded(String method, String path, int status) {
        // when
        Raw answer = send(Gateway.port(), method, path);

        // then
        assertThat(answer.statusLine()).startsWith("HTTP/1.1 " + status);
        isSafe(answer);
        assertThat(answer.body()).doesNotContain("<html");
    }

    @ParameterizedTest
    @CsvSource({"Content-Length: 999999999999,413", "Content-Type: nonsense,415", "Authorization: Bearer x,401"})
    void refusedBodiesAreAnsweredSafely(String header, int status) {
        // when
        Raw answer = send(Gateway.port(), "POST", "/v1/events", header);

        // then
        assertThat(answer.statusLine()).startsWith("HTTP/1.1 " + status);
        isSafe(answer);
        assertThat(answer.header("cache-control")).isEqualTo("no-store");
    }

    /** What cannot be parsed reaches no handler of ours: the answer says nothing at all. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "NONSENSE\r\n\r\n",
                "GET / HTTP/9.9\r\n\r\n",
                "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"
            })
    void whatIsNotHttpIsAnsweredWithoutAWord(String request) {
        for (int port : new int[] {Gateway.port(), Gateway.managementPort()}) {
            // when
            String answer = Gateway.raw(port, request);

            // then
            if (!answer.isEmpty()) {
                Raw read = Raw.of(answer);
                assertThat(read.statusLine()).matches("HTTP/\\d\\.\\d (400|431|414|501).*");
                assertThat(read.headers()).doesNotContainKeys("server", "x-powered-by");
                assertThat(read.body()).doesNotContain("<html", "Exception", "\tat ");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/q/health/live,200",
        "/q/metrics,200",
        "/ops,200",
        "/ops/page.js,200",
        "/ops/page.css,200",
        "/ops/nothing,404",
        "/ops/runbooks/nothing.md,404",
        "/nothing,404",
        "/,404"
    })
    void answersOfTheManagementPortAreSafeErrorsIncluded(String path, int status) {
        // when
        Raw answer = send(Gateway.managementPort(), "GET", path);

        // then
        assertThat(answer.statusLine()).startsWith("HTTP/1.1 " + status);
        isSafe(answer);
        assertThat(answer.header("cache-control")).isEqualTo("no-store");
        assertThat(path.equals("/ops") || !answer.body().contains("<html")).isTrue();
    }
}
