// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import io.attestream.gateway.config.GatewayConfig;
import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpServerOptions;
import jakarta.enterprise.context.ApplicationScoped;

/** Mutual TLS for the API, decided at start: {@code quarkus.http.ssl.client-auth} is fixed when the gateway is built. */
@ApplicationScoped
public class ClientCertificates implements HttpServerOptionsCustomizer {
    private final GatewayConfig config;

    ClientCertificates(GatewayConfig config) {
        this.config = config;
    }

    @Override
    public void customizeHttpsServer(HttpServerOptions options) {
        if (config.tls().clientCertificateRequired()) {
            options.setClientAuth(ClientAuth.REQUIRED);
        }
    }
}
