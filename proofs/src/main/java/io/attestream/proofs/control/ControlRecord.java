// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.control;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.Control.RulesChange;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Control records as bytes: canonical JSON with a signature of the ledger key. These bytes are the leaf's entry; behind the
 * magic byte {@link #MAGIC} they are the record's value on the events topic.
 *
 * <p>Signed is {@code "attestream/control/v1\n"} followed by the canonical JSON without the member {@code signature}. No
 * checkpoint begins with that line and goes on with a brace, so neither can be taken for the other.
 */
public final class ControlRecord {
    /** First byte of the record's value; events begin with 0. */
    public static final byte MAGIC = 1;

    /** The only routing function there is: {@link io.attestream.proofs.entry.Routing}. */
    public static final String ROUTING = "murmur2(tenant 0x00 source [0x00 partitionkey])";

    private static final byte[] DOMAIN = "attestream/control/v1\n".getBytes(StandardCharsets.UTF_8);
    private static final int SIGNATURE_SIZE_BYTES = 64;

    private ControlRecord() {}

    /**
     * The bytes of a signed control record.
     *
     * @throws IllegalArgumentException if they exceed 65,535 bytes, which no entry may
     */
    public static byte[] sign(Control control, NoteSigner signer) {
        Map<String, JsonValue> members = members(control);
        byte[] signature = signer.signBytes(signed(members));
        members.put(
                "signature",
                new JsonString(Base64Text.encode(withKeyId(signer.verifier().keyId(), signature))));
        byte[] bytes = Jcs.encode(new JsonObject(members));
        if (bytes.length > CanonicalEntry.MAX_SIZE_BYTES) {
            throw new IllegalArgumentException("a control record has at most 65,535 bytes, not " + bytes.length);
        }
        return bytes;
    }

    /** A record's value on the events topic: magic byte and control record. */
    public static byte[] toValue(byte[] control) {
        byte[] value = new byte[1 + control.length];
        value[0] = MAGIC;
        System.arraycopy(control, 0, value, 1, control.length);
        return value;
    }

    /** Whether a record's value is that of a control record. */
    public static boolean isControlValue(byte[] value) {
        return value.length > 0 && value[0] == MAGIC;
    }

    /** The control record in a record's value. */
    public static byte[] ofValue(byte[] value) {
        if (!isControlValue(value)) {
            throw new IllegalArgumentException("not a control record's value");
        }
        return Arrays.copyOfRange(value, 1, value.length);
    }

    /**
     * Reads a control record and verifies its signature.
     *
     * @param key the ledger's public key
     * @throws InvalidFormat naming the member at fault; {@code signature} when the key did not sign exactly this
     */
    public static Control read(byte[] control, NoteVerifier key) throws InvalidFormat {
        JsonObject object = signedObject(control, key);
        if (object.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        return EntryKind.ofWord(object.string("kind")) == EntryKind.GENESIS ? genesis(object) : rulesChange(object);
    }

    /**
     * Whether the key signed these bytes, which may be of a version that {@link #read} does not know. Who decides outcomes must
     * not take such a record for a forged one: a later program takes it for a leaf.
     */
    public static boolean isSigned(byte[] control, NoteVerifier key) {
        try {
            signedObject(control, key);
            return true;
        } catch (InvalidFormat e) {
            return false;
        }
    }

    private static JsonObject signedObject(byte[] control, NoteVerifier key) throws InvalidFormat {
        if (control.length > CanonicalEntry.MAX_SIZE_BYTES) {
            throw new InvalidFormat("control record", "must be at most 65,535 bytes, is " + control.length);
        }
        JsonObject object = Jcs.parseCanonicalObject(control);
        Map<String, JsonValue> members = new LinkedHashMap<>(object.members());
        byte[] idAndSignature = Base64Text.decode(object.string("signature"), 4 + SIGNATURE_SIZE_BYTES, "signature");
        members.remove("signature");
        boolean ours = Arrays.equals(withKeyId(key.keyId(), new byte[0]), Arrays.copyOf(idAndSignature, 4));
        byte[] signature = Arrays.copyOfRange(idAndSignature, 4, idAndSignature.length);
        if (!ours || !key.verifyBytes(signed(members), signature)) {
            throw new InvalidFormat("signature", "is not one of " + key.vkey());
        }
        return object;
    }

    private static Map<String, JsonValue> members(Control control) {
        Map<String, JsonValue> members = new LinkedHashMap<>();
        members.put("kind", new JsonString(control.kind().word()));
        members.put("v", new JsonInteger(1));
        members.put("rules", control.rules().toJson());
        List<JsonValue> schemas = new ArrayList<>();
        control.schemas().forEach(schema -> schemas.add(schema.toJson()));
        members.put("schemas", new JsonArray(schemas));
        if (control instanceof Genesis genesis) {
            members.put("origin", new JsonString(genesis.origin()));
            members.put("vkey", new JsonString(genesis.vkey()));
            members.put("shard", new JsonInteger(genesis.shard()));
            members.put("incarnation", new JsonInteger(genesis.incarnation()));
            members.put("clusterId", new JsonString(genesis.clusterId()));
            members.put("topic", new JsonString(genesis.topic()));
            members.put("topicId", new JsonString(genesis.topicId()));
            members.put("partitions", new JsonInteger(genesis.partitions()));
            members.put("routing", new JsonString(ROUTING));
            genesis.prior().ifPresent(prior -> members.put("prior", prior.toJson()));
        } else if (control instanceof RulesChange change) {
            members.put("origin", new JsonString(change.origin()));
            members.put("shard", new JsonInteger(change.shard()));
        }
        return members;
    }

    private static Genesis genesis(JsonObject object) throws InvalidFormat {
        object.allowOnly(
                "clusterId",
                "incarnation",
                "kind",
                "origin",
                "partitions",
                "prior",
                "routing",
                "rules",
                "schemas",
                "shard",
                "signature",
                "topic",
                "topicId",
                "v",
                "vkey");
        if (!object.string("routing").equals(ROUTING)) {
            throw new InvalidFormat("routing", "must be " + ROUTING);
        }
        try {
            return new Genesis(
                    object.string("origin"),
                    object.string("vkey"),
                    Rules.intOf(object, "shard"),
                    Rules.intOf(object, "incarnation"),
                    object.string("clusterId"),
                    object.string("topic"),
                    object.string("topicId"),
                    Rules.intOf(object, "partitions"),
                    Rules.fromJson(object.object("rules")),
                    schemas(object),
                    object.members().containsKey("prior")
                            ? Optional.of(Prior.fromJson(object.object("prior")))
                            : Optional.empty());
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat("genesis", String.valueOf(e.getMessage()));
        }
    }

    private static RulesChange rulesChange(JsonObject object) throws InvalidFormat {
        if (EntryKind.ofWord(object.string("kind")) != EntryKind.RULES) {
            throw new InvalidFormat("kind", "must be genesis or rules");
        }
        object.allowOnly("kind", "origin", "rules", "schemas", "shard", "signature", "v");
        return new RulesChange(
                object.string("origin"),
                Rules.intOf(object, "shard"),
                Rules.fromJson(object.object("rules")),
                schemas(object));
    }

    private static List<SchemaText> schemas(JsonObject object) throws InvalidFormat {
        List<SchemaText> schemas = new ArrayList<>();
        for (JsonValue value : object.array("schemas")) {
            if (!(value instanceof JsonObject schema)) {
                throw new InvalidFormat("schemas", "must be objects");
            }
            schemas.add(SchemaText.fromJson(schema));
        }
        return schemas;
    }

    private static byte[] signed(Map<String, JsonValue> members) {
        byte[] json = Jcs.encode(new JsonObject(members));
        byte[] signed = Arrays.copyOf(DOMAIN, DOMAIN.length + json.length);
        System.arraycopy(json, 0, signed, DOMAIN.length, json.length);
        return signed;
    }

    private static byte[] withKeyId(int keyId, byte[] signature) {
        byte[] bytes = new byte[4 + signature.length];
        bytes[0] = (byte) (keyId >>> 24);
        bytes[1] = (byte) (keyId >>> 16);
        bytes[2] = (byte) (keyId >>> 8);
        bytes[3] = (byte) keyId;
        System.arraycopy(signature, 0, bytes, 4, signature.length);
        return bytes;
    }
}
