// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.attestation;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.List;

/**
 * Keys in PEM files, as openssl and cosign write and read them: PKCS #8 and SubjectPublicKeyInfo (RFC 7468), of ECDSA over
 * P-256 with SHA-256 (signatures in DER) or of Ed25519.
 */
public final class PemKeys {
    /** In the order tried; every Java platform from 15 on has both. */
    private static final List<String> ALGORITHMS = List.of("Ed25519", "EC");

    private PemKeys() {}

    /**
     * Reads a secret key.
     *
     * @throws InvalidFormat never containing any part of the key
     */
    public static Envelope.Signer parseSigner(String pem) throws InvalidFormat {
        byte[] der = der(pem, "PRIVATE KEY");
        PrivateKey key = read("PRIVATE KEY", factory -> factory.generatePrivate(new PKCS8EncodedKeySpec(der)));
        try {
            sign(key, new byte[0]); // a number that is no key is found now, not by the first who signs
        } catch (GeneralSecurityException e) {
            throw new InvalidFormat("PRIVATE KEY", "cannot sign");
        }
        return message -> {
            try {
                return sign(key, message);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        };
    }

    private static byte[] sign(PrivateKey key, byte[] message) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(algorithm(key));
        signature.initSign(key);
        signature.update(message);
        return signature.sign();
    }

    /** Reads a public key. */
    public static Envelope.Verifier parseVerifier(String pem) throws InvalidFormat {
        byte[] der = der(pem, "PUBLIC KEY");
        PublicKey key = read("PUBLIC KEY", factory -> factory.generatePublic(new X509EncodedKeySpec(der)));
        return (message, bytes) -> {
            try {
                Signature signature = Signature.getInstance(algorithm(key));
                signature.initVerify(key);
                signature.update(message);
                return signature.verify(bytes);
            } catch (GeneralSecurityException e) {
                return false;
            }
        };
    }

    private static String algorithm(Key key) {
        return key instanceof ECKey ? "SHA256withECDSA" : "Ed25519";
    }

    /** Makes a key of what is in a file. */
    @FunctionalInterface
    private interface Reading<K extends Key> {
        K by(KeyFactory factory) throws GeneralSecurityException;
    }

    private static <K extends Key> K read(String label, Reading<K> reading) throws InvalidFormat {
        for (String algorithm : ALGORITHMS) {
            try {
                K key = reading.by(KeyFactory.getInstance(algorithm));
                if (!(key instanceof ECKey ec) || isP256(ec.getParams())) {
                    return key;
                }
            } catch (GeneralSecurityException e) {
                // not of this algorithm; the message could hold some of the key
            }
        }
        throw new InvalidFormat(label, "must be of ECDSA over P-256 or of Ed25519");
    }

    private static boolean isP256(ECParameterSpec parameters) throws GeneralSecurityException {
        AlgorithmParameters named = AlgorithmParameters.getInstance("EC");
        named.init(new ECGenParameterSpec("secp256r1"));
        ECParameterSpec p256 = named.getParameterSpec(ECParameterSpec.class);
        return parameters.getCurve().equals(p256.getCurve())
                && parameters.getGenerator().equals(p256.getGenerator())
                && parameters.getOrder().equals(p256.getOrder());
    }

    private static byte[] der(String pem, String label) throws InvalidFormat {
        List<String> lines = pem.strip().lines().map(String::strip).toList();
        if (lines.size() < 3
                || !lines.get(0).equals("-----BEGIN " + label + "-----")
                || !lines.get(lines.size() - 1).equals("-----END " + label + "-----")) {
            throw new InvalidFormat(label, "must be a PEM file that begins with -----BEGIN " + label + "-----");
        }
        return Base64Text.decode(String.join("", lines.subList(1, lines.size() - 1)), label);
    }
}
