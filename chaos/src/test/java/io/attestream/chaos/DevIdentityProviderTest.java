// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jws.JsonWebSignature;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevIdentityProviderTest {
    @TempDir
    private Path directory;

    @Test
    void aKeyHoldsUntilTheSecondRotationBehindIt() throws Exception {
        // given
        Path file = directory.resolve("provider.jwk");
        String third;
        try (DevIdentityProvider provider = DevIdentityProvider.start(file, 0)) {
            String first = signingKeyId(provider);

            // when
            provider.rotate();

            // then
            String second = signingKeyId(provider);
            assertThat(second).isNotEqualTo(first);
            assertThat(published(provider)).containsExactly(second, first);

            // when
            provider.rotate();

            // then
            third = signingKeyId(provider);
            assertThat(published(provider)).containsExactly(third, second);
        }

        // and the newest is that of its next life
        try (DevIdentityProvider provider = DevIdentityProvider.start(file, 0)) {
            assertThat(published(provider)).containsExactly(third);
        }
    }

    private static String signingKeyId(DevIdentityProvider provider) throws Exception {
        JsonWebSignature token = new JsonWebSignature();
        token.setCompactSerialization(provider.token("somebody", Duration.ofMinutes(1), "auditor"));
        return token.getKeyIdHeaderValue();
    }

    private static List<String> published(DevIdentityProvider provider) throws Exception {
        String keys = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(provider.jwksUrl())
                                .timeout(Duration.ofSeconds(60))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        assertThat(keys).doesNotContain("\"d\":");
        return new JsonWebKeySet(keys)
                .getJsonWebKeys().stream().map(JsonWebKey::getKeyId).toList();
    }
}
