// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.FreePorts;
import io.attestream.chaos.Installation;
import io.attestream.chaos.JvmCommand;
import io.attestream.chaos.ManagedProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A real Keycloak in a JVM of its own, on loopback over http and https, as the profile {@code keycloak} unpacked it. It works in
 * a copy, which keeps its realms over {@link #kill} and {@link #startAgain}.
 */
final class Keycloak implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofMinutes(3);
    private static final String ADMIN = "admin-of-this-test";
    /** Of every client of the realm, too. */
    private static final String SECRET = "only-for-this-test";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private final int port = FreePorts.pick();
    private final int tlsPort = FreePorts.pick();
    private final ManagedProcess server;
    private int priority = 200;

    private Keycloak(Path home, Path store) {
        server = process(
                "keycloak",
                home,
                List.of(
                        "start",
                        "--optimized",
                        "--cache=local",
                        "--hostname=" + issuerBase(),
                        "--http-enabled=true",
                        "--http-host=127.0.0.1",
                        "--http-port=" + port,
                        "--https-port=" + tlsPort,
                        "--https-key-store-file=" + store,
                        "--https-key-store-password=" + KeySetServer.PASSWORD),
                Map.of("KC_BOOTSTRAP_ADMIN_CLIENT_ID", ADMIN, "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET", SECRET));
    }

    /**
     * Returns when it answers.
     *
     * @param store with its key and certificate, see {@link KeySetServer#makeStore}
     */
    static Keycloak start(Path scratch, Path store) throws IOException {
        Path home = scratch.resolve("keycloak");
        copy(Path.of(System.getProperty("attestream.keycloak")), home);
        try (ManagedProcess build = process("keycloak-build", home, List.of("build", "--db=dev-file"), Map.of())) {
            if (!build.start().awaitExit(START_TIMEOUT) || build.exitCode() != 0) {
                throw new IllegalStateException("Keycloak was not built; " + build.logTail());
            }
        }
        Keycloak keycloak = new Keycloak(home, store);
        try {
            keycloak.startAgain();
            return keycloak;
        } catch (RuntimeException e) {
            keycloak.close();
            throw e;
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    /** What {@code kc.sh} starts, without the shell in between, which would not pass on a SIGKILL. */
    private static ManagedProcess process(
            String name, Path home, List<String> arguments, Map<String, String> environment) {
        List<String> command = new JvmCommand(Installation.find(), 512)
                .with(
                        "-Dkc.home.dir=" + home,
                        "-Djboss.server.config.dir=" + home.resolve("conf"),
                        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
                        "-Dpicocli.disable.closures=true",
                        "--add-opens=java.base/java.util=ALL-UNNAMED",
                        "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
                        "--add-opens=java.base/java.security=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED")
                .main(
                        home.resolve("lib"),
                        "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
                        arguments.toArray(String[]::new));
        return new ManagedProcess(name, command, environment, home.resolveSibling(name + ".log"));
    }

    void startAgain() {
        server.start();
        server.awaitReady(URI.create(base() + "/realms/master"), START_TIMEOUT);
    }

    /** SIGKILL. */
    void kill() {
        server.kill();
    }

    @Override
    public void close() {
        server.close();
    }

    private String base() {
        return "http://127.0.0.1:" + port;
    }

    private String issuerBase() {
        return "https://127.0.0.1:" + tlsPort;
    }

    /** Whatever it is asked by. */
    String issuer(String realm) {
        return issuerBase() + "/realms/" + realm;
    }

    String jwksUrl(String realm) {
        return issuer(realm) + "/protocol/openid-connect/certs";
    }

    String plainJwksUrl(String realm) {
        return base() + "/realms/" + realm + "/protocol/openid-connect/certs";
    }

    JsonNode jwks(String realm) {
        return send(HttpRequest.newBuilder(URI.create(plainJwksUrl(realm))));
    }

    /** An access token of a client by its own credentials (RFC 6749, section 4.4). */
    String token(String realm, String client) {
        return tokens(realm, credentials(client)).path("access_token").asText();
    }

    /** An access token, an ID token (OpenID Connect), and a refresh token if the client gets any. */
    JsonNode allTokens(String realm, String client) {
        Map<String, String> form = new HashMap<>(credentials(client));
        form.put("scope", "openid");
        return tokens(realm, form);
    }

    /** An ID token by token exchange (RFC 8693): it has no hash of an access token that it was given out with. */
    String exchangeForIdToken(String realm, String client, String accessToken) {
        Map<String, String> form = new HashMap<>(credentials(client));
        form.put("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        form.put("subject_token", accessToken);
        form.put("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
        form.put("requested_token_type", "urn:ietf:params:oauth:token-type:id_token");
        form.put("scope", "openid");
        return tokens(realm, form).path("access_token").asText();
    }

    private static Map<String, String> credentials(String client) {
        return Map.of("grant_type", "client_credentials", "client_id", client, "client_secret", SECRET);
    }

    private JsonNode tokens(String realm, Map<String, String> form) {
        String body = form.entrySet().stream()
                .map(field -> field.getKey() + "=" + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        return send(HttpRequest.newBuilder(URI.create(base() + "/realms/" + realm + "/protocol/openid-connect/token"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    // ---- its administrator

    void createRealm(String representation) {
        send(admin("").POST(HttpRequest.BodyPublishers.ofString(representation)));
    }

    /** A new RSA key, which signs from now on. */
    void rotate(String realm) {
        addKey(realm, "rsa-generated", Map.of("algorithm", "RS256", "keySize", "2048"));
    }

    /** A given RSA key, which signs from now on. */
    void rotate(String realm, String privateKeyPem) {
        addKey(realm, "rsa", Map.of("algorithm", "RS256", "privateKey", privateKeyPem));
    }

    private void addKey(String realm, String provider, Map<String, String> config) {
        Map<String, List<String>> all =
                config.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, one -> List.of(one.getValue())));
        all.put("priority", List.of(Integer.toString(priority++)));
        JsonNode component = JSON.valueToTree(Map.of(
                "name",
                provider + "-" + priority,
                "providerId",
                provider,
                "providerType",
                "org.keycloak.keys.KeyProvider",
                "config",
                all));
        send(admin("/" + realm + "/components").POST(HttpRequest.BodyPublishers.ofString(component.toString())));
    }

    /** Takes away the key with this id, and who provides it. */
    void removeKey(String realm, String keyId) {
        for (JsonNode key : send(admin("/" + realm + "/keys")).path("keys")) {
            if (key.path("kid").asText().equals(keyId)) {
                send(admin("/" + realm + "/components/" + key.path("providerId").asText())
                        .DELETE());
                return;
            }
        }
        throw new IllegalArgumentException("no key " + keyId);
    }

    private HttpRequest.Builder admin(String path) {
        String token = token("master", ADMIN);
        return HttpRequest.newBuilder(URI.create(base() + "/admin/realms" + path))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json");
    }

    private JsonNode send(HttpRequest.Builder request) {
        HttpRequest made = request.timeout(Duration.ofSeconds(60)).build();
        try {
            HttpResponse<String> response = http.send(made, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() / 100 != 2) {
                throw new IllegalStateException(
                        made.uri() + " was answered with " + response.statusCode() + " " + response.body());
            }
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
