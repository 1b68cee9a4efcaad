// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.support;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.Control.RulesChange;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The values whose bytes are in the golden files: shard 2 of a ledger of four, at epoch 2. */
public final class Samples {
    public static final String ORIGIN = "attestream.example/ledger";
    public static final String TENANT = "acme";
    public static final String ACTOR = "svc-7f3a";

    public static final Map<String, String> EVENT = Map.of(
            "datacontenttype", "application/json",
            "id", "557f5b1e-2b1a-4d2c-9d3e-000000000001",
            "source", "https://github.com/octo-org/octo-repo",
            "specversion", "1.0",
            "subject", "Codertocat",
            "time", "2026-01-05T09:00:00Z",
            "type", "com.github.push");
    public static final byte[] PAYLOAD = utf8("{\"ref\":\"refs/heads/main\",\"pusher\":{\"name\":\"Codertocat\"}}");
    public static final byte[] SALT = HexFormat.of().parseHex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
    public static final long TIME = millis("2026-01-05T09:00:00.123Z");

    /** All that is allowed and rarely seen: names of system fields, quotes, other planes, no data. */
    public static final Map<String, String> UNUSUAL_EVENT = Map.ofEntries(
            Map.entry("id", "line \"1\" \\ tab"),
            Map.entry("source", "urn:évènement:€:😀"),
            Map.entry("specversion", "1.0"),
            Map.entry("type", "\u2028/あ"),
            Map.entry("partitionkey", "k 1"),
            Map.entry("kind", "not the kind"),
            Map.entry("log", "not the log"),
            Map.entry("v", "2"),
            Map.entry("data0", ""),
            Map.entry("tenant", "other"),
            Map.entry("dataschema", "https://example.com/s?a=1&b=<2>#f"),
            Map.entry("sampledrate", "30"),
            Map.entry("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

    public static final String UNUSUAL_TENANT = "tenänt";
    public static final String UNUSUAL_ACTOR = "アクター";
    public static final byte[] UNUSUAL_SALT = new byte[16];
    public static final long UNUSUAL_TIME = millis("2028-02-29T23:59:59.999Z");

    public static final byte[] OTHER_PAYLOAD = utf8("{\"ref\":\"refs/heads/other\"}");
    public static final byte[] OTHER_SALT = HexFormat.of().parseHex("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
    public static final long OTHER_TIME = millis("2026-01-05T09:00:01.000Z");

    public static final List<SchemaText> SCHEMAS = List.of(new SchemaText(
            "Event", 3, sha256Hex("an Avro schema"), "{\"type\":\"record\",\"name\":\"Event\",\"fields\":[]}"));

    private Samples() {}

    public static NoteSigner ledgerSigner() {
        try {
            return NoteSigner.parse(Golden.lines("keys-v1.txt").get(0));
        } catch (InvalidFormat e) {
            throw new AssertionError(e);
        }
    }

    public static NoteVerifier ledgerKey() {
        return key(1);
    }

    public static NoteVerifier witnessKey() {
        return key(2);
    }

    private static NoteVerifier key(int line) {
        try {
            return NoteVerifier.parse(Golden.lines("keys-v1.txt").get(line));
        } catch (InvalidFormat e) {
            throw new AssertionError(e);
        }
    }

    public static Rules rules() {
        return Rules.initial(List.of(sha256Hex("an Avro schema")));
    }

    public static Genesis genesis() {
        return new Genesis(
                ORIGIN,
                ledgerKey().vkey(),
                2,
                "MkU3OEVBNTcwNTJENDM2Qk",
                "attestream.events",
                "l5x1rKkYQ3uVYxkq0jQ5vA",
                4,
                rules(),
                SCHEMAS);
    }

    /** Of the incarnation behind, which goes on from five leaves. */
    public static Genesis laterGenesis() {
        CompactRange prior = CompactRange.empty();
        for (int leaf = 0; leaf < 5; leaf++) {
            prior.append(Rfc6962.leafHash(utf8("leaf " + leaf)));
        }
        return new Genesis(
                ORIGIN,
                ledgerKey().vkey(),
                2,
                2,
                "bmV3LWNsdXN0ZXItMjAyNg",
                "attestream.events",
                "Yk9xAAnPQNyF1wGY0Jq0XA",
                4,
                rules(),
                SCHEMAS,
                Optional.of(new Prior(7, prior.size(), prior.hashes())));
    }

    public static RulesChange rulesChange() {
        Rules rules = rules();
        return new RulesChange(
                ORIGIN,
                2,
                new Rules(
                        2,
                        1L << 23,
                        1,
                        rules.maxEventEntryBytes(),
                        rules.maxPayloadBytes(),
                        rules.schemaFingerprints()),
                SCHEMAS);
    }

    /** Entries of the leaves of shard 2. */
    public static List<byte[]> entries() {
        return List.of(
                Golden.bytes("control-genesis-v1.json"),
                Golden.bytes("entry-event-v1.json"),
                Golden.bytes("entry-event-unusual-v1.json"),
                Golden.bytes("entry-conflict-v1.json"),
                Golden.bytes("control-rules-v1.json"));
    }

    /** Entries of the leaves of the ledger log. */
    public static List<byte[]> epochs() {
        return List.of(utf8("epoch 0"), utf8("epoch 1"), Golden.bytes("epoch-leaf-v1.json"));
    }

    public static EventToCheck event() {
        return new EventToCheck(EVENT, PAYLOAD);
    }

    public static Hash leafHash(String entry) {
        return Rfc6962.leafHash(utf8(entry));
    }

    public static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static long millis(String time) {
        return Instant.parse(time).toEpochMilli();
    }

    public static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    public static String sha256Hex(String text) {
        return HexFormat.of().formatHex(sha256(utf8(text)));
    }
}
