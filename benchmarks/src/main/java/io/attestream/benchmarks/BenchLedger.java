// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.DevIdentityProvider;
import io.attestream.chaos.Installation;
import io.attestream.chaos.JvmCommand;
import io.attestream.chaos.ManagedProcess;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.LedgerInitializer;
import io.attestream.schemas.ledger.SchemaRegistrar;
import io.attestream.schemas.topics.TopicContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** A ledger of its own for one round, and the services that work on it, as processes. */
final class BenchLedger implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    final String bootstrapServers;
    final Topics topics;
    final LedgerDefinition definition;
    final Admin admin;
    private final Installation installation;
    private final Path directory;

    BenchLedger(Installation installation, String bootstrapServers, String prefix, int shards, Path parent)
            throws IOException {
        this(installation, bootstrapServers, prefix, shards, parent, OptionalLong.empty());
    }

    /** @param windowLeaves of deduplication, if it is not to be the default */
    BenchLedger(
            Installation installation,
            String bootstrapServers,
            String prefix,
            int shards,
            Path parent,
            OptionalLong windowLeaves)
            throws IOException {
        this.installation = installation;
        this.bootstrapServers = bootstrapServers;
        this.topics = new Topics(prefix);
        this.directory = Files.createDirectories(parent.resolve(prefix));
        Files.createDirectories(directory.resolve("objects"));
        this.admin = Admin.create(connection());
        NoteSigner key = NoteSigner.generate("bench.example/" + prefix, new SecureRandom());
        secret("ledger.skey", key.skey());
        secret("internal.secret", Base64.getEncoder().encodeToString(new byte[32]));
        List<SchemaText> schemas = SchemaRegistrar.withoutRegistry();
        Rules initial = Rules.initial(schemas.stream()
                .filter(schema -> schema.name().equals(SchemaTexts.EVENT))
                .map(SchemaText::fingerprint)
                .toList());
        Rules rules = windowLeaves.isPresent() ? initial.withDedupWindowLeaves(windowLeaves.getAsLong()) : initial;
        TopicContract contract = new TopicContract(topics, shards, rules.maxPayloadBytes(), true);
        LedgerInitializer.Result result =
                new LedgerInitializer(connection(), topics, contract, key, rules, schemas, 1, TIMEOUT).run();
        if (!(result instanceof LedgerInitializer.Result.Complete complete)) {
            throw new IllegalStateException("no ledger could be made: " + result);
        }
        this.definition = complete.ledger();
    }

    private void secret(String name, String text) throws IOException {
        Path file = Files.createFile(
                directory.resolve(name),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text);
    }

    Map<String, Object> connection() {
        return Map.of("bootstrap.servers", bootstrapServers);
    }

    /** Lets the sequencer of another generation begin at the first record. */
    void beginGeneration(int generation) {
        Map<TopicPartition, OffsetAndMetadata> first =
                partitions(topics.events()).stream().collect(Collectors.toMap(p -> p, p -> new OffsetAndMetadata(0)));
        Waiting.get(admin.alterConsumerGroupOffsets(topics.sequencerGroup(generation), first)
                .all());
    }

    List<TopicPartition> partitions(String topic) {
        return IntStream.range(0, definition.shards())
                .mapToObj(shard -> new TopicPartition(topic, shard))
                .toList();
    }

    /** Offsets of a topic, all shards together. */
    long endOffset(String topic) {
        Map<TopicPartition, OffsetSpec> latest =
                partitions(topic).stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()));
        return Waiting.get(admin.listOffsets(latest).all()).values().stream()
                .mapToLong(ListOffsetsResultInfo::offset)
                .sum();
    }

    /** What a group has committed of a topic, all shards together. */
    long committed(String group, String topic) {
        return Waiting.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()).entrySet().stream()
                .filter(entry -> entry.getKey().topic().equals(topic) && entry.getValue() != null)
                .mapToLong(entry -> entry.getValue().offset())
                .sum();
    }

    ManagedProcess processors(String roles, int generation) {
        String name = "processors-" + generation;
        Map<String, String> environment = common(generation);
        environment.put("ATTESTREAM_ROLES", roles);
        environment.put("ATTESTREAM_INSTANCE_ID", name);
        environment.put("ATTESTREAM_STATE_DIRECTORY", directory.resolve(name).toString());
        environment.put(
                "ATTESTREAM_OBJECTS_LOCATION", directory.resolve("objects").toString());
        List<String> command =
                new JvmCommand(installation, 2048).main(installation.processorsLib(), "io.attestream.processors.Main");
        return new ManagedProcess(name, command, environment, directory.resolve(name + ".log"));
    }

    ManagedProcess checkpointer(int generation) {
        return checkpointer(generation, Map.of());
    }

    ManagedProcess checkpointer(int generation, Map<String, String> more) {
        Map<String, String> environment = common(generation);
        environment.putAll(more);
        environment.put(
                "ATTESTREAM_OBJECTS_LOCATION", directory.resolve("objects").toString());
        environment.put(
                "ATTESTREAM_LEDGER_SIGNING_KEY_FILE",
                directory.resolve("ledger.skey").toString());
        List<String> command = new JvmCommand(installation, 2048)
                .main(installation.checkpointerLib(), "io.attestream.checkpointer.Main");
        return new ManagedProcess("checkpointer", command, environment, directory.resolve("checkpointer.log"));
    }

    /** The gateway alone: what accepts, without anything that reads. */
    ManagedProcess gateway(DevIdentityProvider identities, int port, int managementPort) {
        Map<String, String> environment = common(1);
        environment.put("QUARKUS_HTTP_HOST", "127.0.0.1");
        environment.put("QUARKUS_HTTP_PORT", Integer.toString(port));
        environment.put("QUARKUS_MANAGEMENT_HOST", "127.0.0.1");
        environment.put("QUARKUS_MANAGEMENT_PORT", Integer.toString(managementPort));
        // Nobody answers there, and nobody asks.
        environment.put("ATTESTREAM_PROOFS_URLS", "http://127.0.0.1:" + managementPort);
        environment.put(
                "ATTESTREAM_OBJECTS_LOCATION", directory.resolve("objects").toString());
        environment.put(
                "ATTESTREAM_DOOR_CONTENT_TAG_KEY_FILE",
                directory.resolve("internal.secret").toString());
        environment.putAll(identities.environment());
        List<String> command = new JvmCommand(installation, 1024).jar(installation.gatewayJar());
        return new ManagedProcess("gateway", command, environment, log("gateway"));
    }

    Path directory() {
        return directory;
    }

    /** A main class of this module in a JVM of its own. */
    ManagedProcess baseline(Class<?> main, String name, Map<String, String> environment) {
        List<String> command = new JvmCommand(installation, 2048)
                .with("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                .main(installation.home().resolve("benchmarks/target/app/lib"), main.getName());
        Map<String, String> all = new HashMap<>(environment);
        all.put("ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS", bootstrapServers);
        all.put("ATTESTREAM_TOPICS_PREFIX", topics.prefix());
        all.put("ATTESTREAM_LEDGER_VERIFIER_KEY", definition.key().vkey());
        all.put("BENCH_STATE_DIRECTORY", directory.resolve(name).toString());
        return new ManagedProcess(name, command, all, log(name));
    }

    Path log(String name) {
        return directory.resolve(name + ".log");
    }

    private Map<String, String> common(int generation) {
        Map<String, String> environment = new HashMap<>();
        environment.put("ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS", bootstrapServers);
        environment.put("ATTESTREAM_TOPICS_PREFIX", topics.prefix());
        environment.put("ATTESTREAM_LEDGER_VERIFIER_KEY", definition.key().vkey());
        environment.put("ATTESTREAM_GENERATION", Integer.toString(generation));
        environment.put("ATTESTREAM_DEV", "true");
        environment.put("ENV", "dev");
        environment.put("AUTH_POLICY", "dev");
        environment.put(
                "ATTESTREAM_INTERNAL_SECRET_FILE",
                directory.resolve("internal.secret").toString());
        environment.put("ATTESTREAM_HTTP_HOST", "127.0.0.1");
        environment.put("ATTESTREAM_HTTP_PORT", "0");
        return environment;
    }

    /** Deletes its topics, so that rounds do not pile up on the disk. */
    @Override
    public void close() {
        List<String> own = Waiting.get(admin.listTopics().names()).stream()
                .filter(name -> name.startsWith(topics.prefix() + "."))
                .toList();
        Waiting.get(admin.deleteTopics(own).all());
        admin.close();
    }
}
