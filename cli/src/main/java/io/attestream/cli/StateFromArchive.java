// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.ArchiveRestoreKafka;
import io.attestream.checkpointer.ArchiveRestoreState;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Begins a generation of the processors with a state out of the object store; a refusal ends the command. */
final class StateFromArchive {
    private StateFromArchive() {}

    /** @param epoch empty for the one published last */
    static ArchiveRestoreState.Result begin(
            ArchiveRestoreKafka.Target target,
            LedgerDefinition ledger,
            List<NoteSigner> signers,
            ObjectStore store,
            OptionalLong epoch,
            Optional<Checkpoint> kept,
            ArchiveCheck.Listener listener) {
        Map<String, Object> kafka = target.connection();
        ProcessorStates states = new ProcessorStates(kafka, target.topics(), ledger.key(), target.dev());
        ArchiveRestoreState.Result result;
        try {
            result = new ArchiveRestoreState(target, ledger, signers, store, states, listener).run(epoch, kept);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.ERROR, "interrupted", "");
        }
        String cannot = "generation " + target.generation() + " cannot begin: ";
        if (result instanceof ArchiveRestoreState.Result.Refused refused) {
            throw new CliException(
                    ExitCode.VERIFICATION_FAILED,
                    cannot + String.join("\n  ", refused.reasons()),
                    "No position was set: nothing can start with it yet. Mend that and run it again, or begin another generation out of"
                            + " topic events alone, without --from-archive.");
        }
        if (result instanceof ArchiveRestoreState.Result.Undecided undecided) {
            throw new CliException(ExitCode.UNAVAILABLE, cannot + undecided.detail(), "");
        }
        return result;
    }
}
