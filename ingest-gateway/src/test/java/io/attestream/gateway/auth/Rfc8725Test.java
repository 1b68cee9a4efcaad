// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.access.AuthPolicy;
import io.attestream.access.AuthSettings;
import io.attestream.gateway.support.IdentityProvider;
import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.OctetKeyPairJsonWebKey;
import org.jose4j.jwk.OkpJwkGenerator;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 8725, JSON Web Token Best Current Practices, as a table; and what RFC 7515, 7519 and 9068 add. Section 3.5 binds issuers. */
class Rfc8725Test {
    private static final Instant NOW = Instant.parse("2026-01-05T09:00:00Z");
    private static final long IAT = NOW.getEpochSecond();
    private static final RsaJsonWebKey RSA = IdentityProvider.newKey("rsa");
    private static final RsaJsonWebKey RSA_WITHOUT_ALGORITHM = withoutAlgorithm("rsa-any");
    private static final RsaJsonWebKey ATTACKER = IdentityProvider.newKey("rsa");
    private static final PublicJsonWebKey EC = ecKey("ec");
    private static final PublicJsonWebKey ED = edKey("ed");
    private static final Map<String, PublicJsonWebKey> KEYS =
            Map.of("rsa", RSA, "rsa-any", RSA_WITHOUT_ALGORITHM, "ec", EC, "ed", ED);
    private static final Set<String> DEFAULT_ALGORITHMS = Set.of("RS256", "ES256", "EdDSA");

    private static final String HEADER = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"at+jwt\"}";
    private static final String CLAIMS =
            "{\"iss\":\"https://issuer.test\",\"aud\":\"attestream\",\"sub\":\"alice\",\"iat\":" + IAT + ",\"exp\":"
                    + (IAT + 600) + ",\"tenant\":\"acme\",\"roles\":[\"ingester\"]}";

    private final TokenVerifier verifier = verifier(DEFAULT_ALGORITHMS, Set.of("at+jwt"));

    private static TokenVerifier verifier(Set<String> algorithms, Set<String> types) {
        return new TokenVerifier(new AuthSettings.Tokens(
                AuthPolicy.JWKS_RBAC,
                URI.create("https://issuer.test/jwks"),
                "https://issuer.test",
                Set.of("attestream"),
                algorithms,
                types,
                Duration.ofSeconds(60),
                Duration.ofDays(1),
                "tenant",
                Duration.ofDays(1)));
    }

    private static AuthDecision decide(TokenVerifier verifier, String token) {
        return verifier.verify(
                token, NOW, id -> KEYS.containsKey(id) ? new KeyLookup.Found(KEYS.get(id)) : new KeyLookup.NotThere());
    }

    private static RsaJsonWebKey withoutAlgorithm(String id) {
        RsaJsonWebKey key = IdentityProvider.newKey(id);
        key.setAlgorithm(null);
        return key;
    }

    private static PublicJsonWebKey ecKey(String id) {
        try {
            PublicJsonWebKey key = EcJwkGenerator.generateJwk(EllipticCurves.P256);
            key.setKeyId(id);
            return key;
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PublicJsonWebKey edKey(String id) {
        try {
            PublicJsonWebKey key = OkpJwkGenerator.generateJwk(OctetKeyPairJsonWebKey.SUBTYPE_ED25519);
            key.setKeyId(id);
            return key;
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }

    // --- making tokens byte by byte

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String base64(String text) {
        return base64(text.getBytes(UTF_8));
    }

    private static String token(String header, String claims) {
        return token(header.getBytes(UTF_8), claims.getBytes(UTF_8));
    }

    private static String token(byte[] header, byte[] claims) {
        return signed(base64(header) + "." + base64(claims));
    }

    /** Signs what stands there, well-formed or not. */
    private static String signed(String input) {
        return input + "." + base64(signature("SHA256withRSA", RSA.getPrivateKey(), input));
    }

    private static byte[] signature(String algorithm, PrivateKey key, String input) {
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(input.getBytes(StandardCharsets.US_ASCII));
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String withSignature(String header, byte[] signature) {
        return base64(header) + "." + base64(CLAIMS) + "." + base64(signature);
    }

    private static String header(String alg, String kid) {
        return "{\"alg\":\"" + alg + "\",\"kid\":\"" + kid + "\",\"typ\":\"at+jwt\"}";
    }

    private static String headerWith(String member) {
        return HEADER.replace("}", "," + member + "}");
    }

    private static String claimsWith(String member) {
        return CLAIMS.replaceFirst("}$", "," + member + "}");
    }

    /** @param value as it stands in JSON */
    private static String claimsWhere(String name, String value) {
        String changed = CLAIMS.replaceFirst("\"" + name + "\":(\"[^\"]*\"|\\d+)", "\"" + name + "\":" + quoted(value));
        assertThat(changed).isNotEqualTo(CLAIMS);
        return changed;
    }

    private static String quoted(String replacement) {
        return java.util.regex.Matcher.quoteReplacement(replacement);
    }

    private static String claimsWithout(String name) {
        return CLAIMS.replaceFirst("\"" + name + "\":(\"[^\"]*\"|\\d+),", "");
    }

    private static String hmac(String header, byte[] secret) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            String input = base64(header) + "." + base64(CLAIMS);
            return input + "." + base64(mac.doFinal(input.getBytes(UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    // --- the table

    record Row(String section, String name, String reason, Supplier<String> token) {
        @Override
        public String toString() {
            return section + ": " + name;
        }
    }

    private static Row row(String section, String name, String reason, Supplier<String> token) {
        return new Row(section, name, reason, token);
    }

    private static Row header(String section, String name, String reason, String header) {
        return row(section, name, reason, () -> token(header, CLAIMS));
    }

    private static Row claims(String section, String name, String reason, String claims) {
        return row(section, name, reason, () -> token(HEADER, claims));
    }

    static Stream<Row> algorithms() {
        byte[] publicKey = RSA.getPublicKey().getEncoded();
        String publicPem = "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder().encodeToString(publicKey) + "\n-----END PUBLIC KEY-----\n";
        return Stream.of(
                header("3.1", "an algorithm that is not on the list", "algorithm-not-allowed", header("RS512", "rsa")),
                header("3.1", "an algorithm in another case", "algorithm-not-allowed", header("rs256", "rsa")),
                header("3.1", "no algorithm", "algorithm-not-allowed", "{\"kid\":\"rsa\",\"typ\":\"at+jwt\"}"),
                header("3.1", "an algorithm that is no string", "algorithm-not-allowed", "{\"alg\":[\"RS256\"]}"),
                header("3.1", "an algorithm of another type of key", "algorithm-not-of-key", header("ES256", "rsa")),
                header("3.1", "RSA with a key for EC", "algorithm-not-of-key", header("RS256", "ec")),
                header("3.1", "EdDSA with a key for EC", "algorithm-not-of-key", header("EdDSA", "ec")),
                header("3.2", "none", "algorithm-not-allowed", header("none", "rsa")),
                header("3.2", "NONE", "algorithm-not-allowed", header("NONE", "rsa")),
                header("3.2", "an algorithm for encryption", "algorithm-not-allowed", header("RSA1_5", "rsa")),
                row("3.2", "none without a signature", "algorithm-not-allowed", () -> {
                    return base64(header("none", "rsa")) + "." + base64(CLAIMS) + ".";
                }),
                row("2.1", "the public key as a secret, DER", "algorithm-not-allowed", () -> {
                    return hmac(header("HS256", "rsa"), publicKey);
                }),
                row("2.1", "the public key as a secret, PEM", "algorithm-not-allowed", () -> {
                    return hmac(header("HS256", "rsa"), publicPem.getBytes(UTF_8));
                }),
                row("2.1", "the public key as a secret, said to be RS256", "bad-signature", () -> {
                    return hmac(HEADER, publicKey);
                }));
    }

    static Stream<Row> signatures() {
        String ec = header("ES256", "ec");
        String ed = header("EdDSA", "ed");
        return Stream.of(
                row("3.3", "no signature", "bad-signature", () -> withSignature(HEADER, new byte[0])),
                row("3.3", "one byte of signature", "bad-signature", () -> withSignature(HEADER, new byte[1])),
                row("3.3", "a signature of zeros", "bad-signature", () -> withSignature(HEADER, new byte[256])),
                row("3.3", "another key of the same id", "bad-signature", () -> {
                    String input = base64(HEADER) + "." + base64(CLAIMS);
                    return input + "." + base64(signature("SHA256withRSA", ATTACKER.getPrivateKey(), input));
                }),
                row("3.3", "other claims under the signature", "bad-signature", () -> {
                    String[] parts = token(HEADER, CLAIMS).split("\\.", -1);
                    return parts[0] + "." + base64(CLAIMS.replace("alice", "admin")) + "." + parts[2];
                }),
                row("3.3", "another header under the signature", "bad-signature", () -> {
                    String[] parts = token(HEADER, CLAIMS).split("\\.", -1);
                    return base64(headerWith("\"x\":1")) + "." + parts[1] + "." + parts[2];
                }),
                row(
                        "3.3",
                        "a token within a token",
                        "malformed",
                        () -> token(headerWith("\"cty\":\"JWT\""), token(HEADER, CLAIMS))),
                row("3.3", "ES256: zeros (CVE-2022-21449)", "bad-signature", () -> withSignature(ec, new byte[64])),
                row("3.3", "ES256: no signature", "bad-signature", () -> withSignature(ec, new byte[0])),
                row("3.3", "ES256: one byte", "bad-signature", () -> withSignature(ec, new byte[] {1})),
                row("3.3", "ES256: 63 bytes", "bad-signature", () -> withSignature(ec, filled(63))),
                row("3.3", "ES256: 65 bytes", "bad-signature", () -> withSignature(ec, filled(65))),
                row("3.3", "ES256: in DER", "bad-signature", () -> {
                    String input = base64(ec) + "." + base64(CLAIMS);
                    return input + "." + base64(signature("SHA256withECDSA", EC.getPrivateKey(), input));
                }),
                row("3.3", "EdDSA: no signature", "bad-signature", () -> withSignature(ed, new byte[0])),
                row("3.3", "EdDSA: one byte", "bad-signature", () -> withSignature(ed, new byte[] {1})),
                row("3.3", "EdDSA: 64 bytes of ones", "bad-signature", () -> withSignature(ed, filled(64))),
                row("3.3", "EdDSA: 65 bytes", "bad-signature", () -> withSignature(ed, filled(65))));
    }

    private static byte[] filled(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 1);
        return bytes;
    }

    static Stream<Row> encodings() {
        String good = token(HEADER, CLAIMS);
        String[] parts = good.split("\\.", -1);
        return Stream.of(
                header("3.6", "a compressed token", "compressed", headerWith("\"zip\":\"DEF\"")),
                row("3.6", "an encrypted token", "malformed", () -> "a.b.c.d.e"),
                row(
                        "3.7",
                        "a header in UTF-16",
                        "malformed",
                        () -> token(HEADER.getBytes(UTF_16LE), CLAIMS.getBytes(UTF_8))),
                row(
                        "3.7",
                        "claims in UTF-16",
                        "malformed",
                        () -> token(HEADER.getBytes(UTF_8), CLAIMS.getBytes(UTF_16LE))),
                row(
                        "3.7",
                        "claims in Latin-1",
                        "malformed",
                        () -> token(
                                HEADER.getBytes(UTF_8),
                                CLAIMS.replace("alice", "\u00e9").getBytes(StandardCharsets.ISO_8859_1))),
                row("3.7", "a byte order mark", "malformed", () -> token(HEADER, "\ufeff" + CLAIMS)),
                row("RFC 7515, 2", "padding", "malformed", () -> good + "="),
                row("RFC 7515, 2", "unused bits of the signature", "malformed", () -> otherSpelling(good)),
                row(
                        "RFC 7515, 2",
                        "the other alphabet",
                        "malformed",
                        () -> token(HEADER, CLAIMS).replace(parts[2], parts[2].substring(0, 340) + "+/")),
                row("RFC 7515, 2", "a line break in the signature", "malformed", () -> {
                    return parts[0] + "." + parts[1] + "." + parts[2].substring(0, 76) + "\r\n"
                            + parts[2].substring(76);
                }),
                row("RFC 7515, 2", "a foreign character in the signature", "malformed", () -> good + "!"),
                row(
                        "RFC 7515, 2",
                        "signed padding in the header",
                        "malformed",
                        () -> signed(Base64.getUrlEncoder().encodeToString((HEADER + " ").getBytes(UTF_8)) + "."
                                + parts[1])),
                row(
                        "RFC 7515, 2",
                        "signed foreign characters in the claims",
                        "malformed",
                        () -> signed(parts[0] + "." + parts[1] + "*")),
                row("RFC 7515, 7.1", "two parts", "malformed", () -> parts[0] + "." + parts[1]),
                row("RFC 7515, 7.1", "four parts", "malformed", () -> good + "."),
                row("RFC 7515, 7.2", "the JSON serialization", "malformed", () -> {
                    return "{\"payload\":\"" + parts[1] + "\",\"protected\":\"" + parts[0] + "\",\"signature\":\""
                            + parts[2] + "\"}";
                }),
                row("RFC 7515, 7.1", "nothing", "malformed", () -> ""),
                row("RFC 7515, 7.1", "dots", "malformed", () -> ".."),
                row("RFC 7515, 7.1", "only dots, too many", "malformed", () -> ".".repeat(8_192)),
                row("RFC 7515, 7.1", "too long", "token-too-long", () -> "x".repeat(8_193)));
    }

    /** The same bytes: of the last character of 256 bytes four bits are unused. */
    private static String otherSpelling(String token) {
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        int last = alphabet.indexOf(token.charAt(token.length() - 1));
        return token.substring(0, token.length() - 1) + alphabet.charAt(last | 1);
    }

    static Stream<Row> json() {
        String deep = "[".repeat(2_000) + "]".repeat(2_000);
        return Stream.of(
                header("RFC 7515, 4", "a header member twice", "malformed", headerWith("\"alg\":\"RS256\"")),
                header(
                        "RFC 7515, 4",
                        "a nested header member twice",
                        "malformed",
                        headerWith("\"x\":{\"a\":1,\"a\":1}")),
                header(
                        "RFC 7515, 4",
                        "a header member twice, escaped",
                        "malformed",
                        headerWith("\"\\u006bid\":\"ec\"")),
                header("RFC 7515, 4", "a header with something behind", "malformed", HEADER + "{}"),
                header("RFC 7515, 4", "a header that is an array", "malformed", "[" + HEADER + "]"),
                header("RFC 7515, 4", "a header that is null", "malformed", "null"),
                header("RFC 7515, 4", "a header with a comment", "malformed", HEADER + "/**/"),
                header("RFC 7515, 4", "a comma too many", "malformed", HEADER.replace("}", ",}")),
                header(
                        "RFC 7515, 4.1.11",
                        "a critical extension",
                        "critical-header",
                        headerWith("\"crit\":[\"x\"],\"x\":1")),
                header(
                        "RFC 7515, 4.1.11",
                        "critical: exp",
                        "critical-header",
                        headerWith("\"crit\":[\"exp\"],\"exp\":1")),
                header("RFC 7515, 4.1.11", "critical: nothing", "critical-header", headerWith("\"crit\":[]")),
                header("RFC 7515, 4.1.11", "critical: null", "critical-header", headerWith("\"crit\":null")),
                header("RFC 7797, 3", "an unencoded payload", "critical-header", headerWith("\"b64\":false")),
                header("RFC 7797, 3", "b64: true", "critical-header", headerWith("\"b64\":true,\"crit\":[\"b64\"]")),
                claims("RFC 7519, 4", "a claim twice", "malformed", claimsWith("\"sub\":\"root\"")),
                claims("RFC 7519, 4", "a nested member twice", "malformed", claimsWith("\"x\":[{\"a\":1,\"a\":2}]")),
                claims("RFC 7519, 4", "claims with something behind", "malformed", CLAIMS + "1"),
                claims("RFC 7519, 7.2", "claims that are an array", "malformed", "[" + CLAIMS + "]"),
                claims("RFC 7519, 7.2", "claims that are a string", "malformed", "\"" + "x" + "\""),
                claims("RFC 7519, 7.2", "no claims", "malformed", ""),
                claims("RFC 8259, 9", "nested deeply", "malformed", claimsWith("\"x\":" + deep)),
                header("RFC 8259, 9", "a header nested deeply", "malformed", headerWith("\"x\":" + deep)),
                claims(
                        "RFC 8259, 9",
                        "a number of 2,000 digits",
                        "malformed",
                        claimsWith("\"x\":" + "9".repeat(2_000))),
                claims("RFC 8259, 6", "not a number", "malformed", claimsWhere("exp", "NaN")),
                claims("RFC 8259, 6", "leading zeros", "malformed", claimsWhere("exp", "0" + (IAT + 600))),
                claims("RFC 8259, 7", "a raw line break in a string", "malformed", claimsWhere("sub", "\"a\nb\"")));
    }

    static Stream<Row> issuersAndSubjects() {
        return Stream.of(
                claims("3.8", "no issuer", "wrong-issuer", claimsWithout("iss")),
                claims("3.8", "another issuer", "wrong-issuer", claimsWhere("iss", "\"https://issuer.test/\"")),
                claims(
                        "3.8",
                        "an issuer in another case",
                        "wrong-issuer",
                        claimsWhere("iss", "\"https://ISSUER.test\"")),
                claims("3.8", "several issuers", "wrong-issuer", claimsWhere("iss", "[\"https://issuer.test\"]")),
                claims("3.8", "no subject", "subject-missing", claimsWithout("sub")),
                claims("3.8", "a subject of spaces", "subject-missing", claimsWhere("sub", "\"  \"")),
                claims("3.8", "a subject that is a number", "subject-missing", claimsWhere("sub", "7")),
                claims("3.8", "a long subject", "bad-subject", claimsWhere("sub", "\"" + "x".repeat(257) + "\"")),
                claims("3.8", "a line break in the subject", "bad-subject", claimsWhere("sub", "\"a\\nb\"")),
                claims("3.8", "a zero in the subject", "bad-subject", claimsWhere("sub", "\"a\\u0000\"")),
                claims("3.8", "half a character in the subject", "bad-subject", claimsWhere("sub", "\"a\\ud800\"")),
                claims("3.9", "no audience", "wrong-audience", claimsWithout("aud")),
                claims("3.9", "another audience", "wrong-audience", claimsWhere("aud", "\"attestream2\"")),
                claims("3.9", "an audience in another case", "wrong-audience", claimsWhere("aud", "\"Attestream\"")),
                claims("3.9", "an audience within a string", "wrong-audience", claimsWhere("aud", "\"x attestream\"")),
                claims("3.9", "no audiences", "wrong-audience", claimsWhere("aud", "[]")),
                claims("3.9", "an object as audience", "wrong-audience", claimsWhere("aud", "{\"attestream\":1}")),
                claims("3.9", "audiences not all strings", "malformed", claimsWhere("aud", "[\"attestream\",7]")),
                claims("3.9", "audiences within audiences", "malformed", claimsWhere("aud", "[[\"attestream\"]]")));
    }

    static Stream<Row> untrustedHeaders() {
        return Stream.of(
                header("3.10", "no key id", "key-id-missing", "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}"),
                header("3.10", "an empty key id", "key-id-missing", header("RS256", "")),
                header("3.10", "a long key id", "key-id-missing", header("RS256", "x".repeat(129))),
                header("3.10", "a key id that is a number", "key-id-missing", HEADER.replace("\"rsa\"", "7")),
                header("3.10", "a key id that is a path", "unknown-key", header("RS256", "../../dev/null")),
                header("3.10", "a key id that is a query", "unknown-key", header("RS256", "' or '1'='1")),
                header("3.10", "a key id with a zero", "unknown-key", header("RS256", "rsa\\u0000")),
                header("3.10", "a key id with a space", "unknown-key", header("RS256", "rsa ")),
                row("3.10", "a key within the token", "bad-signature", () -> {
                    String jwk = ATTACKER.toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY);
                    String input = base64(headerWith("\"jwk\":" + jwk)) + "." + base64(CLAIMS);
                    return input + "." + base64(signature("SHA256withRSA", ATTACKER.getPrivateKey(), input));
                }),
                row("3.10", "addresses of keys within the token", "bad-signature", () -> {
                    String urls = "\"jku\":\"http://127.0.0.1:1/jwks\",\"x5u\":\"http://127.0.0.1:1/x5u\"";
                    String input = base64(headerWith(urls)) + "." + base64(CLAIMS);
                    return input + "." + base64(signature("SHA256withRSA", ATTACKER.getPrivateKey(), input));
                }));
    }

    static Stream<Row> types() {
        return Stream.of(
                header("3.11", "no type", "type-not-allowed", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}"),
                header("3.11", "JWT, as ID tokens have it", "type-not-allowed", HEADER.replace("at+jwt", "JWT")),
                header("3.11", "a logout token", "type-not-allowed", HEADER.replace("at+jwt", "logout+jwt")),
                header("3.11", "a security event", "type-not-allowed", HEADER.replace("at+jwt", "secevent+jwt")),
                header("3.11", "a proof of possession", "type-not-allowed", HEADER.replace("at+jwt", "dpop+jwt")),
                header("3.11", "a type that is no string", "type-not-allowed", HEADER.replace("\"at+jwt\"", "null")),
                header("3.11", "a type with a parameter", "type-not-allowed", HEADER.replace("at+jwt", "at+jwt;v=1")),
                claims("3.12", "claims of an ID token", "not-an-access-token", claimsWith("\"at_hash\":\"x\"")),
                claims("3.12", "an ID token as Keycloak names it", "not-an-access-token", claimsWith("\"typ\":\"ID\"")),
                claims("3.12", "claims of a logout token", "not-an-access-token", claimsWith("\"events\":{}")));
    }

    static Stream<Row> times() {
        return Stream.of(
                claims("RFC 7519, 4.1.4", "no expiry", "expiry-missing", claimsWhere("exp", "null")),
                claims(
                        "RFC 7519, 4.1.4",
                        "expired a moment ago",
                        "expired",
                        claimsWhere("exp", String.valueOf(IAT - 60))),
                claims(
                        "RFC 7519, 4.1.4",
                        "an expiry that is a string",
                        "malformed",
                        claimsWhere("exp", "\"" + (IAT + 600) + "\"")),
                claims("RFC 7519, 4.1.4", "an expiry of 1e400", "malformed", claimsWhere("exp", "1e400")),
                claims("RFC 7519, 4.1.4", "an expiry beyond a long", "malformed", claimsWhere("exp", "9".repeat(30))),
                claims("RFC 7519, 4.1.4", "an expiry in milliseconds", "malformed", claimsWhere("exp", IAT + "000")),
                claims("RFC 7519, 4.1.4", "the largest long", "malformed", claimsWhere("exp", "9223372036854775807")),
                claims("RFC 7519, 4.1.4", "a negative expiry", "malformed", claimsWhere("exp", "-1")),
                claims("RFC 7519, 4.1.5", "not yet", "not-yet-valid", claimsWith("\"nbf\":" + (IAT + 61))),
                claims("RFC 7519, 4.1.5", "a begin of 1e400", "malformed", claimsWith("\"nbf\":1e400")),
                claims("RFC 7519, 4.1.5", "a begin that is a string", "malformed", claimsWith("\"nbf\":\"0\"")),
                claims("RFC 7519, 4.1.6", "no time of issue", "issued-at-missing", claimsWhere("iat", "null")),
                claims(
                        "RFC 7519, 4.1.6",
                        "issued in the future",
                        "not-yet-valid",
                        claimsWhere("iat", String.valueOf(IAT + 61))),
                claims(
                        "RFC 7519, 4.1.6",
                        "issued in the future, valid from earlier on",
                        "not-yet-valid",
                        claimsWhere("iat", String.valueOf(IAT + 61)).replaceFirst("}$", ",\"nbf\":0}")),
                claims("RFC 7519, 4.1.6", "issued at -1e400", "malformed", claimsWhere("iat", "-1e400")),
                claims("RFC 7519, 4.1.6", "issued too long before its end", "lives-too-long", claimsWhere("iat", "0")),
                claims(
                        "RFC 7519, 4.1.6",
                        "expired before it was issued",
                        "lives-too-long",
                        claimsWhere("iat", String.valueOf(IAT + 30)).replace("" + (IAT + 600), "" + (IAT + 29))));
    }

    @ParameterizedTest
    @MethodSource({
        "algorithms",
        "signatures",
        "encodings",
        "json",
        "issuersAndSubjects",
        "untrustedHeaders",
        "types",
        "times"
    })
    void aTokenThatIsNotOneOfOursIsDenied(Row row) {
        assertThat(decide(verifier, row.token().get())).isEqualTo(new AuthDecision.Denied(row.reason()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                HEADER,
                "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"AT+JWT\"}",
                "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"application/at+jwt\"}",
                // Ignored: neither fetched nor believed (section 3.10).
                "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"at+jwt\",\"jku\":\"http://127.0.0.1:1/\",\"x5t\":\"x\"}"
            })
    void aGoodTokenIsGranted(String header) {
        assertThat(decide(verifier, token(header, CLAIMS))).isInstanceOf(AuthDecision.Granted.class);
    }

    @Test
    void fractionsOfSecondsAndSeveralAudiencesAreGood() {
        String claims = claimsWhere("exp", (IAT + 600) + ".5").replace("\"attestream\"", "[\"other\",\"attestream\"]");
        assertThat(decide(verifier, token(HEADER, claims))).isInstanceOf(AuthDecision.Granted.class);
    }

    /** Section 3.11 is opted out of by naming JWT; then section 3.12 is what is left. */
    @Test
    void anIssuerThatDoesNotTypeItsTokensIsBelievedOnlyWhereThatIsConfigured() {
        // given
        TokenVerifier lenient = verifier(DEFAULT_ALGORITHMS, Set.of("at+jwt", "jwt"));
        String header = HEADER.replace("at+jwt", "JWT");

        // when, then
        assertThat(decide(lenient, token(header, CLAIMS))).isInstanceOf(AuthDecision.Granted.class);
        assertThat(decide(lenient, token(header, claimsWith("\"at_hash\":\"x\""))))
                .isEqualTo(new AuthDecision.Denied("not-an-access-token"));
        assertThat(decide(lenient, token("{\"alg\":\"RS256\",\"kid\":\"rsa\"}", CLAIMS)))
                .isEqualTo(new AuthDecision.Denied("type-not-allowed"));
    }

    /** Section 3.1: each key is used with exactly one algorithm. */
    @Test
    void aKeyThatNamesNoAlgorithmServesOnlyOne() {
        // given
        String input = base64(header("RS256", "rsa-any")) + "." + base64(CLAIMS);
        String token = input + "." + base64(signature("SHA256withRSA", RSA_WITHOUT_ALGORITHM.getPrivateKey(), input));

        // when, then
        assertThat(decide(verifier, token)).isInstanceOf(AuthDecision.Granted.class);
        assertThat(decide(verifier(Set.of("RS256", "RS512"), Set.of("at+jwt")), token))
                .isEqualTo(new AuthDecision.Denied("algorithm-not-of-key"));
        assertThat(decide(verifier(Set.of("RS256", "RS512"), Set.of("at+jwt")), token(HEADER, CLAIMS)))
                .isInstanceOf(AuthDecision.Granted.class);
    }

    // --- keys

    record BadKey(String name, String jwk) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static String rsa(BigInteger modulus, BigInteger exponent, String more) {
        return "{\"kty\":\"RSA\",\"kid\":\"bad\",\"n\":\"" + base64(unsigned(modulus)) + "\",\"e\":\""
                + base64(unsigned(exponent)) + "\"" + more + "}";
    }

    private static byte[] unsigned(BigInteger number) {
        byte[] bytes = number.toByteArray();
        return bytes[0] == 0 && bytes.length > 1 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }

    private static BigInteger modulus(int bits) {
        return BigInteger.ONE.shiftLeft(bits - 1).add(BigInteger.ONE);
    }

    static Stream<BadKey> badKeys() {
        BigInteger f4 = BigInteger.valueOf(65_537);
        BigInteger n = RSA.getRsaPublicKey().getModulus();
        String ec = EC.toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY).replace("\"ec\"", "\"bad\"");
        String ed = ED.toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY).replace("\"ed\"", "\"bad\"");
        return Stream.of(
                new BadKey("3.2: an RSA key of 2,047 bits", rsa(modulus(2_047), f4, "")),
                new BadKey("3.2: an RSA key of 512 bits", rsa(modulus(512), f4, "")),
                new BadKey("3.2: an RSA key that takes long", rsa(modulus(8_193), f4, "")),
                new BadKey("3.2: an RSA key that takes for ever", rsa(modulus(1_000_000), f4, "")),
                new BadKey("3.2: an RSA exponent of 1", rsa(n, BigInteger.ONE, "")),
                new BadKey("3.2: an RSA exponent of 3", rsa(n, BigInteger.valueOf(3), "")),
                new BadKey("3.2: an even RSA exponent", rsa(n, BigInteger.valueOf(65_538), "")),
                new BadKey("3.2: an RSA exponent as long as the modulus", rsa(n, n.subtract(BigInteger.TWO), "")),
                new BadKey("3.1: an RSA key for ES256", rsa(n, f4, ",\"alg\":\"ES256\"")),
                new BadKey("3.1: an RSA key for HS256", rsa(n, f4, ",\"alg\":\"HS256\"")),
                new BadKey("3.1: an RSA key for nothing", rsa(n, f4, ",\"alg\":\"none\"")),
                new BadKey("3.1: an RSA key for encryption", rsa(n, f4, ",\"alg\":\"RSA-OAEP\"")),
                new BadKey("3.1: an RSA key of use enc", rsa(n, f4, ",\"use\":\"enc\"")),
                new BadKey("3.1: a use that is no string", rsa(n, f4, ",\"use\":[\"sig\"]")),
                new BadKey("RFC 7517, 4.3: a key that may not verify", rsa(n, f4, ",\"key_ops\":[\"encrypt\"]")),
                new BadKey("RFC 7517, 4.3: operations that are no list", rsa(n, f4, ",\"key_ops\":\"verify\"")),
                new BadKey("RFC 7517, 9.2: a private key", rsa(n, f4, ",\"d\":\"AQAB\"")),
                new BadKey(
                        "RFC 7517, 4.5: a long key id",
                        rsa(n, f4, "").replace("\"bad\"", "\"" + "x".repeat(129) + "\"")),
                new BadKey("RFC 7517, 4.5: no key id", rsa(n, f4, "").replace("\"kid\":\"bad\",", "")),
                new BadKey(
                        "RFC 7517, 4.5: a key id that is a number",
                        rsa(n, f4, "").replace("\"bad\"", "7")),
                new BadKey("RFC 7517, 4.1: no type", rsa(n, f4, "").replace("\"kty\":\"RSA\",", "")),
                new BadKey(
                        "RFC 7518, 6.3: a modulus that is a number",
                        "{\"kty\":\"RSA\",\"kid\":\"bad\",\"n\":7,\"e\":3}"),
                new BadKey("3.4: a point that is not on its curve", ec.replaceAll("\"y\":\"..", "\"y\":\"AA")),
                new BadKey("3.4: the point 0", ec.replaceAll("\"(x|y)\":\"[^\"]*\"", "\"$1\":\"AA\"")),
                new BadKey("3.4: a coordinate beyond the field", ec.replaceAll("\"x\":\"", "\"x\":\"____")),
                new BadKey("3.4: a point on another curve", ec.replace("P-256", "P-384")),
                new BadKey("3.1: a curve that no algorithm here has", ec.replace("P-256", "secp256k1")),
                new BadKey("3.1: a key for key agreement", ed.replace("Ed25519", "X25519")),
                new BadKey("3.1: an EC key for EdDSA", ec.replace("}", ",\"alg\":\"EdDSA\"}")),
                new BadKey("3.2: a secret", "{\"kty\":\"oct\",\"kid\":\"bad\",\"k\":\"" + base64(filled(64)) + "\"}"));
    }

    @ParameterizedTest
    @MethodSource("badKeys")
    void aKeyThatMustNotServeIsLeftOutAndTheOthersStay(BadKey bad) throws Exception {
        // given
        String good = RSA.toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY);
        String set = "{\"keys\":[" + bad.jwk() + "," + good + "]}";

        // when
        Map<String, PublicJsonWebKey> keys = JwksParser.parse(set.getBytes(UTF_8));

        // then
        assertThat(keys).containsOnlyKeys("rsa");
    }

    @Test
    void keysOfAllKindsThatSignAreKept() throws Exception {
        List<String> keys = Stream.of(RSA, RSA_WITHOUT_ALGORITHM, EC, ED)
                .map(key -> key.toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY))
                .toList();
        String more = rsa(RSA.getRsaPublicKey().getModulus(), BigInteger.valueOf(65_537), ",\"key_ops\":[\"verify\"]");

        assertThat(JwksParser.parse(("{\"keys\":[" + String.join(",", keys) + "," + more + "]}").getBytes(UTF_8)))
                .containsOnlyKeys("rsa", "rsa-any", "ec", "ed", "bad");
    }

    // --- hostile tokens

    @Test
    void noChangeOfAGoodTokenIsGranted() {
        // given
        long seed = System.nanoTime();
        System.out.println("Rfc8725Test seed " + seed);
        Random random = new Random(seed);
        String good = token(HEADER, CLAIMS);

        for (int round = 0; round < 5_000; round++) {
            // when
            String hostile = mutated(good, random);
            AuthDecision decision = decide(verifier, hostile);

            // then
            if (!hostile.equals(good)) {
                assertThat(decision).as("seed %d: %s", seed, hostile).isInstanceOf(AuthDecision.Denied.class);
            }
        }
    }

    /** A verifier that throws is a 500 for whoever finds the token that does it. */
    @Test
    void nothingAnIssuerOrAnAttackerWritesMakesTheVerifierThrow() {
        long seed = System.nanoTime();
        System.out.println("Rfc8725Test seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 400; round++) {
            String header = mutated(HEADER, random);
            String claims = mutated(CLAIMS, random);
            String hostile = random.nextBoolean()
                    ? token(random.nextInt(4) == 0 ? header : HEADER, claims)
                    : withSignature(random.nextBoolean() ? header("ES256", "ec") : header, randomBytes(random, 140));
            assertThat(decide(verifier, hostile))
                    .as("seed %d: %s", seed, hostile)
                    .isNotNull();
        }
    }

    private static byte[] randomBytes(Random random, int most) {
        byte[] bytes = new byte[random.nextInt(most)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static String mutated(String text, Random random) {
        StringBuilder changed = new StringBuilder(text);
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            int at = random.nextInt(changed.length());
            String characters = "AZaz09-_.=+/ \"{}[]:,\\\u00e9\u0000\n";
            char c = characters.charAt(random.nextInt(characters.length()));
            switch (random.nextInt(5)) {
                case 0 -> changed.setCharAt(at, c);
                case 1 -> changed.insert(at, c);
                case 2 -> changed.deleteCharAt(at);
                case 3 ->
                    changed.insert(at, changed.substring(at, Math.min(changed.length(), at + random.nextInt(20))));
                default -> changed.setCharAt(at, (char) (changed.charAt(at) ^ (1 << random.nextInt(7))));
            }
        }
        return changed.toString();
    }
}
