// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.Digest32;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.avro.Salt16;
import io.attestream.schemas.avro.Tag16;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.ConfluentWire;
import io.attestream.schemas.wire.SchemaBook;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.streams.StreamsConfig;

/** A ledger with its key, and records as doors and operators write them. */
public final class TestLedger {
    public static final String ORIGIN = "example.com/ledger";
    public static final String TENANT = "acme";
    public static final Topics TOPICS = new Topics("test");
    public static final List<SchemaText> SCHEMAS = schemas();
    public static final SchemaBook BOOK = new SchemaBook(SCHEMAS);
    private static final Uuid TOPIC_ID = Uuid.fromString("AAAAAAAAAAEAAAAAAAAAAg");

    public final NoteSigner key = NoteSigner.generate(ORIGIN, new SecureRandom());
    public final int shards;
    public final Rules rules;

    public TestLedger(int shards, long windowLeaves) {
        this.shards = shards;
        this.rules = rules(1, windowLeaves);
    }

    private static List<SchemaText> schemas() {
        List<SchemaText> texts = new ArrayList<>();
        SchemaTexts.current()
                .forEach((name, schema) -> texts.add(
                        new SchemaText(name, texts.size() + 1, SchemaTexts.fingerprint(schema), schema.toString())));
        return List.copyOf(texts);
    }

    private static Rules rules(int version, long windowLeaves) {
        return rules(version, windowLeaves, List.of(SchemaTexts.fingerprint(Event.getClassSchema())));
    }

    private static Rules rules(int version, long windowLeaves, List<String> schemaFingerprints) {
        return new Rules(version, windowLeaves, 1, 65_000, 1 << 20, schemaFingerprints);
    }

    public LedgerDefinition definition() {
        return new LedgerDefinition(
                ORIGIN,
                key.verifier(),
                IntStream.range(0, shards).mapToObj(this::genesis).toList(),
                BOOK);
    }

    private Control.Genesis genesis(int shard) {
        return new Control.Genesis(
                ORIGIN,
                key.verifier().vkey(),
                shard,
                "cluster",
                TOPICS.events(),
                TOPIC_ID.toString(),
                shards,
                rules,
                SCHEMAS);
    }

    public byte[] genesisValue(int shard) {
        return ControlRecord.toValue(ControlRecord.sign(genesis(shard), key));
    }

    /** Of an incarnation that goes on from a tree. */
    public byte[] laterGenesisValue(int shard, int incarnation, Prior prior, Rules inForce) {
        return ControlRecord.toValue(ControlRecord.sign(
                new Control.Genesis(
                        ORIGIN,
                        key.verifier().vkey(),
                        shard,
                        incarnation,
                        "another-cluster",
                        TOPICS.events(),
                        TOPIC_ID.toString(),
                        shards,
                        inForce,
                        SCHEMAS,
                        Optional.of(prior)),
                key));
    }

    public byte[] rulesValue(int shard, int version, long windowLeaves) {
        return ControlRecord.toValue(
                ControlRecord.sign(new Control.RulesChange(ORIGIN, shard, rules(version, windowLeaves), SCHEMAS), key));
    }

    /** Rules that allow no schema of events, although they define them. */
    public byte[] rulesValueWithoutAllowedSchemas(int shard, int version) {
        return ControlRecord.toValue(ControlRecord.sign(
                new Control.RulesChange(ORIGIN, shard, rules(version, 256, List.of()), SCHEMAS), key));
    }

    /** A control record's value with other content, signed anew as the ledger's key would. */
    public byte[] resigned(byte[] value, UnaryOperator<String> change) {
        String json = new String(ControlRecord.ofValue(value), StandardCharsets.UTF_8);
        String changed = change.apply(json).replaceAll("\"signature\":\"[^\"]*\",", "");
        byte[] signature = key.signBytes(("attestream/control/v1\n" + changed).getBytes(StandardCharsets.UTF_8));
        byte[] blob = ByteBuffer.allocate(4 + signature.length)
                .putInt(key.verifier().keyId())
                .put(signature)
                .array();
        String member = "\"signature\":\"" + Base64.getEncoder().encodeToString(blob) + "\",";
        String signed = changed.replaceFirst("\"v\":(\\d+)}$", Matcher.quoteReplacement(member) + "\"v\":$1}");
        return ControlRecord.toValue(signed.getBytes(StandardCharsets.UTF_8));
    }

    /** A source that is routed to this shard. */
    public String sourceOf(int shard) {
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> "/source/" + i)
                .filter(source -> Routing.shard(TENANT, source, null, shards) == shard)
                .findFirst()
                .orElseThrow();
    }

    /** An event for this shard; equal content gives equal tags. */
    public byte[] eventValue(int shard, String id, String content) {
        return encode(event(Map.of("id", id, "source", sourceOf(shard)), content));
    }

    /** @param attributes added to, or instead of, those every event has */
    public static Event event(Map<String, String> attributes, String content) {
        Map<String, String> all = new HashMap<>(Map.of("specversion", "1.0", "type", "com.example.test"));
        all.putAll(attributes);
        byte[] data = content.getBytes(StandardCharsets.UTF_8);
        byte[] salt = new byte[16];
        Arrays.fill(salt, (byte) content.length());
        byte[] digest = DataDigest.compute(salt, data);
        return new Event(
                TENANT,
                "actor-1",
                all,
                new Digest32(digest),
                (long) data.length,
                new Tag16(tag(content)),
                new PlainPayload(new Salt16(salt), ByteBuffer.wrap(data)));
    }

    public static byte[] tag(String content) {
        return Arrays.copyOf(DataDigest.compute(new byte[16], content.getBytes(StandardCharsets.UTF_8)), 16);
    }

    public static byte[] encode(Event event) {
        return new ConfluentWire<>(Event.class, SchemaTexts.EVENT, BOOK).encode(event);
    }

    /** A value with the id of a schema the ledger does not know. */
    public static byte[] unknownSchemaValue() {
        return new byte[] {0, 0, 0, 3, (byte) 0xe7, 1, 2, 3};
    }

    /** What a topology needs to be driven without a broker. */
    public static Properties driverSettings(String applicationId, Path state) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:1");
        settings.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        return settings;
    }
}
