// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.proofs.envelope.PayloadEnvelope;
import io.attestream.proofs.envelope.SubjectKey;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.avro.Digest32;
import io.attestream.schemas.avro.EncryptedPayload;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.avro.Salt16;
import io.attestream.schemas.avro.Tag16;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** A ledger as the doors and {@code init} would make it: key, genesis, event records. */
final class TestLedger {
    static final String ORIGIN = "ledger.example/test";
    static final String TENANT = "acme";

    final NoteSigner key = NoteSigner.generate(ORIGIN, new SecureRandom());
    final int shards;
    final Ledger ledger;

    TestLedger(int shards) {
        this(shards, KeyChangeReader.NONE);
    }

    TestLedger(int shards, KeyChangeReader keyChanges) {
        this.shards = shards;
        this.ledger = new Ledger(ORIGIN, key.verifier(), shards, keyChanges);
    }

    /** The first key alone. */
    SigningKeys keys() {
        return SigningKeys.of(key);
    }

    static List<SchemaText> schemas() {
        return TestSchemas.all();
    }

    static Rules rules() {
        List<String> fingerprints = schemas().stream()
                .filter(schema -> schema.name().equals("Event"))
                .map(SchemaText::fingerprint)
                .toList();
        return Rules.initial(fingerprints).withDedupWindowLeaves(256);
    }

    Control.Genesis genesis(int shard) {
        return new Control.Genesis(
                ORIGIN,
                key.verifier().vkey(),
                shard,
                "cluster",
                "attestream.events",
                "topic-id",
                shards,
                rules(),
                schemas());
    }

    /** Of an incarnation that goes on from a tree, under the first rules. */
    Control.Genesis laterGenesis(int shard, int incarnation, Prior prior) {
        return laterGenesis(shard, incarnation, prior, rules());
    }

    Control.Genesis laterGenesis(int shard, int incarnation, Prior prior, Rules rules) {
        return new Control.Genesis(
                ORIGIN,
                key.verifier().vkey(),
                shard,
                incarnation,
                "cluster-" + incarnation,
                "attestream.events",
                "topic-id-" + incarnation,
                shards,
                rules,
                schemas(),
                Optional.of(prior));
    }

    byte[] genesisValue(int shard) {
        return ControlRecord.toValue(ControlRecord.sign(genesis(shard), key));
    }

    byte[] rulesValue(int shard, int version, long windowLeaves) {
        Rules base = rules();
        Rules rules = new Rules(
                version, windowLeaves, 1, base.maxEventEntryBytes(), base.maxPayloadBytes(), base.schemaFingerprints());
        return value(new Control.RulesChange(ORIGIN, shard, rules, schemas()));
    }

    byte[] value(Control control) {
        return ControlRecord.toValue(ControlRecord.sign(control, key));
    }

    /** The control record with its JSON changed, signed again: what a later version may write. */
    byte[] resigned(byte[] value, UnaryOperator<String> change) throws InvalidFormat {
        String json = new String(ControlRecord.ofValue(value), StandardCharsets.UTF_8);
        Map<String, JsonValue> members =
                new HashMap<>(Json.parseObject(change.apply(json).getBytes(StandardCharsets.UTF_8))
                        .members());
        members.remove("signature");
        byte[] signed = Jcs.encode(new JsonObject(members));
        byte[] signature = key.signBytes(("attestream/control/v1\n" + new String(signed, StandardCharsets.UTF_8))
                .getBytes(StandardCharsets.UTF_8));
        byte[] blob = ByteBuffer.allocate(4 + signature.length)
                .putInt(key.verifier().keyId())
                .put(signature)
                .array();
        members.put("signature", new JsonString(Base64.getEncoder().encodeToString(blob)));
        return ControlRecord.toValue(Jcs.encode(new JsonObject(members)));
    }

    /** A source that is routed to this shard. */
    String sourceOf(int shard) {
        for (int i = 0; ; i++) {
            String source = "/source/" + i;
            if (Routing.shard(TENANT, source, null, shards) == shard) {
                return source;
            }
        }
    }

    byte[] eventValue(int shard, String id, String payload) {
        return eventValue(sourceOf(shard), id, payload, Map.of());
    }

    static byte[] eventValue(String source, String id, String payload, Map<String, String> more) {
        return TestSchemas.encode(event(source, id, payload, more));
    }

    static Event event(String source, String id, String payload, Map<String, String> more) {
        byte[] data = payload.getBytes(StandardCharsets.UTF_8);
        byte[] salt = new byte[16];
        new SecureRandom().nextBytes(salt);
        Map<String, String> attributes = new HashMap<>(more);
        attributes.put("specversion", "1.0");
        attributes.put("type", "com.example.test");
        attributes.put("source", source);
        attributes.put("id", id);
        return Event.newBuilder()
                .setTenant(TENANT)
                .setActor("actor-1")
                .setAttributes(attributes)
                .setDataDigest(new Digest32(DataDigest.compute(salt, data)))
                .setDataSize(data.length)
                .setContentTag(new Tag16(tag(payload)))
                .setPayload(PlainPayload.newBuilder()
                        .setSalt(new Salt16(salt))
                        .setData(ByteBuffer.wrap(data))
                        .build())
                .build();
    }

    /** As {@link #event}, with the payload under a key. */
    static byte[] sealedValue(String source, String id, String payload, SubjectKey key) {
        Event event = event(source, id, payload, Map.of("subject", "ann"));
        PlainPayload plain = (PlainPayload) event.getPayload();
        Payload.Encrypted sealed = PayloadEnvelope.seal(
                key,
                event.getDataDigest().bytes(),
                event.getContentTag().bytes(),
                plain.getSalt().bytes(),
                payload.getBytes(StandardCharsets.UTF_8),
                new SecureRandom());
        event.setPayload(new EncryptedPayload(
                sealed.keyId(), ByteBuffer.wrap(sealed.nonce()), ByteBuffer.wrap(sealed.ciphertext())));
        return TestSchemas.encode(event);
    }

    /** The event that says that a key was destroyed. */
    static byte[] erasureValue(String tenant, String keyId) {
        Event event = event("urn:attestream:erasure", keyId, "", Map.of());
        event.setTenant(tenant);
        event.setAttributes(new HashMap<>(Erasure.attributes(keyId)));
        return TestSchemas.encode(event);
    }

    /** Any function of the content will do here; the doors' is keyed. */
    static byte[] tag(String payload) {
        return Arrays.copyOf(DataDigest.compute(new byte[16], payload.getBytes(StandardCharsets.UTF_8)), 16);
    }
}
