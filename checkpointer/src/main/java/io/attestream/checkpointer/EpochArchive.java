// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The epoch's two objects: the segment with every new entry and every other outcome, from which all that is signed can be
 * restored, and the payload object beside it. Create-only, digest in the name: a paused checkpointer can leave objects nobody refers to, never a wrong
 * one under a right name.
 */
final class EpochArchive {
    private final ObjectStore store;

    EpochArchive(ObjectStore store) {
        this.store = store;
    }

    /** Returns the name under which the epoch's entries are now durable. */
    String writeSegment(EpochAssembler.Epoch epoch) {
        byte[] object = EpochObjects.segment(epoch.number(), epoch.content().added());
        return put(ObjectNames.segment(epoch.number(), object), object);
    }

    /** Returns the name under which the epoch's payloads are now durable. */
    String writePayloads(EpochAssembler.Epoch epoch) {
        byte[] object = EpochObjects.payloads(epoch.number(), epoch.content().added());
        return put(ObjectNames.payloads(epoch.number(), object), object);
    }

    /**
     * Returns when the object store holds what is about to be published, read back. Two processes that roll one intent forward
     * write the same bytes: an Ed25519 signature has one form.
     *
     * @return false if it was there already
     * @throws FatalDoubtException if it holds something else for this epoch, or does not answer
     */
    boolean writeEpoch(LogRecord.Published published) {
        String name = ObjectNames.epoch(published.epoch());
        byte[] object = EpochObjects.published(published);
        try {
            ObjectStore.PutResult result = store.putIfAbsent(name, object);
            if (!store.get(name).filter(back -> Arrays.equals(back, object)).isPresent()) {
                throw new FatalDoubtException("object " + name + " does not hold what is published of its epoch");
            }
            return result instanceof ObjectStore.PutResult.Created;
        } catch (IOException e) {
            throw new FatalDoubtException("object " + name + " could not be written: " + e.getMessage(), e);
        }
    }

    /** The note a predecessor archived of this epoch, which died before it published it; nothing of its signatures is verified. */
    Optional<String> archivedNote(EpochIntent intent) {
        String name = ObjectNames.epoch(intent.epoch());
        try {
            Optional<byte[]> object = store.get(name);
            if (object.isPresent()) {
                String note = EpochObject.parse(object.get()).note();
                if (SignedNote.parse(note).text().equals(intent.noteText())) {
                    return Optional.of(note);
                }
            }
            return Optional.empty();
        } catch (InvalidFormat e) {
            return Optional.empty(); // whoever writes it finds out
        } catch (IOException e) {
            throw new FatalDoubtException("object " + name + " could not be read: " + e.getMessage(), e);
        }
    }

    /**
     * Returns when the object store holds what proves the changes of keys that an epoch logs; nothing is done if it logs none.
     *
     * @param before the ledger log up to that epoch, without it
     * @param keys of the ledger behind that epoch
     * @throws FatalDoubtException if it holds another proof, or does not answer
     */
    void writeKeySteps(LogRecord.Published published, CompactRange before, KeyHistory keys) {
        for (KeyHistory.Logged logged : keys.changes()) {
            if (logged.epoch() == published.epoch()) {
                KeyChange change = logged.change();
                putIfLost(change.name(), change.encode());
                put(KeyStep.name(change.number()), EpochObjects.keyStep(published, before, change));
            }
        }
    }

    /** Takes the next record of a log; returns when the object store holds what proves the changes of keys in it. */
    void acceptWithKeySteps(CheckpointHistory history, LogRecord record) {
        CompactRange before = history.ledgerRange();
        history.accept(record);
        if (record instanceof LogRecord.Published published) {
            writeKeySteps(published, before, history.keys());
        }
    }

    /** Returns when the object store holds this change of keys, read back. */
    void writeKeyChange(KeyChange change) {
        put(change.name(), change.encode());
        try {
            if (!store.get(change.name())
                    .filter(back -> Arrays.equals(back, change.encode()))
                    .isPresent()) {
                throw new FatalDoubtException("object " + change.name() + " does not hold what was written");
            }
        } catch (IOException e) {
            throw new FatalDoubtException("object " + change.name() + " could not be read: " + e.getMessage(), e);
        }
    }

    /**
     * Reads both objects back.
     *
     * @throws FatalDoubtException unless each is there, whole, and has the digest its name says
     */
    void requireReadable(String segment, String payloads) {
        read(segment);
        read(payloads);
    }

    /**
     * Reads both objects of an intent back and compares every row with what this process has recomputed. For an intent
     * somebody else wrote: hashes say nothing about the offsets, times and payloads beside the entries.
     *
     * @param added to each shard by the epoch, in shard order
     * @throws FatalDoubtException unless the objects hold exactly these leaves, their payloads and the other outcomes
     */
    void requireHolds(EpochIntent intent, List<Added> added) {
        Segment segment = readSegment(intent.segment());
        PayloadObject payloads = readPayloads(intent.payloads());
        if (segment.epoch() != intent.epoch() || payloads.epoch() != intent.epoch()) {
            throw differs(intent, "they are of epochs " + segment.epoch() + " and " + payloads.epoch());
        }
        List<Integer> moved = shards(added, shard -> !shard.isEmpty());
        List<Integer> grown = shards(added, shard -> !shard.leaves().isEmpty());
        if (!segment.shards().equals(moved) || !payloads.shards().equals(grown)) {
            throw differs(
                    intent,
                    "they hold shards " + segment.shards() + " and " + payloads.shards() + ", expected " + moved
                            + " and " + grown);
        }
        try {
            for (int shard : moved) {
                requireHolds(intent, segment, payloads, shard, added.get(shard));
            }
        } catch (InvalidFormat e) {
            throw differs(intent, String.valueOf(e.getMessage()));
        }
    }

    private static List<Integer> shards(List<Added> added, Predicate<Added> which) {
        return IntStream.range(0, added.size())
                .filter(shard -> which.test(added.get(shard)))
                .boxed()
                .toList();
    }

    private static void requireHolds(
            EpochIntent intent, Segment segment, PayloadObject payloads, int shard, Added added) throws InvalidFormat {
        if (segment.firstIndex(shard) != added.first()
                || segment.count(shard) != added.leaves().size()
                || payloads.has(shard, added.first() - 1)
                || payloads.has(shard, added.size())) {
            throw differs(
                    intent,
                    "of shard " + shard + " expected are exactly leaves " + added.first() + " to "
                            + (added.size() - 1));
        }
        if (!segment.outcomes(shard)
                .equals(added.withoutLeaf().stream().map(EpochObjects::record).toList())) {
            throw differs(
                    intent,
                    "of shard " + shard + " other outcomes were archived than those of the records that are no leaves");
        }
        for (Leaf leaf : added.leaves()) {
            LeafRecord archived = segment.leaf(shard, leaf.index());
            if (archived.kind() != leaf.kind()
                    || archived.offset() != leaf.offset()
                    || archived.timestampMillis() != leaf.timestampMillis()
                    || !Arrays.equals(archived.entry(), leaf.entry())) {
                throw differs(
                        intent,
                        "leaf " + leaf.index() + " of shard " + shard
                                + " was archived with another kind, offset, time or entry than offset " + leaf.offset()
                                + " has");
            }
            if (!Payload.isSame(payloads.payload(shard, leaf.index()), leaf.payload())) {
                throw differs(
                        intent,
                        "leaf " + leaf.index() + " of shard " + shard
                                + " was archived with another payload than offset " + leaf.offset() + " has");
            }
        }
    }

    private static FatalDoubtException differs(EpochIntent intent, String what) {
        return new FatalDoubtException("objects " + intent.segment() + " and " + intent.payloads()
                + " are not what was recomputed for epoch " + intent.epoch() + ": " + what
                + ". Nothing was signed; find out who wrote the intent");
    }

    /** The segment with this name, read from the store and checked against its digest. */
    Segment readSegment(String name) {
        try {
            return Segment.parse(read(name));
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("object " + name + " is no segment: " + e.getMessage(), e);
        }
    }

    /** The payload object with this name, read from the store and checked against its digest. */
    PayloadObject readPayloads(String name) {
        try {
            return PayloadObject.parse(read(name));
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("object " + name + " holds no payloads: " + e.getMessage(), e);
        }
    }

    /** A damaged change is read from its step. */
    private void putIfLost(String name, byte[] object) {
        try {
            store.putIfAbsent(name, object);
        } catch (IOException e) {
            throw new FatalDoubtException("object " + name + " could not be written: " + e.getMessage(), e);
        }
    }

    private String put(String name, byte[] object) {
        try {
            if (store.putIfAbsent(name, object) instanceof ObjectStore.PutResult.DifferentBytes) {
                throw new FatalDoubtException("object " + name + " exists with other bytes than it must have");
            }
            return name;
        } catch (IOException e) {
            throw new FatalDoubtException("object " + name + " could not be written: " + e.getMessage(), e);
        }
    }

    private byte[] read(String name) {
        try {
            byte[] object = store.get(name)
                    .orElseThrow(() -> new FatalDoubtException(
                            "object " + name + " is missing although a checkpoint is to be signed that rests on it"));
            ObjectNames.requireDigest(name, object);
            return object;
        } catch (IOException e) {
            throw new FatalDoubtException("object " + name + " could not be read: " + e.getMessage(), e);
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("object " + e.getMessage(), e);
        }
    }
}
