// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.gateway.support.FakeLedgerSource;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Routers;
import io.attestream.gateway.support.TestLedger;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Every route of the gateway under one policy, for everybody who may come along. A route that is added and not declared here is red; so is one
 * that answers somebody it should not, in any spelling of its path that a raw socket can send.
 */
abstract class RouteWalk {
    private static final byte[] EVENT = "{\"specversion\":\"1.0\",\"id\":\"walk\",\"source\":\"/s\",\"type\":\"t\"}"
            .getBytes(StandardCharsets.UTF_8);

    /** Who may use a route. */
    enum Access {
        EVERYBODY,
        INGESTER,
        /** With any role; what belongs to a tenant only to that, or to who reads the whole ledger. */
        READER,
        LEDGER_WIDE,
        ADMIN
    }

    enum Who {
        NOBODY,
        JUNK,
        NO_ROLE,
        INGESTER,
        STRANGER,
        AUDITOR,
        ADMIN
    }

    record Route(String template, String path, Access access, boolean isOfATenant, String bodyType) {
        Route(String template, String path, Access access, boolean isOfATenant) {
            this(template, path, access, isOfATenant, "");
        }

        String method() {
            return template.substring(0, template.indexOf(' '));
        }
    }

    private static final Set<Who> OF_ANOTHER_TENANT = Set.of(Who.STRANGER, Who.AUDITOR, Who.ADMIN);

    private static final List<Route> ROUTES = List.of(
            new Route("POST /v1/events", "/v1/events", Access.INGESTER, false, "application/cloudevents+json"),
            new Route("POST /v1/events", "/v1/events", Access.INGESTER, false, "application/x-ndjson"),
            new Route("GET /v1/events/{shard}/{index}", "/v1/events/0/0", Access.READER, true),
            new Route("GET /v1/receipts/{incarnation}/{shard}/{offset}", "/v1/receipts/1/0/10", Access.READER, true),
            // What the walk sends is no request to erase: who may ask for one is told so.
            new Route("POST /v1/erasures", "/v1/erasures", Access.ADMIN, false, "application/json"),
            new Route("GET /v1/proofs/inclusion", "/v1/proofs/inclusion?shard=0&index=0&size=1", Access.READER, false),
            new Route(
                    "GET /v1/proofs/consistency",
                    "/v1/proofs/consistency?shard=0&first=1&second=1",
                    Access.READER,
                    false),
            new Route("GET /v1/checkpoint", "/v1/checkpoint", Access.EVERYBODY, false),
            new Route("GET /v1/keys", "/v1/keys", Access.EVERYBODY, false),
            new Route("GET /v1/epochs/{number}", "/v1/epochs/0", Access.EVERYBODY, false),
            new Route("GET /log/checkpoint", "/log/checkpoint", Access.EVERYBODY, false),
            new Route("GET /shard/{shard}/checkpoint", "/shard/0/checkpoint", Access.EVERYBODY, false),
            new Route("GET /log/tile/{path: .+}", "/log/tile/0/000.p/1", Access.EVERYBODY, false),
            new Route("GET /shard/{shard}/tile/{path: .+}", "/shard/0/tile/0/000.p/1", Access.EVERYBODY, false),
            new Route(
                    "GET /shard/{shard}/tile/entries/{path: .+}",
                    "/shard/0/tile/entries/000.p/1",
                    Access.LEDGER_WIDE,
                    false));

    IdentityProvider issuer;
    TestLedger truth;

    @Inject
    FakeLedgerSource ledger;

    @Inject
    Routers routers;

    /** Whether somebody gets in at all, under the policy of this walk; the route says the rest. */
    abstract Set<Access> grants(Who who);

    @BeforeEach
    void publishOne() {
        ledger.log().reset();
        ledger.setOpen(true);
        if (truth.size(0) == 0) {
            truth.event(0, 10, TestLedger.OWN_TENANT, "walk", "payload");
            truth.event(1, 3, TestLedger.OWN_TENANT, "other", "payload");
            truth.publish();
        }
    }

    private String token(Who who) {
        return switch (who) {
            case NOBODY -> "";
            case JUNK -> "not.a.token";
            case NO_ROLE -> issuer.token(TestLedger.OWN_TENANT);
            case INGESTER -> issuer.token(TestLedger.OWN_TENANT, "ingester");
            case STRANGER -> issuer.token(TestLedger.OTHER_TENANT, "ingester");
            case AUDITOR -> issuer.token(TestLedger.OTHER_TENANT, "auditor");
            case ADMIN -> issuer.token(TestLedger.OTHER_TENANT, "admin");
        };
    }

    @Test
    void everyRouteThereIsIsDeclared() {
        assertThat(Routers.resources())
                .isEqualTo(ROUTES.stream().map(Route::template).sorted().toList());
        // What is no resource: the description of the API, and what is asked of every request.
        assertThat(routers.main())
                .isNotEmpty()
                .allSatisfy(path -> assertThat(path).matches("/|/q/|every request|/openapi(\\.(json|ya?ml))?"));
        assertThat(routers.management())
                .isNotEmpty()
                .allSatisfy(
                        path -> assertThat(path)
                                .matches(
                                        "/|every request|/q/(health|metrics)(/.*)?|/q/health.*|/lag.*|/ops|/ops\\.json|/ops/.*"));
    }

    @Test
    void optionsTellMethodsAndNothingElse() {
        for (Route route : ROUTES) {
            String answer = Gateway.raw(
                    List.of("OPTIONS " + route.path() + " HTTP/1.1", "Host: localhost", "Connection: close"), "");
            assertThat(answer).as(route.template()).doesNotContain("payload", "\"entry\"");
        }
        assertThat(ledger.log().records()).isEmpty();
    }

    @Test
    void eachRouteLetsInWhomItIsFor() {
        for (Who who : Who.values()) {
            for (Route route : ROUTES) {
                // when
                Answer answer = route.method().equals("POST")
                        ? Gateway.post(route.path(), token(who), EVENT, "Content-Type", route.bodyType())
                        : Gateway.get(route.path(), token(who));

                // then
                String what = who + " " + route.template() + ": " + answer.status() + " " + answer.text();
                int expected = expected(who, route);
                if (expected == 200 && route.access() == Access.ADMIN) {
                    assertThat(answer.status()).as(what).isEqualTo(400);
                } else if (expected == 200) {
                    assertThat(answer.status()).as(what).isBetween(200, 299);
                } else {
                    assertThat(answer.status()).as(what).isEqualTo(expected);
                    assertThat(answer.text()).as(what).doesNotContain("payload");
                }
            }
        }
    }

    /** 200, 401 or 403. */
    private int expected(Who who, Route route) {
        Set<Access> grants = grants(who);
        if (route.access() == Access.EVERYBODY) {
            return 200;
        }
        if (grants.isEmpty() && (who == Who.NOBODY || who == Who.JUNK)) {
            return 401;
        }
        boolean mayUse = grants.contains(route.access());
        boolean isForeign =
                route.isOfATenant() && OF_ANOTHER_TENANT.contains(who) && !grants.contains(Access.LEDGER_WIDE);
        return mayUse && !isForeign ? 200 : 403;
    }

    @Test
    void noSpellingOfAClosedRouteOpensItToNobody() {
        for (Route route : ROUTES) {
            if (grants(Who.NOBODY).contains(route.access()) || route.access() == Access.EVERYBODY) {
                continue;
            }
            for (Map.Entry<String, String> request : requests(route).entrySet()) {
                // when
                String answer = Gateway.raw(
                        List.of(
                                request.getKey(),
                                "Host: localhost",
                                "Connection: close",
                                route.bodyType().isEmpty() ? "X-Body: none" : "Content-Type: " + route.bodyType(),
                                request.getValue()),
                        "");

                // then
                assertThat(answer)
                        .as(request + "\n" + answer)
                        .matches("(?s)HTTP/1\\.[01] (400|401|403|404|405|413|415|501) .*")
                        .doesNotContain("payload", "\"entry\"");
            }
            assertThat(ledger.log().records()).as(route.template()).isEmpty();
        }
    }

    /** Request lines, with one more header each. */
    private static Map<String, String> requests(Route route) {
        Map<String, String> requests = new LinkedHashMap<>();
        String path = route.path();
        int second = path.indexOf('/', 1);
        String head = path.substring(0, second);
        String tail = path.substring(second + 1);
        List<String> spellings = new ArrayList<>(List.of(
                path,
                path + "/",
                head + "//" + tail,
                "//" + path.substring(1),
                head + "/./" + tail,
                head + "/x/../" + tail,
                head + "%2f" + tail,
                head + "%2F" + tail,
                head + "%5c" + tail,
                head + "%252f" + tail,
                head + ";x=1/" + tail,
                head + "/;/" + tail,
                head + "%3b/" + tail,
                head + "/%2e/" + tail,
                "/log/checkpoint/../.." + path,
                "/log/checkpoint/%2e%2e/%2e%2e" + path,
                path.toUpperCase(Locale.ROOT),
                path.replaceFirst("(\\?|$)", ".json$1"),
                path.replaceFirst("(\\?|$)", "%20$1"),
                path.replaceFirst("(\\?|$)", "%00$1"),
                "http://localhost" + path,
                "/" + path.replaceFirst("^/(.)", "%" + Integer.toHexString(path.charAt(1)))));
        for (String spelling : spellings) {
            requests.put(route.method() + " " + spelling + " HTTP/1.1", "X-None: 1");
        }
        for (String verb : List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO", "get")) {
            requests.put(verb + " " + path + " HTTP/1.1", "Content-Length: 0");
        }
        requests.put(route.method() + " " + path + " HTTP/1.0", "X-None: 1");
        requests.put("GET /none HTTP/1.1", "X-Original-URL: " + path);
        requests.put("GET /none2 HTTP/1.1", "X-Rewrite-URL: " + path);
        requests.put("DELETE /none3 HTTP/1.1", "X-HTTP-Method-Override: " + route.method());
        return requests;
    }

    @Test
    void whatIsOnOnePortIsNotOnTheOther() {
        for (Route route : ROUTES) {
            assertThat(Gateway.management(route.path()).status())
                    .as(route.path())
                    .isEqualTo(404);
        }
        for (String path : List.of(
                "/q/health/live", "/q/health/ready", "/q/metrics", "/lag", "/ops", "/ops.json", "/q/dev", "/q/arc")) {
            assertThat(Gateway.get(path, token(Who.ADMIN)).status()).as(path).isEqualTo(404);
        }
    }
}
