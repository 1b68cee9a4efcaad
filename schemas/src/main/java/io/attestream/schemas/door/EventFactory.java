// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.door;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.schemas.avro.Digest32;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.avro.Salt16;
import io.attestream.schemas.avro.Tag16;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.EventProblem;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;

/**
 * Adds what both doors add: tenant, actor, a fresh salt, the payload's digest and the content tag. Refuses what the sequencer
 * would have to reject, so that nothing acknowledged is rejected later. Thread-safe.
 */
public final class EventFactory {
    private final ContentTag contentTag;
    private final SecureRandom random;
    private final int shards;
    private final int maxEntryBytes;

    /** With the limit every new ledger has for event entries. */
    public EventFactory(ContentTag contentTag, SecureRandom random, int shards) {
        this(contentTag, random, shards, CanonicalEntry.MAX_EVENT_SIZE_BYTES);
    }

    /** @param maxEntryBytes as the ledger's rules say: the sequencer would reject what is longer */
    public EventFactory(ContentTag contentTag, SecureRandom random, int shards, int maxEntryBytes) {
        this.contentTag = contentTag;
        this.random = random;
        this.shards = shards;
        this.maxEntryBytes = maxEntryBytes;
    }

    /** A factory for a ledger, with its number of shards and the strictest rules of its shards. */
    public static EventFactory of(LedgerDefinition ledger, ContentTag contentTag, SecureRandom random) {
        int maxEntryBytes = ledger.genesis().stream()
                .mapToInt(genesis -> genesis.rules().maxEventEntryBytes())
                .min()
                .orElseThrow();
        return new EventFactory(contentTag, random, ledger.shards(), maxEntryBytes);
    }

    /** What making the record came to. */
    public sealed interface Result {
        record Made(DoorEvent event) implements Result {}

        record Refused(EventProblem problem) implements Result {}
    }

    /**
     * @param tenant whose event it is, from authentication
     * @param actor pseudonymous id of who sends it, from authentication
     */
    public Result make(String tenant, String actor, CloudEvent event) {
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
        byte[] key = Routing.key(tenant, event.source(), event.partitionKey());
        Event avro = new Event(
                tenant,
                actor,
                event.attributes(),
                new Digest32(digest),
                (long) event.payload().length,
                new Tag16(contentTag.compute(tenant, event.attributes(), sha256(event.payload()))),
                new PlainPayload(new Salt16(salt), ByteBuffer.wrap(event.payload())));
        return new Result.Made(new DoorEvent(avro, key, Routing.shard(key, shards)));
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
