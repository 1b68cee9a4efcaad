// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.attestream.access.AuthSettings;
import io.attestream.gateway.auth.AuthDecision.Granted;
import io.attestream.gateway.auth.AuthDecision.Undecidable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Decides tokens, remembering those that were verified: an ES256 signature costs more than everything else a small append
 * does. What is remembered is bound to the token's digest, its times, and its key still being in the key set.
 */
public final class Authenticator {
    private static final int REMEMBERED_MAX = 10_000;
    private static final Duration REMEMBERED_FOR = Duration.ofMinutes(5);

    private record Remembered(Granted granted, PublicKey key) {}

    private final TokenVerifier verifier;
    private final JwksCache keys;
    private final Clock clock;
    private final Cache<String, Remembered> remembered = Caffeine.newBuilder()
            .maximumSize(REMEMBERED_MAX)
            .expireAfterWrite(REMEMBERED_FOR)
            .build();

    public Authenticator(AuthSettings.Tokens settings, JwksCache keys, Clock clock) {
        this.verifier = new TokenVerifier(settings);
        this.keys = keys;
        this.clock = clock;
    }

    /** Completes at once unless a key must be fetched; then within two seconds. Never completes exceptionally. */
    public CompletionStage<AuthDecision> decide(String token) {
        if (token.length() > TokenVerifier.MAX_TOKEN_LENGTH) {
            return CompletableFuture.completedFuture(new AuthDecision.Denied("token-too-long"));
        }
        String digest = digest(token);
        Remembered known = remembered.getIfPresent(digest);
        if (known != null && stillHolds(known)) {
            return CompletableFuture.completedFuture(known.granted());
        }
        AtomicReference<@Nullable String> asked = new AtomicReference<>();
        AuthDecision decision = verify(token, digest, id -> {
            asked.set(id);
            return keys.known(id);
        });
        String keyId = asked.get();
        if (decision instanceof Undecidable && keyId != null) {
            return keys.find(keyId).thenApply(lookup -> verify(token, digest, id -> lookup));
        }
        return CompletableFuture.completedFuture(decision);
    }

    private AuthDecision verify(String token, String digest, Function<String, KeyLookup> lookup) {
        AtomicReference<@Nullable KeyLookup> used = new AtomicReference<>();
        AuthDecision decision = verifier.verify(token, clock.instant(), id -> {
            KeyLookup found = lookup.apply(id);
            used.set(found);
            return found;
        });
        if (decision instanceof Granted granted && used.get() instanceof KeyLookup.Found found) {
            remembered.put(digest, new Remembered(granted, found.key().getPublicKey()));
        }
        return decision;
    }

    private boolean stillHolds(Remembered known) {
        Instant now = clock.instant();
        Granted granted = known.granted();
        return !now.isBefore(granted.notBefore())
                && now.isBefore(granted.expiresAt())
                && keys.known(granted.keyId()) instanceof KeyLookup.Found found
                && found.key().getPublicKey().equals(known.key());
    }

    private static String digest(String token) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
