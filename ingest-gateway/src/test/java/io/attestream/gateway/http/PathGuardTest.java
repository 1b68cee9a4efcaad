// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Surroundings;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Raw sockets, because every client library cleans paths up before it sends them. */
@QuarkusTest
@WithTestResource(Surroundings.class)
class PathGuardTest {
    IdentityProvider issuer;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1%2fcheckpoint",
                "/v1%2Fcheckpoint",
                "/v1/%5ccheckpoint",
                "/v1/checkpoint%3bx=1",
                "/v1/checkpoint;x=1",
                "/v1;a=b/checkpoint",
                "/v1/checkpoint%00",
                "/v1/%252fcheckpoint",
                "//v1/checkpoint",
                "/v1//checkpoint",
                "/v1/./checkpoint",
                "/v1/../v1/checkpoint",
                "/v1/checkpoint/..",
                "/v1/%2e%2e/v1/checkpoint",
                "/shard/0/tile/0/..%2fentries/000",
                "/shard/0/tile/./entries/000",
                "/shard/0/tile//entries/000",
                "/shard/0/tile;x/entries/000",
            })
    void refusesPathsThatTwoLayersCouldReadDifferently(String path) {
        for (String token : List.of("", issuer.token("acme", "ingester", "auditor", "admin"))) {
            // given
            List<String> head = token.isEmpty()
                    ? List.of("GET " + path + " HTTP/1.1", "Host: localhost", "Connection: close")
                    : List.of(
                            "GET " + path + " HTTP/1.1",
                            "Host: localhost",
                            "Connection: close",
                            "Authorization: Bearer " + token);

            // when
            String answer = Gateway.raw(head, "");

            // then
            assertThat(answer).startsWith("HTTP/1.1 400");
            assertThat(answer.toLowerCase(Locale.ROOT)).contains("content-type: application/problem+json");
            assertThat(answer).contains("urn:attestream:problem:bad-path");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1\\checkpoint", "/v1/check point"})
    void refusesWhatIsNoRequestTarget(String path) {
        // when
        String answer = Gateway.raw(List.of("GET " + path + " HTTP/1.1", "Host: localhost", "Connection: close"), "");

        // then
        assertThat(answer).matches("(?s)HTTP/1\\.[01] 400 .*").doesNotContain("<html");
    }
}
