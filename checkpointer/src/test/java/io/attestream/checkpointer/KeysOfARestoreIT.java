// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.chaos.LocalBroker;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka was lost after the ledger's keys changed, and who restores it has others. On a real broker, which is empty. */
class KeysOfARestoreIT {
    @TempDir
    private Path brokerDirectory;

    @TempDir
    private Path directory;

    private static final ArchiveRestoreStates.States NOTHING = new ArchiveRestoreStates.States() {
        @Override
        public void leaf(int shard, LeafRecord leaf) {}

        @Override
        public void outcome(int shard, OutcomeRecord outcome) {}

        @Override
        public void pack(PackName pack) {}

        @Override
        public void write(
                ArchiveRestoreStates.Result.Read archive, int incarnation, int generation, Uuid eventsTopicId) {
            throw new AssertionError("no state is written");
        }
    };

    @Test
    void nothingIsBegunWithoutAKeyThatSigns() throws Exception {
        // given: both keys sign
        Scene scene = new Scene(directory, 2);
        NoteSigner first = scene.ledger.key;
        NoteSigner second = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
        scene.signingKeys = new SigningKeys(List.of(first, second));
        KeyHistory none = KeyHistory.of(first.verifier());
        scene.keyChanges = Optional.of(KeyChanges.none(first.verifier()).with(none.announce(first, second)));
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        List<String> before = objects();

        try (LocalBroker broker = LocalBroker.start(brokerDirectory)) {
            Map<String, Object> connection = Map.of("bootstrap.servers", broker.bootstrapServers());
            Set<String> topics = topics(connection);

            // when
            ArchiveRestoreKafka.Result result = new ArchiveRestoreKafka(
                            new ArchiveRestoreKafka.Target(connection, new Topics("lost"), 2, true),
                            List.of(first),
                            scene.store,
                            Optional.empty(),
                            shards -> NOTHING,
                            ArchiveCheck.Listener.NONE)
                    .run();

            // then
            assertThat(result)
                    .isInstanceOfSatisfying(
                            ArchiveRestoreKafka.Result.Refused.class,
                            refused -> assertThat(refused.reasons().get(0))
                                    .contains("the ledger is to be signed by "
                                            + second.verifier().vkey()));
            assertThat(topics(connection)).isEqualTo(topics);
            assertThat(objects()).isEqualTo(before);
        }
    }

    private static Set<String> topics(Map<String, Object> connection) throws Exception {
        try (Admin admin = Admin.create(connection)) {
            return admin.listTopics().names().get(30, TimeUnit.SECONDS);
        }
    }

    private List<String> objects() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .map(Path::toString)
                    .filter(name -> !name.contains("/windows/")) // what an archive was read with stays
                    .sorted()
                    .toList();
        }
    }
}
