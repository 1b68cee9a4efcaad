// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.checkpointer.Decision.WithoutLeaf;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.EventTexts;
import io.attestream.proofs.entry.IdentityDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.EncryptedPayload;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.wire.PlainEvent;
import io.attestream.schemas.wire.SchemaBook;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides what becomes of each committed record of one shard: a pure function of that record and those before it. Written
 * apart from the sequencer's, so that a bug in either shows as a difference (docs/entry-format.md).
 *
 * <p>Not thread-safe. After an {@link Undecidable} no further record may be given.
 */
final class ShardDecider {
    /** What {@link #decide} found. */
    sealed interface Verdict {}

    record Decided(Decision decision) implements Verdict {}

    /** The record needs rules or schemas this process does not know; deciding it anyhow could differ from other replays. */
    record Undecidable(String reason) implements Verdict {}

    private static final byte EVENT_MAGIC = 0;
    private static final byte[] NONE = new byte[IdentityDigest.SIZE_BYTES];
    private static final Payload NO_PAYLOAD = new Payload.None();

    private final int shard;
    private final Ledger ledger;
    private final int incarnation;
    private final @Nullable PlainEvent plain;
    private @Nullable InForce inForce;
    private long size;

    /** What the last genesis and the rules records so far have set. */
    private record InForce(Control.Genesis genesis, Rules rules, WireDecoder<Event> decoder, SeenEvents seen) {}

    /** What an event has beside its texts. */
    private record Content(byte[] dataDigest, long dataSizeBytes, byte[] tag, Payload payload) {}

    /** Reads every event by its decoder, which the sequencer does for few: both ways must agree before a head is signed. */
    ShardDecider(int shard, Ledger ledger, int incarnation) {
        this(shard, ledger, incarnation, null);
    }

    private ShardDecider(int shard, Ledger ledger, int incarnation, @Nullable PlainEvent plain) {
        this.shard = shard;
        this.ledger = ledger;
        this.incarnation = incarnation;
        this.plain = plain;
    }

    /**
     * Of which only the entries are wanted: a leaf of a plain event has no payload. Reads such events where they lie, as the
     * sequencer does; for records on which both ways of reading have agreed once.
     */
    static ShardDecider ofEntries(int shard, Ledger ledger, int incarnation) {
        return new ShardDecider(shard, ledger, incarnation, new PlainEvent());
    }

    /**
     * As it was at a snapshot.
     *
     * @throws InvalidFormat if the control records of the snapshot are not those of this shard
     */
    static ShardDecider resumed(int shard, Ledger ledger, int incarnation, StoredSnapshots.Shard stored)
            throws IOException, InvalidFormat {
        ShardDecider decider = new ShardDecider(shard, ledger, incarnation);
        ShardSnapshot state = stored.state();
        if (state.controls().isEmpty()) {
            return decider;
        }
        try {
            InForce now = decider.readGenesis(null, 0, state.controls().get(0));
            for (byte[] entry : state.controls().subList(1, state.controls().size())) {
                now = decider.again(now, entry);
            }
            SeenEvents seen = SeenEvents.resumed(now.rules().dedupWindowLeaves(), state, stored.blocks());
            decider.inForce = new InForce(now.genesis(), now.rules(), now.decoder(), seen);
            decider.size = state.head().size().value();
            return decider;
        } catch (FatalDoubtException | IllegalArgumentException e) {
            throw new InvalidFormat("controls", String.valueOf(e.getMessage()));
        }
    }

    /**
     * @param timestampMillis of the record
     * @throws FatalDoubtException if the shard does not begin with its genesis
     */
    Verdict decide(long offset, long timestampMillis, byte @Nullable [] value) {
        if (inForce == null || LedgerOffset.kafka(offset) == 0) {
            return new Decided(begin(offset, timestampMillis, value));
        }
        if (value != null && ControlRecord.isControlValue(value)) {
            return decideControl(inForce, offset, timestampMillis, value);
        }
        if (value == null || value.length == 0 || value[0] != EVENT_MAGIC) {
            return rejected(offset, "undecodable");
        }
        if (plain != null && plain.read(value)) {
            return decidePlain(inForce, offset, timestampMillis, plain);
        }
        WireResult<Event> result = inForce.decoder().decode(value);
        if (result instanceof WireResult.UnknownSchema<Event> unknown) {
            return new Undecidable("offset " + offset + ": schema id " + unknown.schemaId()
                    + " is not defined and allowed by genesis or the rules up to there");
        }
        if (result instanceof WireResult.Decoded<Event> decoded) {
            return decideEvent(inForce, offset, timestampMillis, decoded.value());
        }
        return rejected(offset, "undecodable");
    }

    // ---- control records

    private Decision begin(long offset, long timestampMillis, byte @Nullable [] value) {
        if (value == null || !ControlRecord.isControlValue(value)) {
            throw noGenesis(offset, "is no control record");
        }
        byte[] entry = ControlRecord.ofValue(value);
        InForce now = readGenesis(inForce, offset, entry);
        long priorSize =
                now.genesis().prior().map(prior -> prior.size().value()).orElse(0L);
        if (now.genesis().incarnation() != incarnation || priorSize != size) {
            throw noGenesis(
                    offset,
                    "is that of incarnation " + now.genesis().incarnation() + ", which goes on from " + priorSize
                            + " leaves, there are " + size);
        }
        inForce = now;
        return leaf(now, offset, timestampMillis, EntryKind.GENESIS, entry, NONE, NONE, NO_PAYLOAD);
    }

    /** @param before null in front of the first incarnation */
    private InForce readGenesis(@Nullable InForce before, long offset, byte[] entry) {
        try {
            Control control = ControlRecord.read(entry, ledger.key());
            if (!(control instanceof Control.Genesis genesis)) {
                throw noGenesis(offset, "is a " + control.kind().word() + " record");
            }
            if (!genesis.origin().equals(ledger.origin())
                    || genesis.shard() != shard
                    || genesis.partitions() != ledger.shards()) {
                throw noGenesis(
                        offset,
                        "is that of " + genesis.origin() + " shard " + genesis.shard() + " of " + genesis.partitions()
                                + " incarnation " + genesis.incarnation());
            }
            SchemaBook schemas = allowedSchemas(genesis);
            readPlain(schemas);
            if (before == null) {
                return new InForce(
                        genesis,
                        genesis.rules(),
                        new WireDecoder<>(Event.class, SchemaTexts.EVENT, schemas),
                        new SeenEvents(genesis.rules().dedupWindowLeaves()));
            }
            if (genesis.incarnation() <= before.genesis().incarnation()
                    || !genesis.rules().equals(before.rules())) {
                throw noGenesis(offset, "is of an incarnation before, or under other rules than those in force");
            }
            before.decoder().use(schemas);
            return new InForce(genesis, genesis.rules(), before.decoder(), before.seen());
        } catch (InvalidFormat | IllegalArgumentException e) {
            throw noGenesis(offset, "is no valid control record: " + e.getMessage());
        }
    }

    private FatalDoubtException noGenesis(long offset, String what) {
        return new FatalDoubtException("shard " + shard + ": the first record (offset " + offset + ") " + what
                + ", expected the genesis of " + ledger.origin() + " shard " + shard + " of " + ledger.shards()
                + " incarnation " + incarnation);
    }

    private Verdict decideControl(InForce before, long offset, long timestampMillis, byte[] value) {
        byte[] entry = ControlRecord.ofValue(value);
        Control.RulesChange change;
        SchemaBook schemas;
        try {
            change = readChange(before, entry);
            schemas = allowedSchemas(change);
        } catch (InvalidFormat e) {
            return ControlRecord.isSigned(entry, ledger.key()) && !isOfThisVersion(entry)
                    ? new Undecidable(
                            "offset " + offset + ": a control record of the ledger's key that this version cannot"
                                    + " read (" + e.getMessage() + ")")
                    : rejected(offset, "invalid-control");
        } catch (IllegalArgumentException e) {
            return rejected(offset, "invalid-control");
        }
        Decision decision = leaf(before, offset, timestampMillis, EntryKind.RULES, entry, NONE, NONE, NO_PAYLOAD);
        inForce = follow(before, change, schemas);
        return new Decided(decision);
    }

    /** A control record that was decided to be a leaf before. */
    private InForce again(InForce before, byte[] entry) throws InvalidFormat {
        if (ControlRecord.read(entry, ledger.key()) instanceof Control.Genesis) {
            return readGenesis(before, 0, entry);
        }
        Control.RulesChange change = readChange(before, entry);
        return follow(before, change, allowedSchemas(change));
    }

    private InForce follow(InForce before, Control.RulesChange change, SchemaBook schemas) {
        before.seen().resize(change.rules().dedupWindowLeaves());
        before.decoder().use(schemas);
        readPlain(schemas);
        return new InForce(before.genesis(), change.rules(), before.decoder(), before.seen());
    }

    private void readPlain(SchemaBook schemas) {
        if (plain != null) {
            plain.use(schemas);
        }
    }

    /** Read, but not to be followed here: a second genesis, rules of another shard or out of turn. */
    private boolean isOfThisVersion(byte[] entry) {
        try {
            ControlRecord.read(entry, ledger.key());
            return true;
        } catch (InvalidFormat e) {
            return false;
        }
    }

    /** What the rules do not allow is as unknown as what was never defined. */
    private static SchemaBook allowedSchemas(Control control) {
        Set<String> allowed = Set.copyOf(control.rules().schemaFingerprints());
        List<SchemaText> texts = new ArrayList<>(control.schemas());
        texts.removeIf(text -> text.name().equals(SchemaTexts.EVENT) && !allowed.contains(text.fingerprint()));
        return new SchemaBook(texts);
    }

    private Control.RulesChange readChange(InForce before, byte[] entry) throws InvalidFormat {
        if (!(ControlRecord.read(entry, ledger.key()) instanceof Control.RulesChange change)) {
            throw new InvalidFormat("kind", "must be rules");
        }
        if (!change.origin().equals(ledger.origin()) || change.shard() != shard) {
            throw new InvalidFormat("shard", "is that of another shard or ledger");
        }
        if (change.rules().version() != before.rules().version() + 1) {
            throw new InvalidFormat("version", "must be one more than that in force");
        }
        return change;
    }

    // ---- events

    private Verdict decideEvent(InForce now, long offset, long timestampMillis, Event event) {
        Map<String, String> attributes = event.getAttributes();
        byte[] dataDigest = event.getDataDigest().bytes();
        try {
            CanonicalEntry.requireValid(
                    attributes, event.getTenant(), event.getActor(), dataDigest, event.getDataSize());
        } catch (InvalidFormat e) {
            return rejected(offset, "undecodable");
        }
        String source = attributes.getOrDefault("source", "");
        String partitionKey = attributes.get("partitionkey");
        if (Routing.shard(event.getTenant(), source, partitionKey, ledger.shards()) != shard) {
            return rejected(offset, "misrouted");
        }
        byte[] identity =
                IdentityDigest.compute(event.getTenant(), source, partitionKey, attributes.getOrDefault("id", ""));
        return decideValid(
                now,
                offset,
                timestampMillis,
                EventTexts.of(attributes, event.getTenant(), event.getActor()),
                identity,
                new Content(
                        dataDigest, event.getDataSize(), event.getContentTag().bytes(), payload(event)));
    }

    private Verdict decidePlain(InForce now, long offset, long timestampMillis, PlainEvent event) {
        if (event.shard(ledger.shards()) != shard) {
            return rejected(offset, "misrouted");
        }
        Content content = new Content(event.dataDigest(), event.dataSizeBytes(), event.contentTag(), NO_PAYLOAD);
        return decideValid(now, offset, timestampMillis, event, IdentityDigest.compute(event), content);
    }

    private Verdict decideValid(
            InForce now, long offset, long timestampMillis, EventTexts texts, byte[] identity, Content content) {
        SeenEvents.Seen first = now.seen().find(identity);
        if (first != null && first.hasTag(content.tag())) {
            return new Decided(
                    new WithoutLeaf(offset, OutcomeClaim.Kind.DUPLICATE, OptionalLong.of(first.index()), ""));
        }
        byte[] digest = content.dataDigest();
        long dataSizeBytes = content.dataSizeBytes();
        boolean conflict = first != null;
        byte[] entry = first != null
                ? CanonicalEntry.conflict(texts, timestampMillis, digest, dataSizeBytes, new LeafIndex(first.index()))
                : CanonicalEntry.event(texts, timestampMillis, digest, dataSizeBytes);
        if (entry.length
                > (conflict ? CanonicalEntry.MAX_SIZE_BYTES : now.rules().maxEventEntryBytes())) {
            return rejected(offset, "entry-too-large");
        }
        EntryKind kind = conflict ? EntryKind.CONFLICT : EntryKind.EVENT;
        return new Decided(leaf(
                now,
                offset,
                timestampMillis,
                kind,
                entry,
                conflict ? NONE : identity,
                content.tag(),
                content.payload()));
    }

    private Leaf leaf(
            InForce now,
            long offset,
            long timestampMillis,
            EntryKind kind,
            byte[] entry,
            byte[] identity,
            byte[] tag,
            Payload payload) {
        if (kind == EntryKind.EVENT) {
            now.seen().addEvent(identity, tag);
        } else {
            now.seen().addOther();
        }
        byte[] hash = new byte[Hash.SIZE_BYTES];
        Rfc6962.leafHash(entry, 0, entry.length, hash, 0);
        return new Leaf(offset, size++, kind, timestampMillis, entry, hash, identity, tag, payload);
    }

    private static Payload payload(Event event) {
        Object payload = event.getPayload();
        byte[] tag = event.getContentTag().bytes();
        if (payload instanceof PlainPayload plain) {
            return new Payload.Plain(tag, plain.getSalt().bytes(), ProcessorRecords.bytes(plain.getData()));
        }
        if (payload instanceof EncryptedPayload encrypted) {
            return new Payload.Encrypted(
                    tag,
                    encrypted.getKeyId(),
                    ProcessorRecords.bytes(encrypted.getNonce()),
                    ProcessorRecords.bytes(encrypted.getCiphertext()));
        }
        return NO_PAYLOAD;
    }

    private static Verdict rejected(long offset, String reason) {
        return new Decided(new WithoutLeaf(offset, OutcomeClaim.Kind.REJECTED, OptionalLong.empty(), reason));
    }
}
