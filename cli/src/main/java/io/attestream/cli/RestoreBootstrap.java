// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.LedgerBootstrap;
import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.ArchiveRestoreKafka;
import io.attestream.objects.ObjectStores;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;

/** For a local cluster whose broker lost everything: the ledger goes on from its object store. */
final class RestoreBootstrap implements LedgerBootstrap {
    private final Optional<Checkpoint> kept;

    /** @param kept a verified checkpoint somebody kept, which must be among those published */
    RestoreBootstrap(Optional<Checkpoint> kept) {
        this.kept = kept;
    }

    @Override
    public Identity prepare(Environment environment) {
        NoteSigner signer = Bootstrap.read(environment.signingKey());
        Topics topics = new Topics(Topics.DEFAULT_PREFIX);
        ArchiveRestoreKafka.Result result;
        Map<String, Object> connection;
        try {
            connection = KafkaConnection.of(environment.bootstrapServers(), environment.kafkaConfig());
            Bootstrap.allow(connection, topics, environment);
            result = new ArchiveRestoreKafka(
                            new ArchiveRestoreKafka.Target(connection, topics, environment.generation(), true),
                            Bootstrap.localKeys(environment.signingKey()),
                            ObjectStores.openForWriting(environment.objects()),
                            kept,
                            new ProcessorStates(connection, topics, signer.verifier(), true),
                            ArchiveCheck.Listener.NONE)
                    .run();
        } catch (IOException e) {
            throw new UncheckedIOException("object store or settings of Kafka cannot be used", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.ERROR, "interrupted", "");
        }
        if (!(result instanceof ArchiveRestoreKafka.Result.Restored)) {
            throw new CliException(ExitCode.VERIFICATION_FAILED, "the ledger cannot go on: " + describe(result), "");
        }
        Bootstrap.createInboxes(connection, topics, environment);
        return new Identity(signer.keyName(), signer.verifier().vkey());
    }

    private static String describe(ArchiveRestoreKafka.Result result) {
        return result instanceof ArchiveRestoreKafka.Result.Refused refused
                ? String.join("; ", refused.reasons())
                : ((ArchiveRestoreKafka.Result.Undecided) result).detail();
    }
}
