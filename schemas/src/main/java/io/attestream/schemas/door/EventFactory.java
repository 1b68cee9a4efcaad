// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.door;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.proofs.envelope.PayloadEnvelope;
import io.attestream.proofs.envelope.SubjectKey;
import io.attestream.proofs.envelope.SubjectKeys;
import io.attestream.schemas.avro.Digest32;
import io.attestream.schemas.avro.EncryptedPayload;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.avro.Salt16;
import io.attestream.schemas.avro.Tag16;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.EventProblem;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Optional;

/**
 * Adds what both doors add: tenant, actor, a fresh salt, the payload's digest and the content tag. Refuses what the sequencer
 * would have to reject, so that nothing acknowledged is rejected later. Thread-safe.
 *
 * <p>With keys of subjects, the payload of every event with a {@code subject} is encrypted under that of its tenant and subject;
 * digest and tag are those of the payload in the clear, so that nothing but the envelope is another.
 */
public final class EventFactory {
    private static final int SEAL_ATTEMPTS_MAX = 3;

    private final ContentTag contentTag;
    private final SecureRandom random;
    private final int shards;
    private final int maxEntryBytes;
    private final Optional<SubjectKeys> keys;

    /** With the limit every new ledger has for event entries. */
    public EventFactory(ContentTag contentTag, SecureRandom random, int shards) {
        this(contentTag, random, shards, CanonicalEntry.MAX_EVENT_SIZE_BYTES, Optional.empty());
    }

    /**
     * @param maxEntryBytes as the ledger's rules say: the sequencer would reject what is longer
     * @param keys of subjects; empty if payloads are stored in the clear
     */
    public EventFactory(
            ContentTag contentTag, SecureRandom random, int shards, int maxEntryBytes, Optional<SubjectKeys> keys) {
        this.keys = keys;
        this.contentTag = contentTag;
        this.random = random;
        this.shards = shards;
        this.maxEntryBytes = maxEntryBytes;
    }

    /** A factory for a ledger that stores payloads in the clear, with the strictest rules of its shards. */
    public static EventFactory of(LedgerDefinition ledger, ContentTag contentTag, SecureRandom random) {
        return of(ledger, contentTag, random, Optional.empty());
    }

    /**
     * A factory for a ledger, with its number of shards and the strictest rules of its shards.
     *
     * @param keys of subjects; empty if payloads are stored in the clear
     */
    public static EventFactory of(
            LedgerDefinition ledger, ContentTag contentTag, SecureRandom random, Optional<SubjectKeys> keys) {
        int maxEntryBytes = ledger.genesis().stream()
                .mapToInt(genesis -> genesis.rules().maxEventEntryBytes())
                .min()
                .orElseThrow();
        return new EventFactory(contentTag, random, ledger.shards(), maxEntryBytes, keys);
    }

    /** What making the record came to. */
    public sealed interface Result {
        record Made(DoorEvent event) implements Result {}

        record Refused(EventProblem problem) implements Result {}

        /**
         * The key of its subject cannot be had. The same event may be made later.
         *
         * @param isOfSubjectAlone events about others can be made meanwhile
         */
        record KeyUnavailable(String reason, boolean isOfSubjectAlone) implements Result {}
    }

    /**
     * @param tenant whose event it is, from authentication
     * @param actor pseudonymous id of who sends it, from authentication
     */
    public Result make(String tenant, String actor, CloudEvent event) {
        if (Erasure.TYPE.equals(event.attributes().get("type"))) {
            return new Result.Refused(new EventProblem(
                    "invalid", "type", "the type " + Erasure.TYPE + " is that of events the ledger itself writes"));
        }
        if (Erasure.SOURCE.equals(event.source())) {
            return new Result.Refused(new EventProblem(
                    "invalid",
                    "source",
                    "the source " + Erasure.SOURCE + " is that of events the ledger itself writes"));
        }
        return make(tenant, actor, event, keys);
    }

    /** Whether making this event asks for a key, which may take as long as the store of the keys takes. */
    public boolean needsKey(CloudEvent event) {
        return keys.isPresent() && event.attributes().containsKey("subject");
    }

    /**
     * The event that says that a key of a subject was destroyed.
     *
     * @param actor who asked for it
     */
    public Result makeErasure(String tenant, String actor, String keyId) {
        return make(tenant, actor, new CloudEvent(Erasure.attributes(keyId), new byte[0]), Optional.empty());
    }

    private Result make(String tenant, String actor, CloudEvent event, Optional<SubjectKeys> sealing) {
        byte[] salt = new byte[DataDigest.SALT_SIZE_BYTES];
        random.nextBytes(salt);
        byte[] digest = DataDigest.compute(salt, event.payload());
        int entryBytes;
        try {
            CanonicalEntry.requireValid(event.attributes(), tenant, actor, digest, event.payload().length);
            // Every time has the same length.
            entryBytes =
                    CanonicalEntry.event(event.attributes(), tenant, actor, 0, digest, event.payload().length).length;
        } catch (InvalidFormat e) {
            return new Result.Refused(new EventProblem("invalid", e.field(), e.field() + " " + e.reason()));
        }
        if (entryBytes > maxEntryBytes) {
            return new Result.Refused(new EventProblem(
                    "too-large",
                    "attributes",
                    "the event's entry would have " + entryBytes + " bytes, at most " + maxEntryBytes
                            + " are logged; shorten its attributes"));
        }
        byte[] tag = contentTag.compute(tenant, event.attributes(), sha256(event.payload()));
        Object envelope;
        try {
            envelope = envelope(tenant, event, sealing, salt, digest, tag);
        } catch (IOException e) {
            return new Result.KeyUnavailable(
                    String.valueOf(e.getMessage()), e instanceof SubjectKeys.UnusableKeyException);
        }
        byte[] key = Routing.key(tenant, event.source(), event.partitionKey());
        Event avro = new Event(
                tenant,
                actor,
                event.attributes(),
                new Digest32(digest),
                (long) event.payload().length,
                new Tag16(tag),
                envelope);
        return new Result.Made(new DoorEvent(avro, key, Routing.shard(key, shards)));
    }

    /** What is about nobody is stored in the clear: no request to erase could name it. */
    private Object envelope(
            String tenant, CloudEvent event, Optional<SubjectKeys> sealing, byte[] salt, byte[] digest, byte[] tag)
            throws IOException {
        String subject = event.attributes().get("subject");
        if (sealing.isEmpty() || subject == null) {
            return new PlainPayload(new Salt16(salt), ByteBuffer.wrap(event.payload()));
        }
        SubjectKey key = sealing.get().current(tenant, subject);
        for (int attempt = 0; attempt < SEAL_ATTEMPTS_MAX; attempt++) {
            Payload.Encrypted sealed = PayloadEnvelope.seal(key, digest, tag, salt, event.payload(), random);
            SubjectKey now = sealing.get().current(tenant, subject);
            if (now.id().equals(key.id())) {
                return new EncryptedPayload(
                        sealed.keyId(), ByteBuffer.wrap(sealed.nonce()), ByteBuffer.wrap(sealed.ciphertext()));
            }
            key = now; // this process stood still in between: the key may be gone
        }
        throw new IOException("the key of the subject is being replaced");
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
