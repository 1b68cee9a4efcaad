// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.IdentityDigest;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.avro.Event;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One shard's honest sequencer in the simplest form: a map, no window's end. What it says about records is what the
 * checkpointer must find too.
 */
final class TestSequencer {
    private record Sealing(EntryKind kind, byte[] hash, long offset, long timestampMillis, byte[] identity) {}

    private record First(long index, byte[] tag) {}

    final int shard;
    final int incarnation;
    final int generation;
    private final CompactRange range;
    private final Map<String, First> firsts = new HashMap<>();
    private final List<Sealing> unsealed = new ArrayList<>();
    private long sealedSize;
    private long nextOffset;
    final List<SealedDelta> deltas = new ArrayList<>();
    final List<OutcomeClaim> outcomes = new ArrayList<>();

    TestSequencer(int shard) {
        this.shard = shard;
        this.range = CompactRange.empty();
        this.incarnation = 1;
        this.generation = 1;
    }

    private TestSequencer(TestSequencer before, int incarnation, int generation) {
        this.shard = before.shard;
        this.incarnation = incarnation;
        this.generation = generation;
        this.range = before.range.copy();
        this.firsts.putAll(before.firsts);
        this.sealedSize = range.size().value();
    }

    /** With what it remembers, in a topic that replaces a lost one. */
    TestSequencer goingOn(int newIncarnation, int newGeneration) {
        return new TestSequencer(this, newIncarnation, newGeneration);
    }

    /** Decides one record; ends a delta at a full tile, as the real one does. */
    void process(long offset, long timestampMillis, byte[] value) {
        nextOffset = offset + 1;
        if (value[0] == 1) {
            EntryKind kind = LedgerOffset.kafka(offset) == 0 ? EntryKind.GENESIS : EntryKind.RULES;
            add(kind, Arrays.copyOfRange(value, 1, value.length), offset, timestampMillis, new byte[16]);
            return;
        }
        Optional<Event> decoded = TestSchemas.decodeEvent(value);
        if (decoded.isEmpty()) {
            outcomes.add(claim(offset, OutcomeClaim.Kind.REJECTED, OptionalLong.empty(), "undecodable"));
            return;
        }
        Event event = decoded.get();
        byte[] identity = IdentityDigest.compute(
                event.getTenant(),
                String.valueOf(event.getAttributes().get("source")),
                event.getAttributes().get("partitionkey"),
                String.valueOf(event.getAttributes().get("id")));
        First first = firsts.get(HexFormat.of().formatHex(identity));
        if (first == null) {
            firsts.put(
                    HexFormat.of().formatHex(identity),
                    new First(range.size().value(), event.getContentTag().bytes()));
            add(EntryKind.EVENT, entry(event, timestampMillis), offset, timestampMillis, identity);
        } else if (Arrays.equals(first.tag(), event.getContentTag().bytes())) {
            outcomes.add(claim(offset, OutcomeClaim.Kind.DUPLICATE, OptionalLong.of(first.index()), ""));
        } else {
            byte[] entry = CanonicalEntry.conflict(
                    event.getAttributes(),
                    event.getTenant(),
                    event.getActor(),
                    timestampMillis,
                    event.getDataDigest().bytes(),
                    event.getDataSize(),
                    new LeafIndex(first.index()));
            add(EntryKind.CONFLICT, entry, offset, timestampMillis, new byte[16]);
        }
    }

    private OutcomeClaim claim(long offset, OutcomeClaim.Kind kind, OptionalLong reference, String reason) {
        return new OutcomeClaim(shard, incarnation, generation, offset, kind, reference, reason);
    }

    private static byte[] entry(Event event, long timestampMillis) {
        return CanonicalEntry.event(
                event.getAttributes(),
                event.getTenant(),
                event.getActor(),
                timestampMillis,
                event.getDataDigest().bytes(),
                event.getDataSize());
    }

    private void add(EntryKind kind, byte[] entry, long offset, long timestampMillis, byte[] identity) {
        byte[] hash = Rfc6962.leafHash(entry).bytes();
        range.append(hash, 0);
        unsealed.add(new Sealing(kind, hash, offset, timestampMillis, identity));
        if (range.size().value() % SealedDelta.LEAVES_MAX == 0) {
            seal();
        }
    }

    /** Ends a delta with what was decided so far. */
    SealedDelta seal() {
        int n = unsealed.size();
        byte[] kinds = new byte[n];
        byte[] hashes = new byte[32 * n];
        long[] offsets = new long[n];
        long[] times = new long[n];
        byte[] identities = new byte[16 * n];
        for (int i = 0; i < n; i++) {
            Sealing leaf = unsealed.get(i);
            kinds[i] = leaf.kind().code();
            System.arraycopy(leaf.hash(), 0, hashes, 32 * i, 32);
            offsets[i] = leaf.offset();
            times[i] = leaf.timestampMillis();
            System.arraycopy(leaf.identity(), 0, identities, 16 * i, 16);
        }
        SealedDelta delta = new SealedDelta(
                shard,
                incarnation,
                generation,
                sealedSize,
                kinds,
                hashes,
                offsets,
                times,
                identities,
                range.size().value(),
                range.root().bytes(),
                nextOffset);
        sealedSize = range.size().value();
        unsealed.clear();
        deltas.add(delta);
        return delta;
    }
}
