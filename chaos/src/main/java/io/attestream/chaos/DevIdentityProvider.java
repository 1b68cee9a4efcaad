// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/**
 * An identity provider for one machine: key pairs, their JWKS on loopback, and tokens. It lets the local cluster run with the
 * real checks switched on. Not for anything that others can reach.
 */
public final class DevIdentityProvider implements AutoCloseable {
    public static final String AUDIENCE = "attestream";
    /** Of tokens for brokers, so that none for HTTP opens Kafka. */
    public static final String KAFKA_AUDIENCE = "attestream-kafka";

    public static final String TENANT = "demo";

    private static final int KEY_BITS = 2048;
    private static final Duration CLIENT_TOKEN_LIFETIME = Duration.ofMinutes(5);

    private final Path keyFile;
    private final HttpServer server;
    private final Map<String, Client> clients = new ConcurrentHashMap<>();
    private volatile boolean available = true;
    /** Published: the one that signs, then the one before it, if there is one in this life. */
    private volatile List<RsaJsonWebKey> keys;

    private DevIdentityProvider(Path keyFile, RsaJsonWebKey key, HttpServer server) {
        this.keyFile = keyFile;
        this.keys = List.of(key);
        this.server = server;
    }

    /**
     * Starts serving.
     *
     * @param keyFile made with a new key if absent, readable by the owner only
     * @param preferredPort 0 for any
     */
    public static DevIdentityProvider start(Path keyFile, int preferredPort) {
        try {
            RsaJsonWebKey key = load(keyFile);
            int port = FreePorts.preferring(preferredPort);
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 16);
            DevIdentityProvider provider = new DevIdentityProvider(keyFile, key, server);
            server.createContext("/jwks.json", exchange -> {
                try (exchange) {
                    if (!provider.available) {
                        exchange.sendResponseHeaders(503, -1);
                        return;
                    }
                    byte[] jwks = provider.keySet().getBytes(StandardCharsets.UTF_8);
                    exchange.getResponseHeaders().set("Content-Type", "application/json");
                    exchange.sendResponseHeaders(200, jwks.length);
                    exchange.getResponseBody().write(jwks);
                }
            });
            server.createContext("/token", provider::giveToken);
            server.start();
            return provider;
        } catch (IOException e) {
            throw new UncheckedIOException("the identity provider cannot start", e);
        } catch (JoseException e) {
            throw new IllegalStateException("the key in " + keyFile + " cannot be used", e);
        }
    }

    /** The client credentials grant (RFC 6749, section 4.4) of a client it knows. */
    private void giveToken(HttpExchange exchange) throws IOException {
        try (exchange) {
            Client client = available ? client(exchange.getRequestHeaders().getFirst("Authorization")) : null;
            if (client == null) {
                exchange.sendResponseHeaders(available ? 401 : 503, -1);
                return;
            }
            String token = token(client.name(), client.tenant(), KAFKA_AUDIENCE, CLIENT_TOKEN_LIFETIME);
            byte[] answer = ("{\"access_token\":\"" + token + "\",\"token_type\":\"Bearer\",\"expires_in\":"
                            + CLIENT_TOKEN_LIFETIME.toSeconds() + "}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
        }
    }

    private @Nullable Client client(@Nullable String authorization) {
        return clients.values().stream()
                .filter(client -> client.authorization().equals(authorization))
                .findAny()
                .orElse(null);
    }

    /** An OAuth client that may ask for tokens of its own. */
    private record Client(String name, String secret, String tenant) {
        String authorization() {
            byte[] credentials = (name + ":" + secret).getBytes(StandardCharsets.UTF_8);
            return "Basic " + Base64.getEncoder().encodeToString(credentials);
        }
    }

    /** Lets a client ask for tokens at {@link #tokenUrl}, in which it is the subject and has no roles; they are for {@link #KAFKA_AUDIENCE}. */
    public void addClient(String name, String secret, String tenant) {
        clients.put(name, new Client(name, secret, tenant));
    }

    /** Where clients it knows get tokens. */
    public URI tokenUrl() {
        return URI.create("http://127.0.0.1:" + port() + "/token");
    }

    private static RsaJsonWebKey load(Path keyFile) throws IOException, JoseException {
        if (Files.exists(keyFile)) {
            return (RsaJsonWebKey) JsonWebKey.Factory.newJwk(Files.readString(keyFile));
        }
        RsaJsonWebKey key = generate();
        Secrets.write(keyFile, key.toJson(JsonWebKey.OutputControlLevel.INCLUDE_PRIVATE));
        return key;
    }

    private static RsaJsonWebKey generate() throws JoseException {
        RsaJsonWebKey key = RsaJwkGenerator.generateJwk(KEY_BITS);
        key.setKeyId("dev-" + UUID.randomUUID());
        key.setAlgorithm(AlgorithmIdentifiers.RSA_USING_SHA256);
        key.setUse("sig");
        return key;
    }

    private String keySet() {
        return new JsonWebKeySet(keys).toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY);
    }

    /** Signs with a new key from now on. The one before stays published until this is called again, or until the end. */
    synchronized void rotate() throws IOException {
        try {
            RsaJsonWebKey key = generate();
            Secrets.replace(keyFile, key.toJson(JsonWebKey.OutputControlLevel.INCLUDE_PRIVATE));
            keys = List.of(key, keys.get(0));
        } catch (JoseException e) {
            throw new IllegalStateException("no key can be made", e);
        }
    }

    public URI jwksUrl() {
        return URI.create("http://127.0.0.1:" + port() + "/jwks.json");
    }

    /** The issuer in its tokens; does not change when the port does. */
    public String issuer() {
        return "https://dev.attestream.invalid";
    }

    /** The variables with which a service on this machine accepts its tokens, with roles. */
    public Map<String, String> environment() {
        return Map.of(
                "ENV",
                "dev",
                "AUTH_POLICY",
                "jwks_rbac",
                "JWKS_URL",
                jwksUrl().toString(),
                "JWT_ISSUER",
                issuer(),
                "JWT_AUDIENCE",
                AUDIENCE);
    }

    /** Whether it serves its keys, as it does at first; else it answers 503. */
    public void setAvailable(boolean isAvailable) {
        available = isAvailable;
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** A token for the tenant {@link #TENANT}. */
    public String token(String subject, Duration lifetime, String... roles) {
        return token(subject, TENANT, lifetime, roles);
    }

    /** A signed token, valid from now on. */
    public String token(String subject, String tenant, Duration lifetime, String... roles) {
        return token(subject, tenant, AUDIENCE, lifetime, roles);
    }

    private String token(String subject, String tenant, String audience, Duration lifetime, String... roles) {
        JwtClaims claims = new JwtClaims();
        claims.setIssuer(issuer());
        claims.setAudience(audience);
        claims.setSubject(subject);
        claims.setIssuedAtToNow();
        NumericDate expires = NumericDate.now();
        expires.addSeconds(lifetime.toSeconds());
        claims.setExpirationTime(expires);
        claims.setGeneratedJwtId();
        claims.setStringClaim("tenant", tenant);
        claims.setStringListClaim("roles", List.of(roles));
        RsaJsonWebKey key = keys.get(0);
        JsonWebSignature signature = new JsonWebSignature();
        signature.setPayload(claims.toJson());
        signature.setKey(key.getPrivateKey());
        signature.setKeyIdHeaderValue(key.getKeyId());
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
        signature.setHeader("typ", "at+jwt");
        try {
            return signature.getCompactSerialization();
        } catch (JoseException e) {
            throw new IllegalStateException("a token cannot be signed", e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
