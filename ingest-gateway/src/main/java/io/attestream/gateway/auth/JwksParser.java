// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jose4j.json.JsonUtil;
import org.jose4j.jwk.EllipticCurveJsonWebKey;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.OctetKeyPairJsonWebKey;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.lang.JoseException;

/** Reads a JWK set (RFC 7517) and keeps the keys that can verify signatures. */
final class JwksParser {
    static final int MAX_KEYS = 64;
    private static final int MIN_RSA_BITS = 2_048;

    private JwksParser() {}

    /**
     * Keys by id. Keys of other kinds (encryption, secrets, no id) are left out, as issuers publish them beside.
     *
     * @throws Junk if it is no JWK set, has too many keys, one id twice, or no usable key
     */
    static Map<String, PublicJsonWebKey> parse(String json) throws Junk {
        List<JsonWebKey> all = read(json);
        if (all.size() > MAX_KEYS) {
            throw new Junk("more than " + MAX_KEYS + " keys");
        }
        Map<String, PublicJsonWebKey> usable = new HashMap<>();
        for (JsonWebKey key : all) {
            if (isUsable(key) && usable.put(key.getKeyId(), (PublicJsonWebKey) key) != null) {
                throw new Junk("one key id twice");
            }
        }
        if (usable.isEmpty()) {
            throw new Junk("no usable key");
        }
        return Map.copyOf(usable);
    }

    private static List<JsonWebKey> read(String json) throws Junk {
        try {
            if (!(JsonUtil.parseJson(json).get("keys") instanceof List<?> list)) {
                throw new Junk("not a JWK set");
            }
            List<JsonWebKey> keys = new ArrayList<>();
            for (Object member : list) {
                readOne(member, keys);
            }
            return keys;
        } catch (JoseException | RuntimeException e) {
            throw new Junk("not a JWK set");
        }
    }

    private static void readOne(Object member, List<JsonWebKey> keys) throws Junk {
        if (!(member instanceof Map<?, ?> map)) {
            throw new Junk("not a JWK set");
        }
        Map<String, Object> parameters = new HashMap<>();
        map.forEach((name, value) -> parameters.put(String.valueOf(name), value));
        try {
            keys.add(JsonWebKey.Factory.newJwk(parameters));
        } catch (JoseException e) {
            // A key of a type that is not known here is no reason to refuse the others.
            return;
        }
    }

    private static boolean isUsable(JsonWebKey key) {
        String id = key.getKeyId();
        boolean named = id != null && !id.isEmpty() && id.length() <= TokenVerifier.MAX_KEY_ID_LENGTH;
        boolean forSignatures = key.getUse() == null || "sig".equals(key.getUse());
        return named && forSignatures && isStrong(key);
    }

    private static boolean isStrong(JsonWebKey key) {
        if (key instanceof RsaJsonWebKey rsa) {
            return rsa.getPublicKey() instanceof RSAPublicKey publicKey
                    && publicKey.getModulus().bitLength() >= MIN_RSA_BITS;
        }
        return key instanceof EllipticCurveJsonWebKey || key instanceof OctetKeyPairJsonWebKey;
    }

    /** What was fetched is not a key set; never replaces one. */
    static final class Junk extends Exception {
        Junk(String message) {
            super(message);
        }
    }
}
