// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import io.attestream.access.StartGate;
import java.math.BigInteger;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECPoint;
import java.security.spec.EllipticCurve;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jose4j.jwk.EllipticCurveJsonWebKey;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.OctetKeyPairJsonWebKey;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/** Reads a JWK set (RFC 7517) and keeps the keys that can verify signatures. */
final class JwksParser {
    static final int MAX_KEYS = 64;
    private static final int MIN_RSA_BITS = 2_048;
    private static final int MAX_RSA_BITS = 8_192;
    private static final int MIN_RSA_EXPONENT_BITS = 17;
    private static final int MAX_RSA_EXPONENT_BITS = 33;
    private static final Set<String> ALGORITHMS = StartGate.SUPPORTED_ALGORITHMS;

    private JwksParser() {}

    /**
     * Keys by id. Keys of other kinds (encryption, secrets, no id) and weak or broken ones are left out, as issuers publish
     * them beside.
     *
     * @throws Junk if it is no JWK set, has too many keys, one id twice, or no usable key
     */
    static Map<String, PublicJsonWebKey> parse(byte[] json) throws Junk {
        List<?> all = read(json);
        if (all.size() > MAX_KEYS) {
            throw new Junk("more than " + MAX_KEYS + " keys");
        }
        Map<String, PublicJsonWebKey> usable = new HashMap<>();
        for (Object member : all) {
            Optional<PublicJsonWebKey> key = usable(member);
            if (key.isPresent() && usable.put(key.get().getKeyId(), key.get()) != null) {
                throw new Junk("one key id twice");
            }
        }
        if (usable.isEmpty()) {
            throw new Junk("no usable key");
        }
        return Map.copyOf(usable);
    }

    private static List<?> read(byte[] json) throws Junk {
        try {
            if (StrictJson.object(json).get("keys") instanceof List<?> list) {
                return list;
            }
        } catch (StrictJson.Malformed e) {
            // Said below.
        }
        throw new Junk("not a JWK set");
    }

    private static Optional<PublicJsonWebKey> usable(@Nullable Object member) throws Junk {
        if (!(member instanceof Map<?, ?> map)) {
            throw new Junk("not a JWK set");
        }
        Map<String, Object> parameters = new HashMap<>();
        map.forEach((name, value) -> parameters.put(String.valueOf(name), value));
        // A private key that was published is everybody's.
        if (parameters.containsKey("d") || !isForVerifying(parameters)) {
            return Optional.empty();
        }
        try {
            return JsonWebKey.Factory.newJwk(parameters) instanceof PublicJsonWebKey key
                            && isNamed(key)
                            && isStrong(key)
                    ? Optional.of(key)
                    : Optional.empty();
        } catch (JoseException | RuntimeException e) {
            return Optional.empty(); // of a type not known here, or broken: no reason to refuse the others
        }
    }

    /** RFC 7517 sections 4.2 and 4.3. */
    private static boolean isForVerifying(Map<String, Object> parameters) {
        Object use = parameters.get("use");
        Object operations = parameters.get("key_ops");
        return (use == null || use.equals("sig"))
                && (operations == null || operations instanceof List<?> list && list.contains("verify"));
    }

    private static boolean isNamed(JsonWebKey key) {
        String id = key.getKeyId();
        return id != null && !id.isEmpty() && id.length() <= TokenVerifier.MAX_KEY_ID_LENGTH;
    }

    private static boolean isStrong(PublicJsonWebKey key) {
        boolean strong = key.getPublicKey() instanceof RSAPublicKey rsa
                ? isStrong(rsa)
                : !(key.getPublicKey() instanceof ECPublicKey ec) || isOnCurve(ec);
        String algorithm = key.getAlgorithm();
        return strong
                && (algorithm == null
                        ? ALGORITHMS.stream().anyMatch(each -> fits(key, each))
                        : ALGORITHMS.contains(algorithm) && fits(key, algorithm));
    }

    /** FIPS 186-5 section 5.1 for the exponent; the length is bounded because a signature costs its square. */
    private static boolean isStrong(RSAPublicKey key) {
        int bits = key.getModulus().bitLength();
        BigInteger exponent = key.getPublicExponent();
        return bits >= MIN_RSA_BITS
                && bits <= MAX_RSA_BITS
                && exponent.testBit(0)
                && exponent.bitLength() >= MIN_RSA_EXPONENT_BITS
                && exponent.bitLength() <= MAX_RSA_EXPONENT_BITS;
    }

    /** {@code y² = x³ + ax + b}: a point elsewhere makes signatures that anybody can forge (RFC 8725 section 3.4). */
    private static boolean isOnCurve(ECPublicKey key) {
        EllipticCurve curve = key.getParams().getCurve();
        if (!(curve.getField() instanceof ECFieldFp field) || key.getW().equals(ECPoint.POINT_INFINITY)) {
            return false;
        }
        BigInteger p = field.getP();
        BigInteger x = key.getW().getAffineX();
        BigInteger y = key.getW().getAffineY();
        if (x.compareTo(p) >= 0 || y.compareTo(p) >= 0) {
            return false;
        }
        BigInteger right = x.pow(3).add(curve.getA().multiply(x)).add(curve.getB());
        return y.pow(2).subtract(right).mod(p).signum() == 0;
    }

    /** Whether a key is of the type and curve that an algorithm needs (RFC 7518 section 3.1, RFC 8037 section 3.1). */
    static boolean fits(PublicJsonWebKey key, String algorithm) {
        return switch (algorithm) {
            case "ES256" -> isOf(key, "P-256");
            case "ES384" -> isOf(key, "P-384");
            case "ES512" -> isOf(key, "P-521");
            case "EdDSA" ->
                key instanceof OctetKeyPairJsonWebKey pair
                        && (pair.getSubtype().equals("Ed25519")
                                || pair.getSubtype().equals("Ed448"));
            default -> key instanceof RsaJsonWebKey;
        };
    }

    private static boolean isOf(PublicJsonWebKey key, String curve) {
        return key instanceof EllipticCurveJsonWebKey ec && curve.equals(ec.getCurveName());
    }

    /** What was fetched is not a key set; never replaces one. */
    static final class Junk extends Exception {
        Junk(String message) {
            super(message);
        }
    }
}
