// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.auth.SaslExtensions;
import org.apache.kafka.common.security.auth.SaslExtensionsCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;

/** A client that presents whatever it likes, without the checks a client makes of its own token. */
public final class AnyToken implements AuthenticateCallbackHandler {
    private String value = "";

    /** Settings of a client that presents this. */
    static Map<String, Object> settings(String token) {
        return Map.of(
                "security.protocol",
                "SASL_PLAINTEXT",
                "sasl.mechanism",
                "OAUTHBEARER",
                "sasl.login.callback.handler.class",
                AnyToken.class.getName(),
                "sasl.jaas.config",
                OAuthBearerLoginModule.class.getName() + " required token=\"" + token + "\";");
    }

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
        value = String.valueOf(entries.get(0).getOptions().get("token"));
    }

    @Override
    public void handle(Callback[] callbacks) {
        for (Callback callback : callbacks) {
            if (callback instanceof OAuthBearerTokenCallback asked) {
                asked.token(new Presented(value, System.currentTimeMillis()));
            } else if (callback instanceof SaslExtensionsCallback asked) {
                asked.extensions(SaslExtensions.empty());
            }
        }
    }

    @Override
    public void close() {
        // Holds nothing.
    }

    private record Presented(String value, long nowMillis) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }

        @Override
        public long lifetimeMs() {
            return nowMillis + 600_000;
        }

        @Override
        public String principalName() {
            return "anybody";
        }

        @Override
        public Long startTimeMs() {
            return nowMillis;
        }
    }
}
