// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.DevIdentityProvider;
import io.attestream.chaos.Installation;
import io.attestream.chaos.ManagedProcess;
import io.attestream.chaos.S3Server;
import io.attestream.schemas.connection.KafkaConnection;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What deploy/docker-compose.yml describes, running without containers: see {@link LocalCompose}. */
@Tag("runbooks")
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class ComposeIT {
    private static final Duration COMMAND = Duration.ofSeconds(90);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Settings of a broker that its authorizer and its reader of settings know; that they hold is seen by a producer's refusal. */
    private static final Set<String> OF_PLUGINS = Set.of(
            "allow.everyone.if.no.acl.found", "super.users", "config.providers", "config.providers.secrets.class");

    @TempDir
    private static Path scratch;

    private static DevIdentityProvider identities;
    private static KeySetServer keySet;
    private static S3Server objects;
    private static LocalCompose local;
    private static String ledgerKey;
    private static Path token;

    @BeforeAll
    static void startAll() throws Exception {
        identities = DevIdentityProvider.start(scratch.resolve("identities.jwk"), 0);
        keySet = KeySetServer.start(
                scratch,
                new Api(identities.jwksUrl(), null)
                        .require("", "application/json")
                        .body());
        objects = S3Server.start();
        Map<String, String> variables = prepared();
        variables.put("JWKS_URL", keySet.url().toString());
        variables.put("JWT_ISSUER", identities.issuer());
        variables.put("INBOX_TENANTS", "acme,other");
        variables.put("KAFKA_PRODUCERS", "attestream-shop=acme");
        Files.copy(scratch.resolve("secrets/kafka-operator.properties"), shop());
        Files.writeString(shop(), Files.readString(shop()).replace("-operator", "-shop"));
        for (String client : List.of("operator", "gateway", "processors", "checkpointer", "shop")) {
            fillInClient(client);
        }
        ledgerKey = variables.get("LEDGER_KEY");
        token = scratch.resolve("secrets/monitor.token");
        Files.writeString(token, identities.token("compose", Duration.ofHours(1), "auditor", "ingester"));
        local = new LocalCompose(Compose.read(), variables, scratch);
        local.put("objects", 9000, objects.endpoint());

        for (String broker : List.of("kafka-1", "kafka-2", "kafka-3")) {
            local.startBroker(broker, keySet.trust());
        }
        for (String broker : List.of("kafka-1", "kafka-2", "kafka-3")) {
            local.awaitHealthy(broker);
        }
        local.startRegistry("registry", 8080);
        local.awaitHealthy("registry");
        requireEnd("acls");
        requireEnd("init");
        for (String gateway : List.of("gateway-1", "gateway-2")) {
            local.start(gateway, keySet.trust());
        }
        List<String> others = List.of("processors-1", "processors-2", "checkpointer-1", "checkpointer-2", "monitor");
        for (String service : others) {
            local.start(service);
        }
    }

    /** What the script makes; run again, it keeps it. */
    private static Map<String, String> prepared() throws Exception {
        runScript();
        Map<String, String> variables = Compose.variables(scratch.resolve(".env"));
        runScript();
        assertThat(Compose.variables(scratch.resolve(".env"))).isEqualTo(variables);
        return variables;
    }

    private static void runScript() throws Exception {
        Path log = scratch.resolve("prepare.log");
        Process script = new ProcessBuilder(
                        Compose.DEPLOY.resolve("prepare").toString(), "compose.test/ledger", scratch.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(script.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(script.exitValue()).as(Files.readString(log)).isZero();
        } finally {
            script.destroyForcibly();
        }
    }

    private static void requireEnd(String service) throws IOException {
        ManagedProcess process = local.start(service);
        assertThat(process.awaitExit(COMMAND)).as(process.logTail()).isTrue();
        assertThat(process.exitCode()).as(process.logTail()).isZero();
    }

    /** What the operator does by hand: clients at the issuer, and their secrets into the files. */
    private static void fillInClient(String name) throws IOException {
        identities.addClient("attestream-" + name, "hush-" + name, "none");
        Path file = scratch.resolve("secrets/kafka-" + name + ".properties");
        Files.writeString(
                file,
                Files.readString(file)
                        .replace("endpoint.url=\n", "endpoint.url=" + identities.tokenUrl() + "\n")
                        .replace("client.secret=\n", "client.secret=hush-" + name + "\n"));
    }

    @AfterAll
    static void stopAll() {
        if (local != null) {
            local.close();
        }
        objects.close();
        keySet.close();
        identities.close();
    }

    @Test
    void everyServiceOfOursBecomesHealthyAndAnEventIsProvedAlsoWhenACheckpointerDies() throws Exception {
        // given
        for (String service : List.of(
                "gateway-1",
                "gateway-2",
                "processors-1",
                "processors-2",
                "checkpointer-1",
                "checkpointer-2",
                "monitor")) {
            local.awaitHealthy(service);
        }

        // when, then: either gateway takes an event and has the proof of the other's
        prove("one", "gateway-1", "gateway-2");
        prove("two", "gateway-2", "gateway-1");
        assertThat(objects.objects().keySet()).anyMatch(key -> key.startsWith("attestream/ledger/segments/"));
        await().atMost(COMMAND)
                .untilAsserted(() -> assertThat(metrics("monitor", 9402))
                        .containsPattern("attestream_canary_seconds_count\\{outcome=\"verified\"} [1-9]"));

        // and when the checkpointer that works is gone, the other one works, and it stands by once it is back
        String working = working();
        local.process(working).kill();
        prove("three", "gateway-1", "gateway-2");
        assertThat(working()).isNotEqualTo(working);
        local.process(working).start();
        local.awaitHealthy(working);
        prove("four", "gateway-2", "gateway-1");
        assertThat(working()).isNotEqualTo(working);
    }

    @Test
    void aProducerWritesIntoItsTenantsInboxByATokenOfItsOwnAndNowhereElse() throws Exception {
        // given
        List.of("gateway-1", "processors-1", "processors-2", "checkpointer-1").forEach(local::awaitHealthy);
        Map<String, Object> producer =
                KafkaConnection.of("127.0.0.1:" + local.port("kafka-1", 9092), Optional.of(shop()));

        // when
        send(producer, "attestream.inbox.acme");

        // then
        Api auditor = new Api(local.url("gateway-1", 8080), Files.readString(token));
        await().atMost(COMMAND)
                .until(() -> auditor.get("/v1/epochs/latest", "application/json")
                                .json()
                                .at("/leaf/counts/events")
                                .asLong()
                        > 0);
        for (String topic : List.of("attestream.inbox.other", "attestream.events")) {
            assertThatThrownBy(() -> send(producer, topic)).hasMessageContaining("Not authorized");
        }
    }

    private static Path shop() {
        return scratch.resolve("secrets/kafka-shop.properties");
    }

    private static void send(Map<String, Object> settings, String topic) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            String event = "{\"specversion\":\"1.0\",\"id\":\"k\",\"source\":\"/shop\",\"type\":\"test\",\"data\":{}}";
            ProducerRecord<byte[], byte[]> record =
                    new ProducerRecord<>(topic, null, event.getBytes(StandardCharsets.UTF_8));
            record.headers().add("content-type", "application/cloudevents+json".getBytes(StandardCharsets.UTF_8));
            producer.send(record).get(30, TimeUnit.SECONDS);
        }
    }

    /** As at the next {@code docker compose up}. */
    @Test
    void initChangesNothingTheSecondTime() throws IOException {
        requireEnd("init");
        assertThat(local.process("init").logTail()).contains("nothing was changed");
    }

    /** The heap that the limit leaves would be said to be too small at the start, not when windows are full. */
    @Test
    void theMemoryOfACheckpointerIsEnoughForFullWindows() {
        for (String checkpointer : List.of("checkpointer-1", "checkpointer-2")) {
            local.awaitHealthy(checkpointer);
            assertThat(local.process(checkpointer).log()).content().doesNotContain("raise -Xmx");
        }
    }

    /** A broker takes a setting that it does not know without a word. */
    @Test
    void everyVariableOfABrokerIsASettingOfKafka() throws Exception {
        Set<?> known = settingsOfKafka();
        assertThat(known).hasSizeGreaterThan(100);
        assertThat(Compose.read().service("kafka-1").environment().keySet().stream()
                        .filter(variable -> variable.startsWith("KAFKA_"))
                        .filter(variable -> !variable.equals(LocalCompose.JVM_OPTIONS))
                        .map(variable -> variable.substring("KAFKA_".length())
                                .toLowerCase(Locale.ROOT)
                                .replace('_', '.')
                                .replaceFirst("^listener\\.name\\.(clients|brokers|controller)\\.", "")
                                .replaceFirst("^(plain|oauthbearer)\\.", ""))
                        .filter(setting -> !OF_PLUGINS.contains(setting)))
                .hasSizeGreaterThan(10)
                .allSatisfy(setting ->
                        assertThat(known.contains(setting)).as(setting).isTrue());
    }

    private static Set<?> settingsOfKafka() throws Exception {
        List<URL> jars = new ArrayList<>();
        try (Stream<Path> files = Files.list(Installation.find().brokerLib())) {
            for (Path file : files.toList()) {
                jars.add(file.toUri().toURL());
            }
        }
        try (URLClassLoader broker =
                new URLClassLoader(jars.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Object definition = broker.loadClass("org.apache.kafka.server.config.AbstractKafkaConfig")
                    .getField("CONFIG_DEF")
                    .get(null);
            return (Set<?>) definition.getClass().getMethod("names").invoke(definition);
        }
    }

    private static String working() {
        List<String> working = Stream.of("checkpointer-1", "checkpointer-2")
                .filter(name -> local.process(name).isAlive())
                .filter(name -> metrics(name, 8082).contains("attestream_checkpointer_"))
                .toList();
        assertThat(working).hasSize(1);
        return working.get(0);
    }

    private static String metrics(String service, int port) {
        return new Api(local.url(service, port), null)
                .require("/metrics", "text/plain")
                .text();
    }

    /** Sends an event to one gateway, waits for its proof at the other, and verifies it. */
    private static void prove(String id, String door, String reader) throws Exception {
        Path event = Files.writeString(
                scratch.resolve(id + ".json"),
                "{\"specversion\":\"1.0\",\"id\":\"" + id
                        + "\",\"source\":\"/compose\",\"type\":\"test\",\"data\":{}}");
        Path bundle = scratch.resolve(id + ".attest.json");
        String sent =
                run("append", "--url", url(door), "--token-file", token.toString(), "-o", "json", event.toString());
        String receipt = JSON.readTree(sent).at("/results/0/receipt/href").asText();
        String published = run(
                "receipt",
                "--url",
                url(reader),
                "--token-file",
                token.toString(),
                receipt,
                "--wait",
                "60",
                "--save",
                bundle.toString(),
                "-o",
                "json");
        assertThat(JSON.readTree(published).path("status").asText()).isEqualTo("leaf");
        run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", ledgerKey);
    }

    private static String url(String gateway) {
        URI url = local.url(gateway, 8080);
        return url.toString();
    }

    private static String run(String... arguments) throws Exception {
        Script.Ended ended = Script.run(scratch, COMMAND, arguments);
        assertThat(ended.exitCode())
                .as(String.join(" ", arguments) + "\n" + ended.out() + ended.err())
                .isZero();
        return ended.out();
    }
}
