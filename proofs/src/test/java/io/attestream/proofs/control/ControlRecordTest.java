// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.control;

import static io.attestream.proofs.support.Samples.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.tree.Rfc6962;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ControlRecordTest {
    private static final NoteSigner SIGNER = Samples.ledgerSigner();
    private static final NoteVerifier KEY = Samples.ledgerKey();

    @Test
    void signsTheGoldenRecords() {
        assertThat(ControlRecord.sign(Samples.genesis(), SIGNER)).isEqualTo(Golden.bytes("control-genesis-v1.json"));
        assertThat(ControlRecord.sign(Samples.laterGenesis(), SIGNER))
                .isEqualTo(Golden.bytes("control-genesis-later-v1.json"));
        assertThat(ControlRecord.sign(Samples.rulesChange(), SIGNER)).isEqualTo(Golden.bytes("control-rules-v1.json"));
    }

    @Test
    void readsTheGoldenRecords() throws Exception {
        assertThat(ControlRecord.read(Golden.bytes("control-genesis-v1.json"), KEY))
                .isEqualTo(Samples.genesis());
        assertThat(ControlRecord.read(Golden.bytes("control-genesis-later-v1.json"), KEY))
                .isEqualTo(Samples.laterGenesis());
        assertThat(ControlRecord.read(Golden.bytes("control-rules-v1.json"), KEY))
                .isEqualTo(Samples.rulesChange());
    }

    @Test
    void refusesEveryChangedByte() {
        for (String name :
                List.of("control-genesis-v1.json", "control-genesis-later-v1.json", "control-rules-v1.json")) {
            byte[] golden = Golden.bytes(name);
            for (int i = 0; i < golden.length; i++) {
                byte[] changed = golden.clone();
                changed[i] ^= 1;
                assertThatThrownBy(() -> ControlRecord.read(changed, KEY))
                        .as("%s, byte %d", name, i)
                        .isInstanceOf(InvalidFormat.class);
            }
        }
    }

    @Test
    void refusesAnyMemberChangedAddedOrTakenAwayBySignature() throws Exception {
        JsonObject golden = Json.parseObject(Golden.bytes("control-genesis-v1.json"));
        for (String name : golden.members().keySet()) {
            if (!name.equals("signature")) {
                Map<String, JsonValue> changed = new LinkedHashMap<>(golden.members());
                changed.put(name, new JsonString("changed"));
                assertRefused(changed, "signature");
                changed.remove(name);
                assertRefused(changed, "signature");
            }
        }
        Map<String, JsonValue> more = new LinkedHashMap<>(golden.members());
        more.put("more", new JsonInteger(1));
        assertRefused(more, "signature");
    }

    @Test
    void refusesASignatureOfAnotherKeyOrInAnotherForm() throws Exception {
        JsonObject golden = Json.parseObject(Golden.bytes("control-rules-v1.json"));
        NoteSigner other = NoteSigner.generate(KEY.keyName(), new SecureRandom());
        assertThatThrownBy(() -> ControlRecord.read(ControlRecord.sign(Samples.genesis(), other), KEY))
                .isInstanceOf(InvalidFormat.class)
                .hasMessage("signature: is not one of " + KEY.vkey());
        assertThatThrownBy(() -> ControlRecord.read(
                        ControlRecord.sign(Samples.genesis(), SIGNER.withName("another.example/name")), KEY))
                .hasMessage("signature: is not one of " + KEY.vkey());
        for (String signature : List.of("", "AAAA", golden.string("signature").replace("=", ""))) {
            Map<String, JsonValue> changed = new LinkedHashMap<>(golden.members());
            changed.put("signature", new JsonString(signature));
            assertRefused(changed, "signature");
        }
        Map<String, JsonValue> without = new LinkedHashMap<>(golden.members());
        without.remove("signature");
        assertRefused(without, "signature");
        without.put("signature", new JsonInteger(1));
        assertRefused(without, "signature");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // what is changed in the golden genesis, then signed anew | to what | the field the error names
                "\"v\":1, | \"v\":2, | v",
                "\"v\":1, | \"v\":\"1\", | v",
                "\"kind\":\"genesis\" | \"kind\":\"event\" | kind",
                "\"kind\":\"genesis\" | \"kind\":\"conflict\" | kind",
                "\"kind\":\"genesis\" | \"kind\":\"other\" | kind",
                "\"kind\":\"genesis\" | \"kind\":\"rules\" | clusterId",
                "\"routing\":\"murmur2 | \"routing\":\"murmur3 | routing",
                "\"shard\":2 | \"shard\":4 | genesis",
                "\"shard\":2 | \"shard\":-1 | genesis",
                "\"shard\":2 | \"shard\":4294967298 | shard",
                "\"partitions\":4 | \"partitions\":0 | genesis",
                "\"incarnation\":1 | \"incarnation\":0 | genesis",
                "\"clusterId\" | \"clusterID\" | clusterID",
                "\"clusterId\":\" | \"a\":1,\"clusterId\":\" | a",
                "\"origin\":\"attestream.example/ledger\", | | origin",
                "\"topic\":\"attestream.events\" | \"topic\":1 | topic",
                "\"vkey\":\" | \"vkeys\":\" | vkeys",
                "\"dedupWindowLeaves\":4194304 | \"dedupWindowLeaves\":4194303 | rules",
                "\"dedupWindowLeaves\":4194304 | \"dedupWindowLeaves\":128 | rules",
                "\"dedupWindowLeaves\":4194304 | \"dedupWindowLeaves\":134217728 | rules",
                "\"dedupWindowLeaves\":4194304, | | dedupWindowLeaves",
                "\"entryVersion\":1 | \"entryVersion\":2 | rules",
                "\"maxEventEntryBytes\":65000 | \"maxEventEntryBytes\":65001 | rules",
                "\"maxEventEntryBytes\":65000 | \"maxEventEntryBytes\":1023 | rules",
                "\"maxPayloadBytes\":1048576 | \"maxPayloadBytes\":0 | rules",
                "\"maxPayloadBytes\":1048576 | \"maxPayloadBytes\":1073741825 | rules",
                "\"schemaFingerprints\":[\" | \"schemaFingerprints\":[1,\" | schemaFingerprints",
                "\"version\":1 | \"version\":0 | rules",
                "\"version\":1 | \"version\":1,\"w\":1 | w",
                "\"schemas\":[ | \"schemas\":[1, | schemas",
                "\"id\":3 | \"id\":-1 | schemas",
                "\"id\":3 | \"id\":4294967299 | id",
                "\"name\":\"Event\" | \"name\":\"\" | schemas",
                "\"fingerprint\":\" | \"fingerprint\":\"0 | schemas",
                "\"fingerprint\":\" | \"e\":1,\"fingerprint\":\" | e",
                "\"text\":\" | \"text\":[],\"u\":\" | u",
            })
    void refusesWhatTheLedgersOwnKeyShouldNotHaveSigned(String from, String to, String field) throws Exception {
        String golden = Golden.text("control-genesis-v1.json");
        assertThat(golden).contains(from);
        JsonObject changed = Json.parseObject(utf8(golden.replace(from, to == null ? "" : to)));
        Map<String, JsonValue> members = new LinkedHashMap<>(changed.members());
        assertRefused(signedAnew(members), field);
    }

    private static Map<String, JsonValue> signedAnew(Map<String, JsonValue> members) {
        members.remove("signature");
        byte[] json = Jcs.encode(new JsonObject(members));
        byte[] signature = SIGNER.signBytes(concat(utf8("attestream/control/v1\n"), json));
        byte[] keyId = ByteBuffer.allocate(4).putInt(KEY.keyId()).array();
        members.put("signature", new JsonString(Base64.getEncoder().encodeToString(concat(keyId, signature))));
        return members;
    }

    private static byte[] concat(byte[] one, byte[] two) {
        byte[] both = Arrays.copyOf(one, one.length + two.length);
        System.arraycopy(two, 0, both, one.length, two.length);
        return both;
    }

    private static void assertRefused(Map<String, JsonValue> members, String field) {
        assertThatThrownBy(() -> ControlRecord.read(Jcs.encode(new JsonObject(members)), KEY))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @Test
    void refusesOtherJsonThanCanonical() {
        String golden = Golden.text("control-rules-v1.json");
        assertThatThrownBy(() -> ControlRecord.read(utf8(golden + "\n"), KEY)).hasMessageContaining("canonical");
        assertThatThrownBy(() -> ControlRecord.read(utf8("[]"), KEY)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void takesASignedNoteForNoControlRecord() {
        // given what a control record's signature is over, signed as a note text
        String text = "attestream/control/v1\n{}\n";
        // then a checkpoint cannot be it: its second line is a size
        assertThatThrownBy(() -> Checkpoint.parse(text)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void boundsTheSizeOfARecord() {
        // given more schemas than an entry holds
        SchemaText large = new SchemaText("Event", 1, "0".repeat(64), "x".repeat(60_000));
        Genesis genesis = Samples.genesis();
        Genesis two = new Genesis(
                genesis.origin(),
                genesis.vkey(),
                0,
                genesis.clusterId(),
                genesis.topic(),
                genesis.topicId(),
                4,
                genesis.rules(),
                Collections.nCopies(2, large));
        assertThatThrownBy(() -> ControlRecord.sign(two, SIGNER))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("65,535");
        assertThatThrownBy(() -> ControlRecord.read(new byte[65_536], KEY)).hasMessageContaining("65,535");
    }

    @Test
    void marksValuesOfControlRecords() {
        byte[] control = Golden.bytes("control-genesis-v1.json");
        byte[] value = ControlRecord.toValue(control);
        assertThat(value).hasSize(control.length + 1).startsWith(1);
        assertThat(ControlRecord.isControlValue(value)).isTrue();
        assertThat(ControlRecord.ofValue(value)).isEqualTo(control);
        for (byte[] other : new byte[][] {{}, {0}, {2}, {0, 1}}) {
            assertThat(ControlRecord.isControlValue(other)).isFalse();
            assertThatThrownBy(() -> ControlRecord.ofValue(other)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 4, Integer.MAX_VALUE})
    void refusesAGenesisOfAShardThatIsNot(int shard) {
        Genesis genesis = Samples.genesis();
        assertThatThrownBy(() -> new Genesis(
                        genesis.origin(),
                        genesis.vkey(),
                        shard,
                        genesis.clusterId(),
                        genesis.topic(),
                        genesis.topicId(),
                        4,
                        genesis.rules(),
                        List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("shard " + shard);
    }

    @Test
    void doesNotChangeWithTheListsGiven() {
        List<String> fingerprints = new ArrayList<>(List.of("a"));
        Rules rules = Rules.initial(fingerprints);
        fingerprints.add("b");
        assertThat(rules.schemaFingerprints()).containsExactly("a");
        assertThat(rules.withDedupWindowLeaves(256).dedupWindowLeaves()).isEqualTo(256);
        assertThat(rules.dedupWindowLeaves()).isEqualTo(1L << 22);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"size\":5 | \"size\":7 | prior",
                "\"epoch\":7 | \"epoch\":-1 | epoch",
                "\"epoch\":7 | \"epoch\":7,\"f\":1 | f",
                "\"frontier\":[ | \"frontier\":[1, | frontier",
                "\"prior\": | \"before\": | before",
                "\"incarnation\":2 | \"incarnation\":1 | genesis",
                "\"incarnation\":2 | \"incarnation\":33 | genesis",
            })
    void refusesAPriorTreeThatCannotBe(String from, String to, String field) throws Exception {
        String golden = Golden.text("control-genesis-later-v1.json");
        assertThat(golden).contains(from);
        JsonObject changed = Json.parseObject(utf8(golden.replace(from, to)));

        assertRefused(signedAnew(new LinkedHashMap<>(changed.members())), field);
    }

    @Test
    void refusesAPriorTreeWhoseRootIsNotThatOfItsFrontier() throws Exception {
        JsonObject golden = Json.parseObject(Golden.bytes("control-genesis-later-v1.json"));
        Map<String, JsonValue> prior =
                new LinkedHashMap<>(golden.object("prior").members());
        prior.put("root", new JsonString(Rfc6962.EMPTY_ROOT.base64()));
        Map<String, JsonValue> members = new LinkedHashMap<>(golden.members());
        members.put("prior", new JsonObject(prior));

        assertRefused(signedAnew(members), "root");
    }

    @Test
    void aLaterIncarnationHasAPriorTree() throws Exception {
        JsonObject golden = Json.parseObject(Golden.bytes("control-genesis-later-v1.json"));
        Map<String, JsonValue> members = new LinkedHashMap<>(golden.members());
        members.remove("prior");

        assertRefused(signedAnew(members), "genesis");
    }
}
