// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.door;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.proofs.envelope.PayloadEnvelope;
import io.attestream.proofs.envelope.SubjectKey;
import io.attestream.proofs.envelope.SubjectKeys;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.schemas.avro.EncryptedPayload;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.EventProblem;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.SchemaRegistrar;
import io.attestream.schemas.wire.SchemaBook;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class EventFactoryTest {
    private static final int SHARDS = 8;
    private static final byte[] PAYLOAD = "payload".getBytes(StandardCharsets.UTF_8);
    private static final ContentTag TAG = new ContentTag(new byte[32]);

    private final EventFactory factory = new EventFactory(TAG, new SecureRandom(), SHARDS);

    private static CloudEvent event(Map<String, String> more) {
        Map<String, String> attributes =
                new HashMap<>(Map.of("specversion", "1.0", "id", "1", "source", "/s", "type", "t"));
        attributes.putAll(more);
        return new CloudEvent(attributes, PAYLOAD);
    }

    private DoorEvent made(CloudEvent event) {
        return ((EventFactory.Result.Made) factory.make("acme", "svc", event)).event();
    }

    @Test
    void addsWhatADoorAdds() throws GeneralSecurityException {
        // when
        DoorEvent made = made(event(Map.of("partitionkey", "k")));

        // then
        Event avro = made.event();
        PlainPayload payload = (PlainPayload) avro.getPayload();
        byte[] salt = payload.getSalt().bytes();
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(salt, "HmacSHA256"));
        assertThat(salt).hasSize(16);
        assertThat(avro.getDataDigest().bytes()).isEqualTo(mac.doFinal(PAYLOAD));
        assertThat(avro.getDataSize()).isEqualTo(PAYLOAD.length);
        assertThat(payload.getData().array()).isEqualTo(PAYLOAD);
        assertThat(avro.getTenant()).isEqualTo("acme");
        assertThat(avro.getActor()).isEqualTo("svc");
        assertThat(avro.getContentTag().bytes())
                .isEqualTo(TAG.compute(
                        "acme",
                        avro.getAttributes(),
                        MessageDigest.getInstance("SHA-256").digest(PAYLOAD)));
        assertThat(made.key()).isEqualTo("acme\0/s\0k".getBytes(StandardCharsets.UTF_8));
        assertThat(made.shard()).isEqualTo(Routing.shard("acme", "/s", "k", SHARDS));
    }

    @Test
    void aRetryHasAFreshSaltAndTheSameTag() {
        DoorEvent first = made(event(Map.of()));
        DoorEvent second = made(event(Map.of()));
        assertThat(second.event().getDataDigest()).isNotEqualTo(first.event().getDataDigest());
        assertThat(second.event().getContentTag()).isEqualTo(first.event().getContentTag());
    }

    @Test
    void anEventWithoutDataHasASaltAndADigestToo() {
        Event avro =
                made(new CloudEvent(event(Map.of()).attributes(), new byte[0])).event();
        assertThat(avro.getDataSize()).isZero();
        assertThat(((PlainPayload) avro.getPayload()).getSalt().bytes())
                .hasSize(16)
                .isNotEqualTo(new byte[16]);
    }

    /** Attributes that make the entry exactly that long. */
    private CloudEvent withEntryOf(int bytes) {
        Map<String, String> fill = new HashMap<>();
        for (int i = 0; i < 8; i++) {
            fill.put("fill" + i, "x");
        }
        int missing = bytes - entryOf(event(fill)).length;
        for (int i = 0; i < 8 && missing > 0; i++) {
            int length = Math.min(missing, 8191);
            fill.put("fill" + i, "x".repeat(1 + length));
            missing -= length;
        }
        assertThat(entryOf(event(fill))).hasSize(bytes);
        return event(fill);
    }

    private static byte[] entryOf(CloudEvent event) {
        return CanonicalEntry.event(event.attributes(), "acme", "svc", 0, new byte[32], PAYLOAD.length);
    }

    /** The sequencer may have to log the same event as a conflict: then it must still fit into an entry bundle. */
    @Test
    void takesEntriesUpToTheLimitSoThatAConflictStillFits() {
        // given
        CloudEvent longest = withEntryOf(CanonicalEntry.MAX_EVENT_SIZE_BYTES);
        CloudEvent tooLong = withEntryOf(CanonicalEntry.MAX_EVENT_SIZE_BYTES + 1);

        // then
        assertThat(factory.make("acme", "svc", longest)).isInstanceOf(EventFactory.Result.Made.class);
        assertThat(CanonicalEntry.conflict(
                        longest.attributes(),
                        "acme",
                        "svc",
                        Long.MAX_VALUE / 1_000_000,
                        new byte[32],
                        PAYLOAD.length,
                        new LeafIndex(-1)))
                .hasSizeLessThanOrEqualTo(CanonicalEntry.MAX_SIZE_BYTES);
        EventProblem problem = ((EventFactory.Result.Refused) factory.make("acme", "svc", tooLong)).problem();
        assertThat(problem.code()).isEqualTo("too-large");
        assertThat(problem.field()).isEqualTo("attributes");
        assertThat(problem.detail()).contains("65001", "65000");
    }

    /** What the rules of a ledger would have rejected must not be acknowledged. */
    @Test
    void obeysTheStrictestRulesOfTheLedger() {
        // given
        Rules normal = Rules.initial(List.of());
        Rules strict = new Rules(1, 256, 1, 2000, 1 << 20, List.of());
        NoteSigner signer = NoteSigner.generate("example.com/log", new SecureRandom());
        LedgerDefinition ledger = new LedgerDefinition(
                "example.com/log",
                signer.verifier(),
                List.of(genesis(signer, 0, normal), genesis(signer, 1, strict)),
                new SchemaBook(SchemaRegistrar.withoutRegistry()));

        // when
        EventFactory ofLedger = EventFactory.of(ledger, TAG, new SecureRandom());

        // then
        assertThat(ofLedger.make("acme", "svc", withEntryOf(2000))).isInstanceOf(EventFactory.Result.Made.class);
        assertThat(ofLedger.make("acme", "svc", withEntryOf(2001))).isInstanceOf(EventFactory.Result.Refused.class);
        assertThat(((EventFactory.Result.Made) ofLedger.make("acme", "svc", event(Map.of())))
                        .event()
                        .shard())
                .isLessThan(2);
    }

    private static Genesis genesis(NoteSigner signer, int shard, Rules rules) {
        return new Genesis(
                "example.com/log", signer.verifier().vkey(), shard, "cluster", "topic", "id", 2, rules, List.of());
    }

    private static final SubjectKey KEY = new SubjectKey("key-1", new byte[32]);

    private static EventFactory encrypting(SubjectKeys keys) {
        return new EventFactory(
                TAG, new SecureRandom(), SHARDS, CanonicalEntry.MAX_EVENT_SIZE_BYTES, Optional.of(keys));
    }

    private static Event encrypted(CloudEvent event) {
        List<String> asked = new ArrayList<>();
        SubjectKeys keys = (tenant, subject) -> {
            asked.add(tenant + " " + subject);
            return KEY;
        };
        Event made = ((EventFactory.Result.Made) encrypting(keys).make("acme", "svc", event))
                .event()
                .event();
        assertThat(Set.copyOf(asked))
                .isEqualTo(
                        made.getPayload() instanceof EncryptedPayload
                                ? Set.of("acme " + event.attributes().get("subject"))
                                : Set.of());
        return made;
    }

    @Test
    void encryptsThePayloadOfAnEventWithASubject() throws Exception {
        // when
        Event avro = encrypted(event(Map.of("subject", "ann")));

        // then
        EncryptedPayload payload = (EncryptedPayload) avro.getPayload();
        assertThat(new String(payload.getCiphertext().array(), StandardCharsets.ISO_8859_1))
                .doesNotContain("payload");
        Payload.Plain opened = PayloadEnvelope.open(
                KEY,
                new Payload.Encrypted(
                        avro.getContentTag().bytes(),
                        payload.getKeyId(),
                        payload.getNonce().array(),
                        payload.getCiphertext().array()),
                avro.getDataDigest().bytes());
        assertThat(opened.data()).isEqualTo(PAYLOAD);
        assertThat(DataDigest.compute(opened.salt(), opened.data()))
                .isEqualTo(avro.getDataDigest().bytes());
        assertThat(avro.getDataSize()).isEqualTo(PAYLOAD.length);
    }

    /** A retry must be a duplicate, whether it, or the first, was encrypted or not. */
    @Test
    void anEncryptedEventHasTheTagOfOneInTheClear() {
        CloudEvent event = event(Map.of("subject", "ann"));
        assertThat(encrypted(event).getContentTag())
                .isEqualTo(made(event).event().getContentTag());
    }

    @Test
    void whatIsAboutNobodyIsInTheClear() {
        assertThat(encrypted(event(Map.of())).getPayload()).isInstanceOf(PlainPayload.class);
    }

    @Test
    void withoutItsKeyAnEventIsNotMade() {
        EventFactory down = encrypting((tenant, subject) -> {
            throw new IOException("no answer");
        });
        assertThat(down.make("acme", "svc", event(Map.of("subject", "ann"))))
                .isEqualTo(new EventFactory.Result.KeyUnavailable("no answer", false));
        EventFactory damaged = encrypting((tenant, subject) -> {
            throw new SubjectKeys.UnusableKeyException("damaged", null);
        });
        assertThat(damaged.make("acme", "svc", event(Map.of("subject", "ann"))))
                .isEqualTo(new EventFactory.Result.KeyUnavailable("damaged", true));
        assertThat(down.make("acme", "svc", event(Map.of()))).isInstanceOf(EventFactory.Result.Made.class);
    }

    /** A process that stood still while it encrypted may come back when the key is gone. */
    @Test
    void whatWasEncryptedUnderAKeyThatWasReplacedMeanwhileIsEncryptedAgain() {
        // given
        List<String> ids = new ArrayList<>(List.of("key-1", "key-2", "key-2"));
        EventFactory standing = encrypting((tenant, subject) -> new SubjectKey(ids.remove(0), new byte[32]));

        // when
        Event made = ((EventFactory.Result.Made) standing.make("acme", "svc", event(Map.of("subject", "ann"))))
                .event()
                .event();

        // then
        assertThat(((EncryptedPayload) made.getPayload()).getKeyId()).isEqualTo("key-2");
        assertThat(ids).isEmpty();
    }

    /** A producer must not be able to say in the ledger's name that something was erased. */
    @Test
    void onlyTheLedgerSaysThatAKeyWasDestroyed() {
        // when
        EventFactory.Result sent = factory.make("acme", "svc", event(Map.of("type", Erasure.TYPE)));
        Event own = ((EventFactory.Result.Made) factory.makeErasure("acme", "admin", "ab-1"))
                .event()
                .event();

        EventFactory.Result fromThere = factory.make("acme", "svc", event(Map.of("source", Erasure.SOURCE)));

        // then
        assertThat(((EventFactory.Result.Refused) sent).problem().field()).isEqualTo("type");
        assertThat(((EventFactory.Result.Refused) fromThere).problem().field()).isEqualTo("source");
        assertThat(own.getAttributes()).isEqualTo(Erasure.attributes("ab-1"));
        assertThat(own.getActor()).isEqualTo("admin");
        assertThat(own.getPayload()).isInstanceOf(PlainPayload.class);
    }

    @Test
    void refusesATenantOrActorThatCannotBeLogged() {
        assertThat(((EventFactory.Result.Refused) factory.make("a\nb", "svc", event(Map.of())))
                        .problem()
                        .field())
                .isEqualTo("tenant");
        assertThat(((EventFactory.Result.Refused) factory.make("acme", "", event(Map.of())))
                        .problem()
                        .field())
                .isEqualTo("actor");
    }
}
