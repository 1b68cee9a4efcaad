// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.LedgerBootstrap;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.Secrets;
import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.ArchiveRestoreKafka;
import io.attestream.objects.ObjectStores;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.LedgerInitializer;
import io.attestream.schemas.ledger.NewGeneration;
import io.attestream.schemas.ledger.SchemaRegistrar;
import io.attestream.schemas.topics.LedgerAcls;
import io.attestream.schemas.topics.LedgerAcls.Role;
import io.attestream.schemas.topics.TopicContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.admin.Admin;

/** Makes ledgers: for {@code init} on any cluster, for {@code up} and {@code demo} on the local one. */
final class Bootstrap implements LedgerBootstrap {
    /** Of local ledgers: a full default window takes some 170 MB of heap a shard, in processors and checkpointer. */
    static final long LOCAL_DEDUP_WINDOW_LEAVES = 1L << 20;

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final OptionalLong dedupWindowLeaves;
    private final boolean anyhow;
    private final Optional<OptionalLong> archived;

    /** @param dedupWindowLeaves of a new ledger; empty for the default */
    Bootstrap(OptionalLong dedupWindowLeaves) {
        this(dedupWindowLeaves, false, Optional.empty());
    }

    private Bootstrap(OptionalLong dedupWindowLeaves, boolean anyhow, Optional<OptionalLong> archived) {
        this.dedupWindowLeaves = dedupWindowLeaves;
        this.anyhow = anyhow;
        this.archived = archived;
    }

    /** Does not look whether there is an object store of a ledger: as who runs {@code init} after a loss. */
    Bootstrap anyhow() {
        return new Bootstrap(dedupWindowLeaves, true, Optional.empty());
    }

    /**
     * Lets a new generation begin with the state of a published epoch, out of the object store.
     *
     * @param epoch empty for the one published last
     */
    Bootstrap fromArchive(OptionalLong epoch) {
        return new Bootstrap(dedupWindowLeaves, anyhow, Optional.of(epoch));
    }

    @Override
    public Identity prepare(Environment environment) {
        try {
            NoteSigner signer = signer(environment.signingKey(), environment.origin());
            Topics topics = new Topics(Topics.DEFAULT_PREFIX);
            List<SchemaText> schemas = new SchemaRegistrar(environment.registryApi()).register(topics);
            Map<String, Object> connection =
                    KafkaConnection.of(environment.bootstrapServers(), environment.kafkaConfig());
            allow(connection, topics, environment);
            if (!anyhow) {
                requireKafkaOfObjects(connection, topics, signer, environment.objects());
            }
            LedgerDefinition made = initialize(
                            connection, topics, environment.shards(), environment.brokers() == 1, signer, schemas)
                    .ledger();
            if (environment.generation() > 1) {
                beginGeneration(connection, topics, made, environment);
            }
            createInboxes(connection, topics, environment);
            return new Identity(signer.keyName(), signer.verifier().vkey());
        } catch (IOException e) {
            throw new CliException(ExitCode.ERROR, "the ledger cannot be made: " + e.getMessage(), "");
        }
    }

    /** On brokers that ask who one is, each service what it needs, and the local tenant's producer its inbox. */
    static void allow(Map<String, Object> connection, Topics topics, Environment environment) {
        if (environment.kafkaConfig().isEmpty()) {
            return;
        }
        String processors = principal("processors");
        LedgerAcls acls = new LedgerAcls(
                topics,
                Map.of(
                        Role.GATEWAY,
                        principal("gateway"),
                        Role.ADMISSION,
                        processors,
                        Role.SEQUENCER,
                        processors,
                        Role.PROOFS,
                        processors,
                        Role.CHECKPOINTER,
                        principal("checkpointer"),
                        Role.OPERATOR,
                        principal("operator")),
                Map.of(environment.tenant(), List.of(principal(LocalCluster.PRODUCER))));
        try (Admin admin = Admin.create(connection)) {
            AclsCommand.apply(admin, acls);
        }
    }

    private static String principal(String part) {
        return "User:" + LocalCluster.kafkaClient(part);
    }

    static void createInboxes(Map<String, Object> connection, Topics topics, Environment environment) {
        TopicContract contract = new TopicContract(
                topics, environment.shards(), Rules.DEFAULT_MAX_PAYLOAD_BYTES, environment.brokers() == 1);
        try (Admin admin = Admin.create(connection)) {
            contract.createInboxes(admin, List.of(environment.tenant()));
        }
    }

    /** An object store of a ledger, and a cluster without one: to begin another would fork the first, as far as it came. */
    private static void requireKafkaOfObjects(
            Map<String, Object> connection, Topics topics, NoteSigner signer, String objects) throws IOException {
        if (GenesisReader.begunIncarnation(connection, topics, signer.verifier(), TIMEOUT)
                        .isEmpty()
                && !ObjectStores.openForWriting(objects)
                        .list(ObjectNames.EPOCHS)
                        .isEmpty()) {
            throw new CliException(
                    ExitCode.ERROR,
                    "the object store " + objects
                            + " has published epochs, the Kafka cluster has no ledger: it was lost,"
                            + " or its directory",
                    "Go on from the object store with attestream up --restore-kafka.");
        }
    }

    private void beginGeneration(
            Map<String, Object> connection, Topics topics, LedgerDefinition ledger, Environment environment)
            throws IOException {
        ObjectStore store = ObjectStores.openForWriting(environment.objects());
        if (archived.isPresent()) {
            ArchiveRestoreKafka.Target target = new ArchiveRestoreKafka.Target(
                    connection, topics, environment.generation(), environment.brokers() == 1);
            StateFromArchive.begin(
                    target,
                    ledger,
                    localKeys(environment.signingKey()),
                    store,
                    archived.get(),
                    Optional.empty(),
                    ArchiveCheck.Listener.NONE);
            return;
        }
        Optional<NewGeneration.State> state = ledger.incarnation() == 1
                ? Optional.empty()
                : Optional.of(() -> new ProcessorStates(connection, topics, ledger.key(), true)
                        .writeSeam(ledger, store, environment.generation(), (epochs, total) -> {}));
        begin(new NewGeneration(connection, topics, ledger, TIMEOUT), environment.generation(), state);
    }

    /** Begins a generation, or finds it begun; a refusal ends the command. */
    static NewGeneration.Result begin(NewGeneration made, int generation, Optional<NewGeneration.State> state) {
        try {
            NewGeneration.Result result =
                    state.isPresent() ? made.begin(generation, "seam", state.get()) : made.begin(generation);
            if (result instanceof NewGeneration.Result.Refused refused) {
                throw new CliException(
                        ExitCode.ERROR, "generation " + generation + " cannot begin: " + refused.reason(), "");
            }
            return result;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.ERROR, "interrupted", "");
        }
    }

    /** Runs the initializer; a refusal ends the command. */
    LedgerInitializer.Result.Complete initialize(
            Map<String, Object> connection,
            Topics topics,
            int shards,
            boolean dev,
            NoteSigner signer,
            List<SchemaText> schemas) {
        List<String> fingerprints = schemas.stream()
                .filter(schema -> schema.name().equals(SchemaTexts.EVENT))
                .map(SchemaText::fingerprint)
                .toList();
        Rules rules = Rules.initial(fingerprints);
        if (dedupWindowLeaves.isPresent()) {
            rules = rules.withDedupWindowLeaves(dedupWindowLeaves.getAsLong());
        }
        TopicContract contract = new TopicContract(topics, shards, rules.maxPayloadBytes(), dev);
        LedgerInitializer.Result result =
                new LedgerInitializer(connection, topics, contract, signer, rules, schemas, 1, TIMEOUT).run();
        if (result instanceof LedgerInitializer.Result.Complete complete) {
            return complete;
        }
        List<String> reasons = ((LedgerInitializer.Result.Refused) result).reasons();
        throw new CliException(
                ExitCode.ERROR,
                "the ledger cannot be made:\n  " + String.join("\n  ", reasons),
                "Nothing was overwritten.");
    }

    private static NoteSigner signer(Path file, String origin) throws IOException {
        if (!Files.exists(file)) {
            Secrets.write(file, NoteSigner.generate(origin, new SecureRandom()).skey() + "\n");
        }
        return read(file);
    }

    /** Those of a local cluster: the first, and each that was made beside it. */
    static List<NoteSigner> localKeys(Path first) {
        return LocalCluster.signingKeys(first).stream().map(Bootstrap::read).toList();
    }

    static NoteSigner read(Path file) {
        try {
            return NoteSigner.parse(LocalFiles.readText(file).strip());
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.ERROR, file + " holds no signing key", "Make one with attestream keys generate.");
        }
    }
}
