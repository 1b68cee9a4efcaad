// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import io.attestream.access.AuthPolicy;
import io.attestream.access.AuthSettings;
import io.attestream.gateway.auth.AuthDecision.Denied;
import io.attestream.gateway.auth.AuthDecision.Granted;
import io.attestream.gateway.auth.AuthDecision.Undecidable;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/**
 * Verifies access tokens (RFC 7519, RFC 8725, RFC 9068). Thread-safe. jose4j checks signatures; which tokens count is
 * decided here, because everything it leaves optional must be mandatory.
 */
public final class TokenVerifier {
    /** Longer tokens are refused unread. */
    public static final int MAX_TOKEN_LENGTH = 8_192;

    static final int MAX_KEY_ID_LENGTH = 128;
    private static final int MAX_SUBJECT_LENGTH = 256;
    private static final Set<String> CLAIMS_OF_OTHER_KINDS = Set.of("at_hash", "c_hash", "s_hash", "events");
    /** Of the claim {@code typ}, in which Keycloak says what a token is; its access tokens are {@code Bearer}. */
    private static final Set<String> KINDS_OF_OTHERS = Set.of("ID", "Refresh", "Offline", "Logout");

    private static final Pattern TENANT = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private final AuthSettings.Tokens settings;
    private final AlgorithmConstraints algorithms;

    public TokenVerifier(AuthSettings.Tokens settings) {
        this.settings = settings;
        this.algorithms = new AlgorithmConstraints(
                AlgorithmConstraints.ConstraintType.PERMIT,
                settings.algorithms().toArray(String[]::new));
    }

    /** A token taken apart but not verified; only its key id may be used, to look for the key. */
    private record Unverified(String text, String algorithm, String keyId, byte[] payload) {}

    /** @param key tells about a key id; may be asked once */
    public AuthDecision verify(String token, Instant now, Function<String, KeyLookup> key) {
        try {
            Unverified unverified = parse(token);
            return switchOn(unverified, key.apply(unverified.keyId()), now);
        } catch (Refused e) {
            return new Denied(e.reason);
        }
    }

    private AuthDecision switchOn(Unverified token, KeyLookup lookup, Instant now) throws Refused {
        if (lookup instanceof KeyLookup.CannotTell cannotTell) {
            return new Undecidable(cannotTell.reason());
        }
        if (lookup instanceof KeyLookup.Found found) {
            return verified(token, found.key(), now);
        }
        return new Denied("unknown-key");
    }

    private Unverified parse(String token) throws Refused {
        require(token.length() <= MAX_TOKEN_LENGTH, "token-too-long");
        String[] parts = token.split("\\.", -1);
        // Five parts are an encrypted token, which is never decrypted here.
        require(parts.length == 3, "malformed");
        Map<String, Object> headers = object(decode(parts[0]));
        byte[] payload = decode(parts[1]);
        decode(parts[2]);
        String algorithm = text(headers, "alg").orElse("");
        require(settings.algorithms().contains(algorithm), "algorithm-not-allowed");
        // We understand no critical extension, so any is a reason to refuse (RFC 7515 section 4.1.11).
        require(!headers.containsKey("crit") && !headers.containsKey("b64"), "critical-header");
        require(!headers.containsKey("zip"), "compressed");
        String type =
                text(headers, "typ").map(AuthSettings.Tokens::normalizeType).orElse("");
        require(settings.types().contains(type), "type-not-allowed");
        String keyId = text(headers, "kid").orElse("");
        require(!keyId.isEmpty() && keyId.length() <= MAX_KEY_ID_LENGTH, "key-id-missing");
        return new Unverified(token, algorithm, keyId, payload);
    }

    /** Only the one spelling that RFC 7515 section 2 allows: no padding, no foreign character, no unused bit set. */
    private static byte[] decode(String part) throws Refused {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(part);
            require(
                    Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(bytes)
                            .equals(part),
                    "malformed");
            return bytes;
        } catch (IllegalArgumentException e) {
            throw new Refused("malformed");
        }
    }

    private static Map<String, Object> object(byte[] json) throws Refused {
        try {
            return StrictJson.object(json);
        } catch (StrictJson.Malformed e) {
            throw new Refused("malformed");
        }
    }

    private AuthDecision verified(Unverified token, PublicJsonWebKey key, Instant now) throws Refused {
        require(token.algorithm().equals(algorithmOf(key)), "algorithm-not-of-key");
        require(isSigned(token, key), "bad-signature");
        return claims(object(token.payload()), token.keyId(), now);
    }

    private boolean isSigned(Unverified token, PublicJsonWebKey key) {
        JsonWebSignature jws = new JsonWebSignature();
        jws.setAlgorithmConstraints(algorithms);
        try {
            jws.setCompactSerialization(token.text());
            jws.setKey(key.getPublicKey());
            return jws.verifySignature();
        } catch (JoseException | RuntimeException e) {
            return false; // signatures of a length that no algorithm makes end in exceptions of all kinds
        }
    }

    /**
     * The one algorithm of a key (RFC 8725 section 3.1). An RSA key that does not name it serves only if one algorithm for
     * RSA is allowed; null if there is none.
     */
    private @Nullable String algorithmOf(PublicJsonWebKey key) {
        if (key.getAlgorithm() != null) {
            return key.getAlgorithm();
        }
        List<String> fitting = settings.algorithms().stream()
                .filter(algorithm -> JwksParser.fits(key, algorithm))
                .toList();
        return fitting.size() == 1 ? fitting.get(0) : null;
    }

    private AuthDecision claims(Map<String, Object> claims, String keyId, Instant now) throws Refused {
        // Claims of ID tokens, logout tokens and security events, whatever typ says (RFC 8725 section 3.12).
        require(Collections.disjoint(claims.keySet(), CLAIMS_OF_OTHER_KINDS), "not-an-access-token");
        require(!KINDS_OF_OTHERS.contains(text(claims, "typ").orElse("")), "not-an-access-token");
        String issuer = text(claims, "iss").orElse("");
        require(settings.issuer().equals(issuer), "wrong-issuer");
        require(audiences(claims).stream().anyMatch(settings.audiences()::contains), "wrong-audience");
        String subject = text(claims, "sub").orElse("");
        require(!subject.isBlank(), "subject-missing");
        require(subject.length() <= MAX_SUBJECT_LENGTH && isPlain(subject), "bad-subject");
        Instant issuedAt = time(claims, "iat").orElseThrow(() -> new Refused("issued-at-missing"));
        Instant expiresAt = time(claims, "exp").orElseThrow(() -> new Refused("expiry-missing"));
        Instant notBefore = time(claims, "nbf").filter(issuedAt::isBefore).orElse(issuedAt);
        Duration skew = settings.clockSkew();
        require(now.isBefore(expiresAt.plus(skew)), "expired");
        require(!now.isBefore(notBefore.minus(skew)), "not-yet-valid");
        Duration lifetime = Duration.between(issuedAt, expiresAt);
        require(!lifetime.isNegative() && lifetime.compareTo(settings.maxTokenTtl()) <= 0, "lives-too-long");
        Caller caller = new Caller(tenant(claims), Caller.actorOf(issuer, subject), roles(claims));
        return new Granted(caller, keyId, notBefore.minus(skew), expiresAt.plus(skew));
    }

    /** Without control characters and lone surrogates: the latter all become one byte, and two subjects one actor. */
    private static boolean isPlain(String text) {
        return text.codePoints()
                .noneMatch(c -> Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE);
    }

    private static List<String> audiences(Map<String, Object> claims) throws Refused {
        Object value = claims.get("aud");
        List<String> audiences = strings(value);
        require(!(value instanceof List<?> list) || list.size() == audiences.size(), "malformed");
        return audiences;
    }

    private Optional<String> tenant(Map<String, Object> claims) throws Refused {
        if (claims.get(settings.tenantClaim()) == null) {
            return Optional.empty();
        }
        String tenant = text(claims, settings.tenantClaim()).orElse("");
        require(TENANT.matcher(tenant).matches(), "bad-tenant");
        return Optional.of(tenant);
    }

    private Set<String> roles(Map<String, Object> claims) {
        if (settings.policy() == AuthPolicy.JWKS_STRICT) {
            return Set.of(Roles.INGESTER);
        }
        Set<String> roles = new HashSet<>(strings(claims.get("roles")));
        text(claims, "scope").ifPresent(scope -> roles.addAll(List.of(scope.split(" ", -1))));
        roles.retainAll(Roles.ALL);
        return roles;
    }

    private static Optional<String> text(Map<String, Object> claims, String name) {
        return claims.get(name) instanceof String text ? Optional.of(text) : Optional.empty();
    }

    /** A string, or an array of strings; anything else is empty. */
    private static List<String> strings(@Nullable Object value) {
        if (value instanceof String text) {
            return List.of(text);
        }
        return value instanceof List<?> list
                ? list.stream()
                        .filter(String.class::isInstance)
                        .map(String.class::cast)
                        .toList()
                : List.of();
    }

    private static Optional<Instant> time(Map<String, Object> claims, String name) throws Refused {
        Object value = claims.get(name);
        if (value == null) {
            return Optional.empty();
        }
        require(value instanceof Number, "malformed");
        double seconds = ((Number) value).doubleValue();
        // Far beyond any date in use, and within what Instant can hold.
        require(seconds >= 0 && seconds < 1e11, "malformed");
        return Optional.of(Instant.ofEpochMilli((long) (seconds * 1_000)));
    }

    private static void require(boolean held, String reason) throws Refused {
        if (!held) {
            throw new Refused(reason);
        }
    }

    /** Leaves the checks early with a reason code; never leaves this class. */
    private static final class Refused extends Exception {
        private final String reason;

        Refused(String reason) {
            super(reason, null, false, false);
            this.reason = reason;
        }
    }
}
