// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.attestation;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A DSSE envelope (secure-systems-lab/dsse, protocol 1.0.2): bytes, what kind they are of, and signatures over both. The bytes
 * are to be believed only as {@link Verification.Verified} gives them.
 */
public final class Envelope {
    /** Bounds the work a stranger's envelope makes. */
    private static final int MAX_SIGNATURES = 16;

    private final String payloadType;
    private final byte[] payload;
    private final List<Signed> signatures;

    private Envelope(String payloadType, byte[] payload, List<Signed> signatures) {
        this.payloadType = payloadType;
        this.payload = payload.clone();
        this.signatures = List.copyOf(signatures);
    }

    /** Whoever can sign bytes. */
    @FunctionalInterface
    public interface Signer {
        byte[] sign(byte[] message);
    }

    /** Whoever can tell a good signature; says false to whatever is none, and never throws. */
    @FunctionalInterface
    public interface Verifier {
        boolean verify(byte[] message, byte[] signature);
    }

    /** What verifying an envelope came to. */
    public sealed interface Verification {
        /**
         * The key signed these bytes as this kind.
         *
         * @param payload a copy
         */
        record Verified(byte[] payload) implements Verification {}

        /** Nothing in the envelope may be believed. */
        record Rejected(String reason) implements Verification {}
    }

    /**
     * @param keyId a hint, which nothing is decided by; null if there is none
     */
    private record Signed(@Nullable String keyId, byte[] signature) {}

    /**
     * Signs bytes as of this kind. The key id, which is no more than a hint, is left out.
     *
     * @param payloadType a media type or URI, such as {@link Statement#MEDIA_TYPE}
     */
    public static Envelope sign(String payloadType, byte[] payload, Signer signer) {
        byte[] signature = signer.sign(message(payloadType, payload));
        return new Envelope(payloadType, payload, List.of(new Signed(null, signature)));
    }

    /** Reads JSON, without believing anything of it. What other members an envelope has is refused: nobody signed them. */
    public static Envelope parse(byte[] json) throws InvalidFormat {
        JsonObject object = Json.parseObject(json);
        object.allowOnly("payload", "payloadType", "signatures");
        List<JsonValue> values = object.array("signatures");
        if (values.isEmpty() || values.size() > MAX_SIGNATURES) {
            throw new InvalidFormat("signatures", "must be 1 to " + MAX_SIGNATURES + ", are " + values.size());
        }
        List<Signed> signatures = new ArrayList<>();
        for (JsonValue value : values) {
            if (!(value instanceof JsonObject signature)) {
                throw new InvalidFormat("signatures", "must be objects");
            }
            signature.allowOnly("keyid", "sig");
            signatures.add(new Signed(
                    signature.get("keyid") == null ? null : signature.string("keyid"),
                    Base64Text.decode(signature.string("sig"), "sig")));
        }
        return new Envelope(
                object.string("payloadType"), Base64Text.decode(object.string("payload"), "payload"), signatures);
    }

    /** As canonical JSON (RFC 8785), without a line feed at the end. */
    public byte[] encode() {
        List<JsonValue> values = new ArrayList<>();
        for (Signed signed : signatures) {
            Map<String, JsonValue> members = new LinkedHashMap<>();
            if (signed.keyId() != null) {
                members.put("keyid", new JsonString(signed.keyId()));
            }
            members.put("sig", new JsonString(Base64Text.encode(signed.signature())));
            values.add(new JsonObject(members));
        }
        return Jcs.encode(new JsonObject(Map.of(
                "payload", new JsonString(Base64Text.encode(payload)),
                "payloadType", new JsonString(payloadType),
                "signatures", new JsonArray(values))));
    }

    /**
     * Holds the signatures against one key. One that verifies is enough, whoever else signed.
     *
     * @param expectedType the kind of bytes the caller can read; another is rejected, however well it is signed
     */
    public Verification verify(String expectedType, Verifier key) {
        if (!payloadType.equals(expectedType)) {
            return new Verification.Rejected("the payload is of type " + payloadType + ", expected is " + expectedType);
        }
        byte[] message = message(payloadType, payload);
        return signatures.stream().anyMatch(signed -> key.verify(message, signed.signature()))
                ? new Verification.Verified(payload.clone())
                : new Verification.Rejected("no signature is by the given key");
    }

    /** What is signed: DSSE's pre-authentication encoding, which holds the lengths, so that no two pairs share one. */
    static byte[] message(String payloadType, byte[] payload) {
        byte[] type = payloadType.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        message.writeBytes(("DSSEv1 " + type.length + " ").getBytes(StandardCharsets.US_ASCII));
        message.writeBytes(type);
        message.writeBytes((" " + payload.length + " ").getBytes(StandardCharsets.US_ASCII));
        message.writeBytes(payload);
        return message.toByteArray();
    }
}
