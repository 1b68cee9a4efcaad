// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.attestation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Envelope.Verification;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Seeded;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The golden files were made with openssl. */
class EnvelopeTest {
    private static final byte[] STATEMENT = Golden.bytes("attestation-statement-v1.json");

    private static Statement statement() {
        Map<String, String> subjects = new LinkedHashMap<>();
        subjects.put("hello.txt", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        subjects.put("wörld.txt", "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7");
        return new Statement(
                subjects,
                "https://example.com/said/v1",
                new JsonObject(Map.of("said", new JsonString("hello"), "times", new JsonInteger(2))));
    }

    private static Envelope.Signer signer(String algorithm) throws InvalidFormat {
        return PemKeys.parseSigner(Golden.text("attestation-" + algorithm + "-v1.pem"));
    }

    private static Envelope.Verifier verifier(String algorithm) throws InvalidFormat {
        return PemKeys.parseVerifier(Golden.text("attestation-" + algorithm + "-v1.pub.pem"));
    }

    @Test
    void signsWhatTheSpecificationSaysIsSigned() {
        // given the example of DSSE's protocol
        byte[] message =
                Envelope.message("http://example.com/HelloWorld", "hello world".getBytes(StandardCharsets.UTF_8));

        // then
        assertThat(message).asString().isEqualTo("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    @ParameterizedTest
    @ValueSource(strings = {"p256", "ed25519"})
    void verifiesWhatOpensslSigned(String algorithm) throws Exception {
        // given
        Envelope envelope = Envelope.parse(Golden.bytes("attestation-" + algorithm + "-v1.dsse.json"));

        // when
        Verification verification = envelope.verify(Statement.MEDIA_TYPE, verifier(algorithm));

        // then
        assertThat(verification).isInstanceOfSatisfying(Verification.Verified.class, verified -> {
            assertThat(verified.payload()).isEqualTo(STATEMENT);
            assertThat(parsed(verified.payload())).isEqualTo(statement());
        });
        assertThat(envelope.encode()).isEqualTo(Golden.bytes("attestation-" + algorithm + "-v1.dsse.json"));
        assertThat(statement().encode()).isEqualTo(STATEMENT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"p256", "ed25519"})
    void verifiesWhatItSigned(String algorithm) throws Exception {
        Envelope read = Envelope.parse(statement().sign(signer(algorithm)).encode());

        assertThat(read.verify(Statement.MEDIA_TYPE, verifier(algorithm)))
                .isInstanceOfSatisfying(
                        Verification.Verified.class,
                        verified -> assertThat(verified.payload()).isEqualTo(STATEMENT));
    }

    @Test
    void rejectsAnotherKeyAndAnotherType() throws Exception {
        Envelope envelope = statement().sign(signer("p256"));

        assertThat(envelope.verify(Statement.MEDIA_TYPE, verifier("ed25519")))
                .isEqualTo(new Verification.Rejected("no signature is by the given key"));
        assertThat(envelope.verify("text/plain", verifier("p256")))
                .isInstanceOfSatisfying(
                        Verification.Rejected.class,
                        rejected -> assertThat(rejected.reason()).contains("application/vnd.in-toto+json"));
    }

    @Test
    void rejectsTheSameSignatureOverAnotherType() throws Exception {
        // given an envelope that says its bytes are of another kind
        String json = Golden.text("attestation-p256-v1.dsse.json").replace(Statement.MEDIA_TYPE, "text/plain");

        // then its signature holds for the first kind alone
        assertThat(Envelope.parse(json.getBytes(StandardCharsets.UTF_8)).verify("text/plain", verifier("p256")))
                .isInstanceOf(Verification.Rejected.class);
    }

    @Test
    void givesNoOtherPayloadWhateverIsChanged() throws Exception {
        byte[] good = Golden.bytes("attestation-p256-v1.dsse.json");
        Envelope.Verifier key = verifier("p256");
        Seeded.check(2_000, random -> {
            try {
                if (Envelope.parse(random.mutated(good)).verify(Statement.MEDIA_TYPE, key)
                        instanceof Verification.Verified verified) {
                    assertThat(verified.payload()).isEqualTo(STATEMENT);
                }
            } catch (InvalidFormat e) {
                // refused, as it may be
            }
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"payload\":\"\",\"payloadType\":\"a\",\"signatures\":[]}",
                "{\"payload\":\"\",\"payloadType\":\"a\",\"signatures\":[1]}",
                "{\"payload\":\"\",\"payloadType\":\"a\",\"signatures\":[{\"sig\":\"?\"}]}",
                "{\"payload\":\"_-\",\"payloadType\":\"a\",\"signatures\":[{\"sig\":\"\"}]}",
                "{\"payload\":\"\",\"payloadType\":\"a\",\"signatures\":[{\"sig\":\"\"}],\"payload\":\"\"}",
                "{\"payload\":\"\",\"payloadType\":\"a\",\"signatures\":[{\"sig\":\"\"}],\"more\":1}"
            })
    void refusesWhatIsNoEnvelope(String json) {
        assertThatThrownBy(() -> Envelope.parse(json.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(InvalidFormat.class);
    }

    @Test
    void refusesStatementsThatTwoReadersCouldUnderstandDifferently() {
        String good = new String(STATEMENT, StandardCharsets.UTF_8);
        for (String wrong : List.of(
                good.replace("wörld.txt", "hello.txt"),
                good.replace("Statement/v1", "Statement/v0.1"),
                good.replace("2cf24dba", "2CF24DBA"),
                good.replaceAll("\"subject\":\\[.*?]", "\"subject\":[]"))) {
            assertThat(wrong).isNotEqualTo(good);
            assertThatThrownBy(() -> Statement.parse(wrong.getBytes(StandardCharsets.UTF_8)))
                    .as(wrong)
                    .isInstanceOf(InvalidFormat.class);
        }
    }

    @Test
    void refusesWhatIsNoKeyAndDoesNotShowASecret() {
        String secret = Golden.text("attestation-p256-v1.pem");
        String body = secret.lines().skip(1).findFirst().orElseThrow();
        for (String wrong : List.of(
                "",
                Golden.text("attestation-p256-v1.pub.pem"),
                secret.replace("\n-----END", "=\n-----END"),
                secret.replace(body, body.substring(4)),
                secret.replace("PRIVATE", "RSA PRIVATE"))) {
            assertThatThrownBy(() -> PemKeys.parseSigner(wrong))
                    .as(wrong)
                    .isInstanceOf(InvalidFormat.class)
                    .satisfies(e -> assertThat(e.getMessage()).doesNotContain(body.substring(4, 20)));
        }
        assertThatThrownBy(() -> PemKeys.parseVerifier(secret))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("PUBLIC KEY");
    }

    @Test
    void refusesKeysOfOtherCurvesAndKinds() throws Exception {
        for (KeyPairGenerator generator : List.of(
                generator("EC", new ECGenParameterSpec("secp384r1")),
                generator("RSA", new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4)))) {
            byte[] der = generator.generateKeyPair().getPublic().getEncoded();
            String pem = "-----BEGIN PUBLIC KEY-----\n" + Base64.getEncoder().encodeToString(der)
                    + "\n-----END PUBLIC KEY-----\n";
            assertThatThrownBy(() -> PemKeys.parseVerifier(pem))
                    .isInstanceOf(InvalidFormat.class)
                    .hasMessageContaining("must be of ECDSA over P-256 or of Ed25519");
        }
    }

    private static KeyPairGenerator generator(String algorithm, AlgorithmParameterSpec parameters) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        generator.initialize(parameters);
        return generator;
    }

    private static Statement parsed(byte[] statement) {
        try {
            return Statement.parse(statement);
        } catch (InvalidFormat e) {
            throw new AssertionError(e);
        }
    }
}
