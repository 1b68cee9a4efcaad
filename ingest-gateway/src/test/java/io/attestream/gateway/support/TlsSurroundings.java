// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A gateway with TLS: a certificate of its own, and one of a client that its trust store knows. */
public final class TlsSurroundings extends Surroundings {
    public static final String PASSWORD = "only-for-this-test";

    /** Setting of the test: where the key stores are. */
    public static final String STORES = "attestream.test.stores";

    @Override
    public Map<String, String> start() {
        Map<String, String> config = new HashMap<>(super.start());
        Path stores = Path.of(config.get("attestream.objects.location"))
                .resolveSibling("tls")
                .toAbsolutePath();
        makeStores(stores);
        config.put(STORES, stores.toString());
        config.put("quarkus.http.test-ssl-port", "0");
        config.put("quarkus.http.insecure-requests", "disabled");
        config.put("quarkus.http.tls-configuration-name", "api");
        config.put(
                "quarkus.tls.api.key-store.p12.path",
                stores.resolve("server.p12").toString());
        config.put("quarkus.tls.api.key-store.p12.password", PASSWORD);
        config.put(
                "quarkus.tls.api.trust-store.p12.path",
                stores.resolve("clients.p12").toString());
        config.put("quarkus.tls.api.trust-store.p12.password", PASSWORD);
        return config;
    }

    private static void makeStores(Path stores) {
        try {
            java.nio.file.Files.createDirectories(stores);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (String name : List.of("server", "client", "stranger")) {
            keytool(
                    stores,
                    name + ".p12",
                    "-genkeypair",
                    "-alias",
                    name,
                    "-keyalg",
                    "EC",
                    "-groupname",
                    "secp256r1",
                    "-dname",
                    "CN=" + name,
                    "-ext",
                    "SAN=ip:127.0.0.1,dns:localhost",
                    "-validity",
                    "1");
            keytool(stores, name + ".p12", "-exportcert", "-alias", name, "-file", name + ".cer");
        }
        keytool(stores, "clients.p12", "-importcert", "-noprompt", "-alias", "client", "-file", "client.cer");
        keytool(stores, "servers.p12", "-importcert", "-noprompt", "-alias", "server", "-file", "server.cer");
    }

    private static void keytool(Path directory, String store, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store, "-storetype", "PKCS12", "-storepass", PASSWORD));
        try {
            Process process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException("keytool failed: " + String.join(" ", arguments));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
