// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How an epoch becomes public. The order is the guarantee:
 *
 * <ol>
 *   <li><b>archive</b>: what the epoch covers is in the object store and was read back, before anything speaks of it;
 *   <li><b>intent</b>: the exact bytes to be signed are committed by the one owner of the log. Only after a commit that is
 *       known to have succeeded may they be signed. Fencing alone would not do: it keeps a paused process from publishing,
 *       not from signing, so the process that took over must sign the same bytes;
 *   <li><b>guard</b>: a copy apart from Kafka, which remains if the topic loses records;
 *   <li><b>sign</b>: the signer verifies the transition itself, from the archive;
 *   <li><b>epoch object</b>: the signed note with its epoch leaf and heads beside what they cover, so that everything
 *       published is restorable from the object store alone;
 *   <li><b>publish</b>: a second commit.
 * </ol>
 *
 * <p>A process that dies anywhere in between leaves either no trace but unreferenced objects, or a committed intent, which
 * its successor {@linkplain #rollForward rolls forward} to the same note byte for byte. Every failure is a
 * {@link FatalDoubtException}: the process ends and the next one finds out what was done.
 */
final class PublishPath {
    private static final Logger LOG = LoggerFactory.getLogger(PublishPath.class);

    private final EpochArchive archive;
    private final CheckpointLog log;
    private final CheckpointHistory history;
    private final Guard guard;
    private final Signer signer;
    private final int generation;
    private final StepListener steps;

    PublishPath(
            EpochArchive archive,
            CheckpointLog log,
            CheckpointHistory history,
            Guard guard,
            Signer signer,
            int generation,
            StepListener steps) {
        this.archive = archive;
        this.log = log;
        this.history = history;
        this.guard = guard;
        this.signer = signer;
        this.generation = generation;
        this.steps = steps;
    }

    /** Takes a new epoch all the way, and returns what was published. */
    EpochIntent publish(EpochAssembler.Epoch epoch) {
        long number = epoch.number();
        steps.reached(PublishStep.ASSEMBLED, number);

        String segment = archive.writeSegment(epoch);
        steps.reached(PublishStep.SEGMENT_WRITTEN, number);
        String payloads = archive.writePayloads(epoch);
        steps.reached(PublishStep.PAYLOADS_WRITTEN, number);
        archive.requireReadable(segment, payloads);
        steps.reached(PublishStep.ARCHIVE_READ_BACK, number);

        EpochIntent intent =
                new EpochIntent(number, epoch.leaf(), epoch.heads(), epoch.noteText(), segment, payloads, generation);
        write(new LogRecord.Intent(intent), PublishStep.INTENT_SENT, PublishStep.INTENT_COMMITTED);

        signAndPublish(intent);
        return intent;
    }

    /**
     * Takes an epoch the rest of the way whose intent a predecessor committed. Its bytes are not touched.
     *
     * @param added to each shard by the epoch, recomputed by this process
     */
    void rollForward(EpochIntent intent, List<Added> added) {
        archive.requireHolds(intent, added);
        steps.reached(PublishStep.ARCHIVE_READ_BACK, intent.epoch());

        signAndPublish(intent);
    }

    private void signAndPublish(EpochIntent intent) {
        guard.put(intent, signer.guard(intent), history.keys());
        steps.reached(PublishStep.GUARDED, intent.epoch());

        SignedNote note = signer.sign(intent);
        steps.signed(intent.epoch(), note.encode());
        steps.reached(PublishStep.SIGNED, intent.epoch());

        // A predecessor may have signed with more keys than this one has, or fewer: there is one note of an epoch.
        String archived = archive.archivedNote(intent).orElse(note.encode());
        signer.requireHybridVerifies(archived);
        LogRecord.Published published = new LogRecord.Published(intent, archived);
        history.requireSigned(published);
        archive.writeEpoch(published);
        steps.reached(PublishStep.EPOCH_ARCHIVED, intent.epoch());
        archive.writeKeySteps(published, history.ledgerRange(), history.keysAfterOpen());
        steps.reached(PublishStep.KEY_STEPS_ARCHIVED, intent.epoch());

        write(published, PublishStep.PUBLISH_SENT, PublishStep.PUBLISHED);
    }

    /** Holds the archive's copy of a published epoch against it, and makes it if there is none. */
    void requireArchived(LogRecord.Published published) {
        if (archive.writeEpoch(published)) {
            LOG.warn(
                    "object {} was missing although its epoch is published, and was made again: the object store lost it, or a"
                            + " version without it published the epoch. attestream fsck looks at all; attestream restore"
                            + " objects makes all again",
                    ObjectNames.epoch(published.epoch()));
        }
    }

    /**
     * Makes what proves the changes of keys that a published epoch logs, if its checkpointer died before it did.
     *
     * @param before the ledger log up to that epoch, without it
     */
    void requireKeySteps(LogRecord.Published published, CompactRange before) {
        archive.writeKeySteps(published, before, history.keys());
    }

    /** Publishes notes of these shards' own logs, for their heads in the last published epoch. */
    void publishShardNotes(List<Integer> shards) {
        long epoch = history.nextEpoch() - 1;
        List<LogRecord.ShardNote> notes = new ArrayList<>();
        for (int shard : shards) {
            long size = history.publishedHeads().get(shard).size().value();
            notes.add(
                    new LogRecord.ShardNote(shard, size, signer.signShard(shard).encode()));
        }
        write(new LogRecord.ShardNotes(epoch, notes), PublishStep.SHARD_NOTES_SENT, PublishStep.SHARD_NOTES_PUBLISHED);
    }

    private void write(LogRecord record, PublishStep sent, PublishStep committed) {
        history.accept(record); // what the next start would refuse is not written
        log.stage(record);
        steps.reached(sent, record.epoch());
        log.commit();
        steps.reached(committed, record.epoch());
    }
}
