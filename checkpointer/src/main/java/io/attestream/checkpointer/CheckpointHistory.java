// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import java.util.List;
import java.util.Optional;

/**
 * What topic {@code checkpoints} has said so far, verified record by record: one intent for each epoch, each published with
 * exactly its bytes and a signature that verifies, each a ledger log one leaf longer, no shard ever shrinking.
 *
 * <p>Used on the way up (every record there is) and from then on for what this process writes itself, so that nothing gets
 * into the topic that the next start would refuse.
 */
final class CheckpointHistory {
    private final Ledger ledger;
    private final int generationMax;
    private int generation = 1;
    private final CompactRange published = CompactRange.empty();
    private final PackChain packs = new PackChain();
    private Optional<SnapshotName> snapshot = Optional.empty();
    private KeyHistory keys;
    private List<ShardHead> heads;
    private Optional<EpochIntent> open = Optional.empty();
    private Optional<LogRecord.Published> last = Optional.empty();

    /** Of every generation there is, for who only reads. */
    CheckpointHistory(Ledger ledger) {
        this(ledger, Integer.MAX_VALUE);
    }

    /** @param generationMax whose processors write now; epochs of later ones are not for this process to go on from */
    CheckpointHistory(Ledger ledger, int generationMax) {
        this.ledger = ledger;
        this.generationMax = generationMax;
        this.heads = ledger.emptyHeads();
        this.keys = KeyHistory.of(ledger.key());
    }

    /**
     * Takes the next record of the topic.
     *
     * @throws FatalDoubtException if it does not follow from the records before it
     */
    void accept(LogRecord record) {
        if (record instanceof LogRecord.Intent intent) {
            accept(intent.intent());
        } else if (record instanceof LogRecord.Published signed) {
            accept(signed);
        } else if (record instanceof LogRecord.ShardNotes notes) {
            accept(notes);
        }
    }

    /** The committed intent that was not published, if the last record was one. */
    Optional<EpochIntent> openIntent() {
        return open;
    }

    Optional<LogRecord.Published> lastPublished() {
        return last;
    }

    /** The first epoch without an intent. */
    long nextEpoch() {
        return published.size().value() + (open.isPresent() ? 1 : 0);
    }

    /** The ledger log over the published epochs; a copy. */
    CompactRange ledgerRange() {
        return published.copy();
    }

    /** All shards' heads in the last published epoch; of size 0 before the first. */
    List<ShardHead> publishedHeads() {
        return heads;
    }

    /** The newest pack of a shard that a published epoch logged. */
    Optional<PackName> newestPack(int shard) {
        return packs.newest(shard);
    }

    /** The newest snapshot that a published epoch logged. */
    Optional<SnapshotName> newestSnapshot() {
        return snapshot;
    }

    /** The ledger's keys behind the last published epoch. */
    KeyHistory keys() {
        return keys;
    }

    /** Fails unless the open intent's note is signed as it must be. */
    void requireSigned(LogRecord.Published record) {
        ledger.requireSigned(record.note(), record.intent().noteText(), record.epoch(), keys);
    }

    /** The ledger's keys behind the open intent, once it is published; behind the last published epoch if none is open. */
    KeyHistory keysAfterOpen() {
        return open.map(intent -> ledger.keysAfter(keys, parseLeaf(intent))).orElse(keys);
    }

    private void accept(EpochIntent intent) {
        long epoch = published.size().value();
        if (open.isPresent()) {
            throw doubt(
                    intent.epoch(),
                    "a second intent follows the one of epoch " + open.get().epoch() + " that was not published");
        }
        if (intent.epoch() != epoch) {
            throw doubt(intent.epoch(), "expected an intent of epoch " + epoch);
        }
        if (intent.generation() > generationMax) {
            throw doubt(
                    epoch,
                    "it is of generation " + intent.generation() + ", attestream.generation is " + generationMax
                            + ": the processors were restored into a new generation");
        }
        if (intent.generation() < generation) {
            throw doubt(
                    epoch,
                    "it is of generation " + intent.generation() + " after epochs of generation " + generation
                            + ": a process of a generation that was given up wrote it");
        }
        requireFollows(intent);
        generation = intent.generation();
        open = Optional.of(intent);
    }

    private void requireFollows(EpochIntent intent) {
        EpochLeaf leaf = parseLeaf(intent);
        if (leaf.epoch() != intent.epoch()) {
            throw doubt(intent.epoch(), "its epoch leaf names epoch " + leaf.epoch());
        }
        ledger.requireVector(intent.heads(), leaf.vectorRoot(), intent.epoch());
        for (int shard = 0; shard < ledger.shards(); shard++) {
            requireGrows(intent.epoch(), heads.get(shard), intent.heads().get(shard));
        }
        takeLogged(packs.copy(), intent, leaf);
        newestSnapshot(intent, leaf);
        ledger.keysAfter(keys, leaf);
        CompactRange extended = published.copy();
        extended.append(Rfc6962.leafHash(intent.epochLeaf()));
        String expected = new Checkpoint(ledger.origin(), extended.size(), extended.root()).text();
        if (!intent.noteText().equals(expected)) {
            throw doubt(
                    intent.epoch(),
                    "its note text is not the checkpoint of the ledger log with its epoch leaf appended");
        }
    }

    private void takeLogged(PackChain chain, EpochIntent intent, EpochLeaf leaf) {
        try {
            chain.accept(leaf.logged(), heads);
        } catch (InvalidFormat e) {
            throw doubt(
                    intent.epoch(),
                    "it logs what does not follow, or what this version does not know: " + e.getMessage());
        }
    }

    /** Snapshots that are logged are of published epochs, and get newer. */
    private Optional<SnapshotName> newestSnapshot(EpochIntent intent, EpochLeaf leaf) {
        Optional<SnapshotName> newest = snapshot;
        for (EpochLeaf.Logged object : leaf.logged()) {
            if (SnapshotName.isSnapshot(object.name())) {
                newest = Optional.of(follows(newest, object, intent.epoch()));
            }
        }
        return newest;
    }

    private static SnapshotName follows(Optional<SnapshotName> before, EpochLeaf.Logged object, long epoch) {
        try {
            SnapshotName name = SnapshotName.parse(object.name());
            if (!name.digest().equals(object.digest())) {
                throw new InvalidFormat(object.name(), "is logged with another digest than its name has");
            }
            if (name.epoch() >= epoch
                    || name.epoch() <= before.map(SnapshotName::epoch).orElse(-1L)) {
                throw new InvalidFormat(object.name(), "is of no published epoch behind the last snapshot");
            }
            return name;
        } catch (InvalidFormat e) {
            throw doubt(epoch, "it logs what does not follow: " + e.getMessage());
        }
    }

    private static EpochLeaf parseLeaf(EpochIntent intent) {
        try {
            return EpochLeaf.parse(intent.epochLeaf());
        } catch (InvalidFormat e) {
            throw doubt(intent.epoch(), "its epoch leaf cannot be read: " + e.getMessage());
        }
    }

    private static void requireGrows(long epoch, ShardHead before, ShardHead after) {
        boolean sizeShrank =
                Long.compareUnsigned(after.size().value(), before.size().value()) < 0;
        boolean sameSizeOtherRoot =
                after.size().equals(before.size()) && !after.root().equals(before.root());
        // Each leaf is of a record, which is below the head's position.
        long grown = after.size().value() - before.size().value();
        if (sizeShrank || sameSizeOtherRoot || after.nextOffset() < before.nextOffset() + Math.max(0, grown)) {
            throw doubt(epoch, "shard " + after.shard() + " goes from " + before + " to " + after);
        }
    }

    private void accept(LogRecord.Published record) {
        EpochIntent intent = open.orElse(null);
        if (intent == null || !intent.equals(record.intent())) {
            throw doubt(record.epoch(), "it was published without an intent of exactly these bytes");
        }
        ledger.requireSigned(record.note(), intent.noteText(), record.epoch(), keys);
        published.append(Rfc6962.leafHash(intent.epochLeaf()));
        EpochLeaf leaf = parseLeaf(intent);
        takeLogged(packs, intent, leaf);
        snapshot = newestSnapshot(intent, leaf);
        keys = ledger.keysAfter(keys, leaf);
        heads = intent.heads();
        open = Optional.empty();
        last = Optional.of(record);
    }

    private void accept(LogRecord.ShardNotes record) {
        if (record.epoch() != published.size().value() - 1 || open.isPresent()) {
            throw doubt(record.epoch(), "shard notes do not follow the publication of their epoch");
        }
        for (LogRecord.ShardNote note : record.notes()) {
            if (note.shard() < 0 || note.shard() >= ledger.shards()) {
                throw doubt(record.epoch(), "there is a note for shard " + note.shard());
            }
            ShardHead head = heads.get(note.shard());
            if (note.size() != head.size().value()) {
                throw doubt(
                        record.epoch(),
                        "the note of shard " + note.shard() + " is said to be of size " + note.size() + ", its head is "
                                + head);
            }
            ledger.requireShardSigned(note.note(), head, record.epoch(), keys);
        }
    }

    private static FatalDoubtException doubt(long epoch, String what) {
        return new FatalDoubtException("topic checkpoints, epoch " + epoch + ": " + what
                + ". Nothing was signed; compare the topic with its backup and the object store");
    }
}
