// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.ArchiveRestoreStates;
import io.attestream.processors.StateRestore;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;

/** Hands what an archive has on to who makes the processors' state of it. */
final class ProcessorStates implements ArchiveRestoreStates.StatesOf {
    private final Map<String, Object> kafka;
    private final Topics topics;
    private final NoteVerifier key;
    private final boolean dev;

    /** @param dev whether one replica of a changelog is enough */
    ProcessorStates(Map<String, Object> kafka, Topics topics, NoteVerifier key, boolean dev) {
        this.kafka = kafka;
        this.topics = topics;
        this.key = key;
        this.dev = dev;
    }

    @Override
    public ArchiveRestoreStates.States shards(int shards) {
        StateRestore restore = new StateRestore(kafka, topics, shards, key, dev);
        return new ArchiveRestoreStates.States() {
            @Override
            public void leaf(int shard, LeafRecord leaf) {
                restore.leaf(shard, leaf);
            }

            @Override
            public void outcome(int shard, OutcomeRecord outcome) {
                restore.outcome(shard, outcome);
            }

            @Override
            public void pack(PackName pack) {
                restore.pack(pack);
            }

            @Override
            public void write(
                    ArchiveRestoreStates.Result.Read archive, int incarnation, int generation, Uuid eventsTopicId)
                    throws IOException, InvalidFormat {
                restore.write(archive.shards(), archive.blocks(), incarnation, generation, eventsTopicId);
            }
        };
    }

    /** Is told how far the archive was read. */
    interface Progress {
        void at(long epochs, long total);
    }

    /** Writes the state with which the topic of this ledger begins, for a generation, whose shards go on at its first records. */
    List<Long> writeSeam(LedgerDefinition ledger, ObjectStore store, int generation, Progress progress) {
        Optional<Prior> prior = ledger.genesis().get(0).prior();
        ArchiveRestoreStates.States states = shards(ledger.shards());
        ArchiveCheck.Listener listener = new ArchiveCheck.Listener() {
            @Override
            public void progress(long epochs, long total) {
                progress.at(epochs, total);
            }
        };
        try {
            ArchiveRestoreStates.Result result = new ArchiveRestoreStates(key, store, states, listener)
                    .run(prior.orElseThrow().epoch(), Optional.empty());
            if (!(result instanceof ArchiveRestoreStates.Result.Read read)) {
                throw new CliException(
                        ExitCode.VERIFICATION_FAILED,
                        "the archive does not give the state generation " + generation + " is to begin with: " + result,
                        "Look with attestream fsck.");
            }
            states.write(read, ledger.incarnation(), generation, Uuid.fromString(ledger.topicId()));
            return Collections.nCopies(ledger.shards(), 0L);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.ERROR, "interrupted", "");
        } catch (IOException | InvalidFormat | KafkaException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "the processors' state could not be written: " + e.getMessage(), "");
        }
    }
}
