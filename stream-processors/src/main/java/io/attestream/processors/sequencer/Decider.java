// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.EventTexts;
import io.attestream.proofs.entry.IdentityDigest;
import io.attestream.proofs.entry.IdentityWindow;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.wire.ConfluentWire;
import io.attestream.schemas.wire.PlainEvent;
import io.attestream.schemas.wire.SchemaBook;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Decides about one record of a shard: a pure function of the record, of the rules in force and of the leaves in the dedup
 * window. No clock, no configuration, no Kafka. The checkpointer has a second implementation of the same function on purpose;
 * the two must never share code.
 */
final class Decider {
    private static final byte[] NOTHING = new byte[16];

    private final int shard;
    private final int shards;
    private final NoteVerifier key;
    private @Nullable Rules rules;
    private @Nullable WireDecoder<Event> decoder;
    private final PlainEvent plain = new PlainEvent();

    /** @param key the ledger's, which signs control records */
    Decider(int shard, int shards, NoteVerifier key) {
        this.shard = shard;
        this.shards = shards;
        this.key = key;
    }

    /** Takes up a control record that was decided to be a leaf, from the next record on. */
    void use(Control control) {
        rules = control.rules();
        SchemaBook book = new SchemaBook(allowed(control));
        if (decoder == null) {
            decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, book);
        } else {
            decoder.use(book);
        }
        plain.use(book);
    }

    /** Schemas of events that the rules do not allow are as unknown as those no control record defines. */
    private static List<SchemaText> allowed(Control control) {
        List<String> fingerprints = control.rules().schemaFingerprints();
        return control.schemas().stream()
                .filter(schema ->
                        !schema.name().equals(SchemaTexts.EVENT) || fingerprints.contains(schema.fingerprint()))
                .toList();
    }

    Decision decide(IdentityWindow window, long offset, long timestampMillis, byte @Nullable [] value) {
        if (window.size() == 0 || offset == LedgerOffset.first(LedgerOffset.incarnation(offset))) {
            return genesis(window, offset, value);
        }
        if (value == null || value.length == 0) {
            return new Decision.Rejected(Decision.Rejected.UNDECODABLE);
        }
        if (ControlRecord.isControlValue(value)) {
            return rulesChange(offset, value);
        }
        if (value[0] != ConfluentWire.MAGIC) {
            return new Decision.Rejected(Decision.Rejected.UNDECODABLE);
        }
        if (plain.read(value)) {
            return plain.shard(shards) == shard
                    ? event(
                            window,
                            timestampMillis,
                            plain,
                            plain.dataDigest(),
                            plain.dataSizeBytes(),
                            plain.contentTag())
                    : new Decision.Rejected(Decision.Rejected.MISROUTED);
        }
        WireResult<Event> decoded = required(decoder).decode(value);
        if (decoded instanceof WireResult.UnknownSchema<Event> unknown) {
            throw new IntegrityException("shard " + shard + " offset " + offset + " was written with schema id "
                    + unknown.schemaId() + ", which the genesis and rules records up to there do not define and allow:"
                    + " nothing is lost; find who wrote it, or run the version of this program that fits");
        }
        return decoded instanceof WireResult.Decoded<Event> event
                ? event(window, timestampMillis, event.value())
                : new Decision.Rejected(Decision.Rejected.UNDECODABLE);
    }

    private Decision genesis(IdentityWindow window, long offset, byte @Nullable [] value) {
        if (value != null && ControlRecord.isControlValue(value)) {
            byte[] control = ControlRecord.ofValue(value);
            try {
                if (ControlRecord.read(control, key) instanceof Control.Genesis genesis && genesis.shard() == shard) {
                    requireFollows(window, offset, genesis);
                    return leaf(EntryKind.GENESIS, control, NOTHING, NOTHING, genesis);
                }
            } catch (InvalidFormat e) {
                throw new IntegrityException(
                        "shard " + shard + " begins with a genesis record that is not valid: " + e.getMessage(), e);
            }
        }
        throw new IntegrityException("shard " + shard + " has no state, and its record at offset "
                + LedgerOffset.kafka(offset)
                + " is not its genesis: the state was lost while the group's offsets survived. Restore it; starting over"
                + " from here would fork the tree");
    }

    /** A later incarnation goes on from the tree, and under the rules, that were there before. */
    private void requireFollows(IdentityWindow window, long offset, Control.Genesis genesis) {
        long priorSize = genesis.prior().map(prior -> prior.size().value()).orElse(0L);
        boolean sameRules = rules == null || rules.equals(genesis.rules());
        if (genesis.incarnation() != LedgerOffset.incarnation(offset) || priorSize != window.size() || !sameRules) {
            throw new IntegrityException(
                    "shard " + shard + " has " + window.size() + " leaves"
                            + (sameRules ? "" : " and other rules in force")
                            + ", its genesis of incarnation " + genesis.incarnation() + " goes on from " + priorSize
                            + ": this state is not the one it was made for. Restore into a new generation; nothing was changed");
        }
    }

    private Decision rulesChange(long offset, byte[] value) {
        byte[] control = ControlRecord.ofValue(value);
        try {
            if (ControlRecord.read(control, key) instanceof Control.RulesChange change
                    && change.shard() == shard
                    && change.origin().equals(key.keyName())
                    && change.rules().version() == required(rules).version() + 1) {
                new SchemaBook(change.schemas()); // refuses what could not be used
                return leaf(EntryKind.RULES, control, NOTHING, NOTHING, change);
            }
        } catch (InvalidFormat e) {
            if (ControlRecord.isSigned(control, key)) {
                // A later version takes it for a leaf: to reject it would make the tree depend on who reads it.
                throw new IntegrityException(
                        "shard " + shard + " offset " + offset + " is a control record of the ledger's key that this"
                                + " version of the program cannot read (" + e.getMessage()
                                + "): nothing is lost; run the version that fits",
                        e);
            }
        } catch (IllegalArgumentException e) {
            // Rejected below: its schemas can be used by nobody.
        }
        return new Decision.Rejected(Decision.Rejected.INVALID_CONTROL);
    }

    private Decision event(IdentityWindow window, long timestampMillis, Event event) {
        Map<String, String> attributes = event.getAttributes();
        byte[] digest = event.getDataDigest().bytes();
        String tenant = event.getTenant();
        try {
            CanonicalEntry.requireValid(attributes, tenant, event.getActor(), digest, event.getDataSize());
        } catch (InvalidFormat e) {
            return new Decision.Rejected(Decision.Rejected.UNDECODABLE);
        }
        String source = Objects.requireNonNull(attributes.get("source"), "a valid event has a source");
        if (Routing.shard(tenant, source, attributes.get("partitionkey"), shards) != shard) {
            return new Decision.Rejected(Decision.Rejected.MISROUTED);
        }
        EventTexts texts = EventTexts.of(attributes, tenant, event.getActor());
        byte[] tag = event.getContentTag().bytes();
        return event(window, timestampMillis, texts, digest, event.getDataSize(), tag);
    }

    private Decision event(
            IdentityWindow window,
            long timestampMillis,
            EventTexts texts,
            byte[] dataDigest,
            long dataSizeBytes,
            byte[] tag) {
        byte[] identity = IdentityDigest.compute(texts);
        long first = window.find(identity, 0);
        if (first >= 0 && window.hasTag(first, tag, 0)) {
            return new Decision.Duplicate(first);
        }
        if (first >= 0) {
            byte[] entry =
                    CanonicalEntry.conflict(texts, timestampMillis, dataDigest, dataSizeBytes, new LeafIndex(first));
            return entry.length > CanonicalEntry.MAX_SIZE_BYTES
                    ? new Decision.Rejected(Decision.Rejected.ENTRY_TOO_LARGE)
                    : leaf(EntryKind.CONFLICT, entry, NOTHING, NOTHING, null);
        }
        byte[] entry = CanonicalEntry.event(texts, timestampMillis, dataDigest, dataSizeBytes);
        return entry.length > required(rules).maxEventEntryBytes()
                ? new Decision.Rejected(Decision.Rejected.ENTRY_TOO_LARGE)
                : leaf(EntryKind.EVENT, entry, identity, tag, null);
    }

    private static Decision leaf(EntryKind kind, byte[] entry, byte[] identity, byte[] tag, @Nullable Control control) {
        byte[] hash = new byte[32];
        Rfc6962.leafHash(entry, 0, entry.length, hash, 0);
        return new Decision.Leaf(kind, hash, identity, tag, control);
    }

    private static <T> T required(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("a shard with leaves has rules");
        }
        return value;
    }
}
