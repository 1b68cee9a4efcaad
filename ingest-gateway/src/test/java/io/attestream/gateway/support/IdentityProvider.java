// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;
import org.jose4j.lang.JoseException;

/** An issuer with one key and a JWKS endpoint that can misbehave. */
public final class IdentityProvider implements AutoCloseable {
    public static final String ISSUER = "https://issuer.test";
    public static final String AUDIENCE = "attestream";

    /** Made once: making RSA keys is what takes time here. */
    private static final RsaJsonWebKey FIRST_KEY = newKey("key-1");

    /** What the JWKS endpoint does. */
    public interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    private final HttpServer server;
    private final AtomicInteger fetches = new AtomicInteger();
    private volatile RsaJsonWebKey key;
    private volatile Answer answer;

    public IdentityProvider() {
        key = FIRST_KEY;
        answer = this::serveKeys;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/jwks", exchange -> {
            fetches.incrementAndGet();
            try (exchange) {
                answer.to(exchange);
            }
        });
        server.start();
    }

    public static RsaJsonWebKey newKey(String keyId) {
        try {
            RsaJsonWebKey key = RsaJwkGenerator.generateJwk(2048);
            key.setKeyId(keyId);
            key.setUse("sig");
            key.setAlgorithm("RS256");
            return key;
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }

    public URI jwksUrl() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/jwks");
    }

    public int fetches() {
        return fetches.get();
    }

    public RsaJsonWebKey key() {
        return key;
    }

    public void rotate(RsaJsonWebKey newKey) {
        key = newKey;
    }

    public void answering(Answer newAnswer) {
        answer = newAnswer;
    }

    public void answeringKeys() {
        answer = this::serveKeys;
    }

    public static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private void serveKeys(HttpExchange exchange) throws IOException {
        send(exchange, 200, keySet(key));
    }

    /** What an issuer publishes of its keys. */
    public static String keySet(JsonWebKey... keys) {
        return new JsonWebKeySet(keys).toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY);
    }

    /** Claims of a good token. */
    public static JwtClaims claims(String tenant, String... roles) {
        JwtClaims claims = new JwtClaims();
        claims.setIssuer(ISSUER);
        claims.setAudience(AUDIENCE);
        claims.setSubject("alice");
        claims.setIssuedAtToNow();
        claims.setExpirationTime(in(600));
        claims.setClaim("tenant", tenant);
        claims.setStringListClaim("roles", List.of(roles));
        return claims;
    }

    public static NumericDate in(long seconds) {
        NumericDate date = NumericDate.now();
        date.addSeconds(seconds);
        return date;
    }

    /** A good token. */
    public String token(String tenant, String... roles) {
        return sign(claims(tenant, roles), header -> {});
    }

    public String sign(JwtClaims claims, Consumer<JsonWebSignature> change) {
        return sign(claims.toJson(), key, change);
    }

    public static String sign(String payload, RsaJsonWebKey key, Consumer<JsonWebSignature> change) {
        JsonWebSignature jws = new JsonWebSignature();
        jws.setPayload(payload);
        jws.setKey(key.getPrivateKey());
        jws.setKeyIdHeaderValue(key.getKeyId());
        jws.setAlgorithmHeaderValue("RS256");
        jws.setHeader("typ", "at+jwt");
        change.accept(jws);
        try {
            return jws.getCompactSerialization();
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What the gateway needs to believe this issuer. */
    public Map<String, String> environment() {
        return Map.of("ENV", "dev", "JWKS_URL", jwksUrl().toString(), "JWT_ISSUER", ISSUER, "JWT_AUDIENCE", AUDIENCE);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
