// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.envelope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.support.Golden;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PayloadEnvelopeTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] PAYLOAD = "about somebody".getBytes(StandardCharsets.UTF_8);

    private final byte[] salt = random(16);
    private final byte[] tag = random(16);
    private final byte[] digest = DataDigest.compute(salt, PAYLOAD);
    private final SubjectKey key = new SubjectKey("key-1", random(32));
    private final Payload.Encrypted sealed = PayloadEnvelope.seal(key, digest, tag, salt, PAYLOAD, RANDOM);

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    @Test
    void opensTheGoldenOnes() throws Exception {
        for (JsonObject golden : Golden.objects("payload-envelope-v1.ndjson")) {
            // when
            Payload.Plain opened = PayloadEnvelope.open(
                    new SubjectKey(golden.string("keyId"), bytes(golden, "key")),
                    new Payload.Encrypted(
                            HexFormat.of().parseHex(golden.string("contentTag")),
                            golden.string("keyId"),
                            bytes(golden, "nonce"),
                            bytes(golden, "ciphertext")),
                    bytes(golden, "digest"));

            // then
            assertThat(opened.data()).isEqualTo(bytes(golden, "payload"));
            assertThat(opened.salt()).isEqualTo(bytes(golden, "salt"));
        }
    }

    private static byte[] bytes(JsonObject object, String member) throws InvalidFormat {
        return Base64.getDecoder().decode(object.string(member));
    }

    @Test
    void opensWhatItSealed() throws Exception {
        Payload.Plain opened = PayloadEnvelope.open(key, sealed, digest);
        assertThat(opened.data()).isEqualTo(PAYLOAD);
        assertThat(opened.salt()).isEqualTo(salt);
        assertThat(opened.contentTag()).isEqualTo(tag);
        assertThat(sealed.keyId()).isEqualTo("key-1");
    }

    @Test
    void sealsTheSameOtherwiseEachTime() {
        Payload.Encrypted again = PayloadEnvelope.seal(key, digest, tag, salt, PAYLOAD, RANDOM);
        assertThat(again.nonce()).isNotEqualTo(sealed.nonce());
        assertThat(again.ciphertext()).isNotEqualTo(sealed.ciphertext());
    }

    @Test
    void anEnvelopeBesideAnotherRecordDoesNotOpen() {
        refused(key, sealed, random(32));
        refused(key, new Payload.Encrypted(random(16), "key-1", sealed.nonce(), sealed.ciphertext()), digest);
        refused(key, new Payload.Encrypted(tag, "key-2", sealed.nonce(), sealed.ciphertext()), digest);
    }

    @Test
    void anAlteredEnvelopeDoesNotOpen() {
        byte[] altered = sealed.ciphertext().clone();
        altered[3] ^= 1;
        refused(key, new Payload.Encrypted(tag, "key-1", sealed.nonce(), altered), digest);
        refused(key, new Payload.Encrypted(tag, "key-1", random(12), sealed.ciphertext()), digest);
        refused(key, new Payload.Encrypted(tag, "key-1", random(11), sealed.ciphertext()), digest);
        refused(key, new Payload.Encrypted(tag, "key-1", sealed.nonce(), new byte[3]), digest);
    }

    @Test
    void anotherKeyDoesNotOpenIt() {
        refused(new SubjectKey("key-1", random(32)), sealed, digest);
    }

    private static void refused(SubjectKey key, Payload.Encrypted sealed, byte[] digest) {
        assertThatThrownBy(() -> PayloadEnvelope.open(key, sealed, digest)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void aKeyIsNeverPrinted() {
        assertThat(new SubjectKey("key-1", new byte[32]).toString()).isEqualTo("SubjectKey[key-1]");
    }

    @Test
    void anErasureIsReadFromItsEntryAndFromNoOther() throws Exception {
        // given
        Map<String, String> attributes = Erasure.attributes("ab-1");
        byte[] entry = CanonicalEntry.event(attributes, "acme", "admin", 0, new byte[32], 0);
        byte[] quoting = CanonicalEntry.event(
                Map.of("specversion", "1.0", "id", "1", "source", "/s", "type", "t", "subject", Erasure.TYPE),
                "acme",
                "svc",
                0,
                new byte[32],
                0);

        // then
        assertThat(Erasure.of(entry)).isEqualTo(Optional.of(new Erasure.Logged("ab-1", "acme")));
        assertThat(Erasure.of(quoting)).isEmpty();
        assertThat(Erasure.of("{}".getBytes(StandardCharsets.UTF_8))).isEmpty();
    }
}
