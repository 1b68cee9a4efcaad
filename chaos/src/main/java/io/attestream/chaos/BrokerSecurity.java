// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * Brokers that ask everybody for a token of an identity provider (SASL/OAUTHBEARER), and let nobody do what no ACL allows.
 * Among themselves they use a password. On loopback, so without TLS.
 *
 * @param jwksUrl of the provider; it must answer when the brokers start
 * @param password of the brokers' own
 * @param superUser may do everything, as who sets up ACLs
 */
public record BrokerSecurity(URI jwksUrl, String issuer, String audience, String password, String superUser) {
    /** Nobody can have a token of that name made: brokers with passwords and clients with tokens share one space of names. */
    private static final String BROKER = "broker-" + UUID.randomUUID();

    private static final String OAUTH = "org.apache.kafka.common.security.oauthbearer.";

    /** Lines of {@code server.properties}, for listeners of clients, and of brokers and controllers among themselves. */
    String settings(List<String> clientListeners, List<String> ownListeners) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
        settings.put("allow.everyone.if.no.acl.found", "false");
        settings.put("super.users", "User:" + BROKER + ";User:" + superUser);
        settings.put("sasl.mechanism.controller.protocol", "PLAIN");
        settings.put("sasl.mechanism.inter.broker.protocol", "PLAIN");
        ownListeners.forEach(listener -> own(settings, listener));
        clientListeners.forEach(listener -> clients(settings, listener));
        StringBuilder lines = new StringBuilder();
        settings.forEach(
                (name, value) -> lines.append(name).append("=").append(value).append("\n"));
        return lines.toString();
    }

    private void own(Map<String, String> settings, String listener) {
        String prefix = prefix(listener);
        settings.put(prefix + "sasl.enabled.mechanisms", "PLAIN");
        settings.put(
                prefix + "plain.sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"" + BROKER
                        + "\" password=\"" + password + "\" user_" + BROKER + "=\"" + password + "\";");
    }

    private void clients(Map<String, String> settings, String listener) {
        String prefix = prefix(listener);
        settings.put(prefix + "sasl.enabled.mechanisms", "OAUTHBEARER");
        settings.put(
                prefix + "oauthbearer.sasl.server.callback.handler.class",
                OAUTH + "OAuthBearerValidatorCallbackHandler");
        settings.put(prefix + "oauthbearer.sasl.jaas.config", OAUTH + "OAuthBearerLoginModule required ;");
        settings.put(prefix + "sasl.oauthbearer.jwks.endpoint.url", jwksUrl.toString());
        settings.put(prefix + "sasl.oauthbearer.expected.issuer", issuer);
        settings.put(prefix + "sasl.oauthbearer.expected.audience", audience);
        // A connection lives no longer than its token.
        settings.put(prefix + "connections.max.reauth.ms", "3600000");
    }

    private static String prefix(String listener) {
        return "listener.name." + listener.toLowerCase(Locale.ROOT) + ".";
    }
}
