// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.LedgerBootstrap;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import io.attestream.proofs.control.Rules;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.topics.TopicContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole ledger on brokers that ask everybody for a token, and producers who would like to do more than they may. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KafkaAccessIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Topics TOPICS = new Topics(Topics.DEFAULT_PREFIX);
    private static final String OWN = "demo";
    private static final String FOREIGN = "acme";
    private static final int WAIT_SECONDS = 60;

    @TempDir
    private static Path scratch;

    private static LocalCluster cluster;

    @BeforeAll
    static void start() {
        Bootstrap bootstrap = new Bootstrap(OptionalLong.of(1 << 16));
        cluster = LocalCluster.start(new LocalCluster.Options(
                        scratch.resolve("data"),
                        2,
                        1,
                        1,
                        environment -> {
                            LedgerBootstrap.Identity identity = bootstrap.prepare(environment);
                            createInbox(environment);
                            return identity;
                        },
                        line -> {},
                        Map.of("processors", Map.of("ATTESTREAM_ADMISSION_TENANTS", OWN + "," + FOREIGN)),
                        false)
                .withTopology(new LocalCluster.Topology(1, false).withSecurity()));
    }

    private static void createInbox(LedgerBootstrap.Environment environment) {
        try (Admin admin =
                Admin.create(KafkaConnection.of(environment.bootstrapServers(), environment.kafkaConfig()))) {
            new TopicContract(TOPICS, environment.shards(), Rules.DEFAULT_MAX_PAYLOAD_BYTES, true)
                    .createInboxes(admin, List.of(FOREIGN));
        } catch (KafkaConnection.Refused e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    // ---- what must go

    @Test
    void aLedgerWorksWithNoMorePermissionsThanItNeeds() throws Exception {
        // given
        Api auditor = api("auditor");

        // when one event comes in by HTTP and one by Kafka, and the processors start again
        long before = events(auditor);
        append(event("http", "/http"));
        send(producer(), TOPICS.inbox(OWN), event("kafka", "/kafka"));
        await().atMost(WAIT_SECONDS, TimeUnit.SECONDS).until(() -> events(auditor) == before + 2);
        cluster.process("processors-0").kill();
        cluster.startAgain("processors-0");
        send(producer(), TOPICS.inbox(OWN), event("kafka again", "/kafka"));

        // then
        await().atMost(WAIT_SECONDS, TimeUnit.SECONDS).until(() -> events(auditor) == before + 3);
        assertThat(refusals()).isEmpty();
        await().atMost(WAIT_SECONDS, TimeUnit.SECONDS).until(() -> lagIsKnown("attestream.sequencer.g1"));
        Script.Ended lag = run("lag", "--data-dir", cluster.data().toString(), "-o", "json");
        assertThat(lag.exitCode()).as(lag.err()).isZero();
        assertThat(lag.out())
                .contains("attestream.sequencer.g1", "attestream.admission")
                .doesNotContain("not answered");
    }

    /** As the gateway sees it: it may read a record at the offset of the group. */
    private static boolean lagIsKnown(String group) {
        JsonNode look = new Api(URI.create(cluster.managementUrl(0) + "/lag"), null)
                .require("", "application/json")
                .json();
        for (JsonNode one : look.path("groups")) {
            if (one.path("group").asText().equals(group)) {
                return one.path("seconds").isNumber();
            }
        }
        return false;
    }

    private static void append(String event) throws Exception {
        String token = Files.readString(ClusterFile.tokenFile(cluster.data(), "ingester"))
                .strip();
        HttpRequest request = HttpRequest.newBuilder(URI.create(cluster.gatewayUrl(0) + "/v1/events"))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/cloudevents+json")
                .POST(HttpRequest.BodyPublishers.ofString(event))
                .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
    }

    private static Script.Ended run(String... arguments) throws Exception {
        return Script.run(scratch, Duration.ofSeconds(WAIT_SECONDS), arguments);
    }

    /** Lines in the logs of our services of something they were not allowed to do. */
    private static List<String> refusals() throws IOException {
        List<String> refusals = new ArrayList<>();
        for (String service : cluster.services()) {
            try (Stream<String> lines =
                    Files.lines(cluster.data().resolve("logs").resolve(service + ".log"))) {
                lines.filter(line -> line.matches("(?i).*(not authorized|authorization(exception| failed)).*"))
                        .map(line -> service + ": " + line)
                        .forEach(refusals::add);
            }
        }
        return refusals;
    }

    @Test
    void theCommandFindsWhatIsTooMuchAndWhatIsMissing() throws Exception {
        // given
        assertThat(check().exitCode()).isZero();
        AclBinding foreign = allow("User:mallory", AclOperation.WRITE, TOPICS.events());
        AclBinding needed = allow("User:attestream-gateway", AclOperation.WRITE, TOPICS.events());
        try (Admin admin = Admin.create(operator())) {
            // when
            admin.createAcls(List.of(foreign)).all().get(30, TimeUnit.SECONDS);
            Script.Ended tooMuch = check();
            admin.deleteAcls(List.of(foreign.toFilter())).all().get(30, TimeUnit.SECONDS);
            admin.deleteAcls(List.of(needed.toFilter())).all().get(30, TimeUnit.SECONDS);
            Script.Ended missing = check();
            Script.Ended applied = run(acls("apply"));

            // then
            assertThat(tooMuch.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
            assertThat(tooMuch.out()).contains("TOO MUCH").contains("User:mallory");
            assertThat(missing.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
            assertThat(missing.out()).contains("missing").contains("User:attestream-gateway");
            assertThat(applied.out()).contains("1 added");
            assertThat(check().exitCode()).isZero();
        }
    }

    private static AclBinding allow(String principal, AclOperation operation, String topic) {
        return new AclBinding(
                new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                new AccessControlEntry(principal, "*", operation, AclPermissionType.ALLOW));
    }

    private static Script.Ended check() throws Exception {
        return run(acls("check"));
    }

    private static String[] acls(String what) {
        List<String> arguments = new ArrayList<>(List.of(
                "acls",
                what,
                "--bootstrap-servers",
                cluster.bootstrapServers(),
                "--command-config",
                cluster.kafkaConfig("operator").orElseThrow().toString(),
                "--producer",
                "attestream-producer=" + OWN));
        for (String role : List.of("admission", "sequencer", "proofs")) {
            Collections.addAll(arguments, "--service", role + "=attestream-processors");
        }
        return arguments.toArray(String[]::new);
    }

    // ---- a producer who would like more

    @ParameterizedTest
    @ValueSource(
            strings = {
                "attestream.events",
                "attestream.sealed",
                "attestream.outcomes",
                "attestream.checkpoints",
                "attestream.inbox-outcomes",
                "attestream.inbox.acme",
                "attestream.sequencer.g1-edge-changelog",
                "__consumer_offsets"
            })
    void aProducerCanNeitherWriteNorReadBesideItsInbox(String topic) throws Exception {
        assertThatThrownBy(() -> send(producer(), topic, event("foreign", "/foreign")))
                .isInstanceOfAny(ExecutionException.class, AuthorizationException.class)
                .hasMessageContaining("authoriz");
        assertThatThrownBy(() -> readFirst(producer(), topic)).isInstanceOf(AuthorizationException.class);
    }

    @Test
    void aProducerCannotEvenReadItsInboxOrJoinTheGroupThatDoes() throws Exception {
        assertThatThrownBy(() -> readFirst(producer(), TOPICS.inbox(OWN))).isInstanceOf(AuthorizationException.class);
        Map<String, Object> member = new HashMap<>(producer());
        member.put("group.id", TOPICS.admissionGroup());
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(member, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(TOPICS.inbox(OWN)));
            assertThatThrownBy(() -> consumer.poll(Duration.ofSeconds(30))).isInstanceOf(AuthorizationException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mine", "attestream.checkpointer", "attestream.sequencer.g1-x"})
    void aProducerCanOpenNoTransactionThatOthersWouldWaitFor(String transactionalId) throws Exception {
        Map<String, Object> settings = new HashMap<>(producer());
        settings.put("transactional.id", transactionalId);
        try (KafkaProducer<byte[], byte[]> producer = writer(settings)) {
            assertThatThrownBy(producer::initTransactions).isInstanceOf(TransactionalIdAuthorizationException.class);
        }
    }

    @Test
    void aProducerCanChangeNoTopicAndNoPermission() throws Exception {
        ConfigResource inbox = new ConfigResource(ConfigResource.Type.TOPIC, TOPICS.inbox(OWN));
        AlterConfigOp retention = new AlterConfigOp(new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.SET);
        try (Admin admin = Admin.create(producer())) {
            assertThatThrownBy(() -> admin.createTopics(List.of(new NewTopic("attestream.inbox.evil", 1, (short) 1)))
                            .all()
                            .get())
                    .hasCauseInstanceOf(AuthorizationException.class);
            assertThatThrownBy(() ->
                            admin.deleteTopics(List.of(TOPICS.inbox(OWN))).all().get())
                    .hasCauseInstanceOf(AuthorizationException.class);
            assertThatThrownBy(() -> admin.incrementalAlterConfigs(Map.of(inbox, List.of(retention)))
                            .all()
                            .get())
                    .hasCauseInstanceOf(AuthorizationException.class);
            assertThatThrownBy(() -> admin.deleteRecords(
                                    Map.of(new TopicPartition(TOPICS.inbox(OWN), 0), RecordsToDelete.beforeOffset(-1)))
                            .all()
                            .get())
                    .hasCauseInstanceOf(AuthorizationException.class);
            AclBinding greedy = allow("User:attestream-producer", AclOperation.ALL, TOPICS.events());
            assertThatThrownBy(() -> admin.createAcls(List.of(greedy)).all().get())
                    .hasCauseInstanceOf(AuthorizationException.class);
        }
    }

    @Test
    void whatARecordSaysOfTenantActorAndTimeIsNotBelieved() throws Exception {
        // given a record that says it is of another tenant, sent by somebody else, before there was time
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                TOPICS.inbox(OWN), null, 0L, null, event("claims", "/claims").getBytes(StandardCharsets.UTF_8));
        record.headers().add("content-type", "application/cloudevents+json".getBytes(StandardCharsets.UTF_8));
        for (String claimed : List.of("tenant", "ce_tenant", "actor", "sub")) {
            record.headers().add(claimed, FOREIGN.getBytes(StandardCharsets.UTF_8));
        }
        Api auditor = api("auditor");
        long before = events(auditor);

        // when
        try (KafkaProducer<byte[], byte[]> producer = writer(producer())) {
            producer.send(record).get(30, TimeUnit.SECONDS);
        }
        await().atMost(WAIT_SECONDS, TimeUnit.SECONDS).until(() -> events(auditor) == before + 1);

        // then the entry of the ledger's newest leaf with that source names the inbox's tenant
        JsonNode entry = entryOf(auditor, "/claims");
        assertThat(entry.path("log").path("tenant").asText()).isEqualTo(OWN);
        assertThat(entry.path("log").path("actor").asText()).doesNotContain(FOREIGN);
        assertThat(entry.path("log").path("time").asText()).doesNotStartWith("1970");
    }

    private static JsonNode entryOf(Api auditor, String source) throws IOException {
        for (int shard = 0; shard < 2; shard++) {
            for (int index = 1; ; index++) {
                Api.Reply reply = auditor.get("/v1/events/" + shard + "/" + index, "application/json");
                if (reply.status() != 200) {
                    break;
                }
                JsonNode entry = JSON.readTree(reply.json().path("entry").binaryValue());
                if (entry.path("event").path("source").asText().equals(source)) {
                    return entry;
                }
            }
        }
        throw new AssertionError("no entry of " + source);
    }

    // ---- what nobody is to read

    /** After all that was done above, refusals and restarts among it. */
    @Test
    @Order(Integer.MAX_VALUE)
    void noSecretIsInLogsMetricsOrCommandLines() throws Exception {
        // given
        Map<String, String> secrets = secrets(cluster.data().resolve("keys"));
        assertThat(secrets.keySet())
                .contains("ledger.skey", "internal.secret", "content-tag.key", "kafka-gateway.secret", "admin.token")
                .hasSizeGreaterThan(12);

        // when
        Map<String, String> shown = shown();
        assertThat(shown.keySet()).contains("gateway-0.log", "metrics of gateway-0", "command of broker");

        // then
        assertThat(leaks(secrets, shown)).isEmpty();
        // Brokers log what hostile clients present.
        shown.keySet().removeIf(where -> where.equals("broker.log"));
        assertThat(shown)
                .allSatisfy((where, text) -> assertThat(text)
                        .as(where)
                        .doesNotContainPattern("eyJ[\\w-]{20,}\\.") // a token of any client
                        .doesNotContainPattern("Basic [\\w+/=]{20,}"));
        for (String name : secrets.keySet()) {
            Map<String, String> spoilt = new HashMap<>(shown);
            spoilt.merge("gateway-0.log", "line " + secrets.get(name) + "\n", String::concat);
            assertThat(leaks(secrets, spoilt)).as(name).contains(name + " in gateway-0.log");
        }
    }

    private static List<String> leaks(Map<String, String> secrets, Map<String, String> shown) {
        return secrets.entrySet().stream()
                .flatMap(secret -> shown.entrySet().stream()
                        .filter(text -> text.getValue().contains(secret.getValue()))
                        .map(text -> secret.getKey() + " in " + text.getKey()))
                .toList();
    }

    /** Every one of the local cluster, by its file; of those in several forms the part that is secret. */
    private static Map<String, String> secrets(Path keys) throws IOException {
        Map<String, String> secrets = new LinkedHashMap<>();
        try (Stream<Path> files = Files.list(keys)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = file.getFileName().toString();
                String text = Files.readString(file).strip();
                if (name.endsWith(".jwk")) {
                    List.of("d", "p", "q").forEach(part -> secrets.put(name + " " + part, json(text, part)));
                } else if (name.endsWith(".skey")) {
                    secrets.put(name, text.split("\\+", 5)[4]);
                } else if (!name.endsWith(".properties")) {
                    secrets.put(name, text);
                }
            }
        }
        for (String role : List.of("ingester", "auditor", "admin")) {
            secrets.put(
                    role + ".token",
                    Files.readString(ClusterFile.tokenFile(cluster.data(), role))
                            .strip());
        }
        return secrets;
    }

    private static String json(String text, String member) {
        try {
            return JSON.readTree(text).path(member).asText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What somebody sees who may look at logs, metrics and processes. */
    private static Map<String, String> shown() throws IOException {
        Map<String, String> shown = new LinkedHashMap<>();
        try (Stream<Path> logs = Files.list(cluster.data().resolve("logs"))) {
            for (Path log : logs.toList()) {
                shown.put(log.getFileName().toString(), Files.readString(log));
            }
        }
        for (String service : cluster.services()) {
            String url = service.startsWith("gateway")
                    ? cluster.managementUrl(0) + "/q/metrics"
                    : cluster.serviceUrl(service) + "/metrics";
            shown.put(
                    "metrics of " + service,
                    new Api(URI.create(url), null).require("", "text/plain").text());
        }
        for (ManagedProcess process : cluster.processes()) {
            Path command = Path.of("/proc", Long.toString(process.entry().pid()), "cmdline");
            shown.put("command of " + process.name(), Files.readString(command).replace('\0', ' '));
        }
        return shown;
    }

    // ---- who is not let in at all

    @Test
    void whoPresentsNothingIsNotLetIn() {
        Map<String, Object> nothing = new HashMap<>(KafkaConnection.of(cluster.bootstrapServers()));
        nothing.put("max.block.ms", 3_000);
        assertThatThrownBy(() -> send(nothing, TOPICS.inbox(OWN), event("nobody", "/nobody")))
                .hasCauseInstanceOf(TimeoutException.class);
    }

    @Test
    void onlyATokenOfTheIssuerForThisAudienceThatHasNotExpiredIsLetIn() throws Exception {
        // given
        RsaJsonWebKey key = (RsaJsonWebKey)
                JsonWebKey.Factory.newJwk(Files.readString(cluster.data().resolve("keys/identity-provider.jwk")));
        RsaJsonWebKey other = RsaJwkGenerator.generateJwk(2048);
        other.setKeyId(key.getKeyId());
        String good = rs256(claims(), key);
        String[] parts = good.split("\\.", -1);
        Map<String, String> bad = new LinkedHashMap<>();
        bad.put("expired", rs256(claims().replace("\"exp\":" + soon(), "\"exp\":1700000300"), key));
        bad.put("of another issuer", rs256(claims().replace("attestream.invalid", "other.invalid"), key));
        bad.put("for another audience", rs256(claims().replace("attestream-kafka", "attestream"), key));
        bad.put("for HTTP", cluster.identityProvider().token("attestream-producer", OWN, Duration.ofMinutes(5)));
        bad.put("without a subject", rs256(claims().replace("\"sub\"", "\"subject\""), key));
        bad.put("signed by another key of that name", rs256(claims(), other));
        bad.put("altered", parts[0] + "." + encoded(claims().replace("-producer", "-gateway")) + "." + parts[2]);
        bad.put("unsigned", encoded("{\"alg\":\"none\"}") + "." + parts[1] + ".");
        bad.put("signed with the public key as a password", hs256(claims(), key));

        // then
        send(presenting(good), TOPICS.inbox(OWN), event("token", "/token"));
        bad.forEach((what, token) -> assertThatThrownBy(
                        () -> send(presenting(token), TOPICS.inbox(OWN), event("token", "/token")))
                .as(what)
                .hasCauseInstanceOf(SaslAuthenticationException.class));
    }

    /** Brokers present a password under a name of their own, which is in the same space as those in tokens. */
    @Test
    void aNameInATokenMakesNobodyABroker() throws Exception {
        RsaJsonWebKey key = (RsaJsonWebKey)
                JsonWebKey.Factory.newJwk(Files.readString(cluster.data().resolve("keys/identity-provider.jwk")));
        for (String name : List.of("broker", "admin", "User:attestream-operator", "ANONYMOUS")) {
            String token = rs256(claims().replace("attestream-producer", name), key);

            assertThatThrownBy(() -> send(presenting(token), TOPICS.events(), event("name", "/name")))
                    .as(name)
                    .hasMessageContaining("Not authorized");
        }
    }

    private static long soon() {
        return 4_000_000_000L;
    }

    private static String claims() {
        return "{\"iss\":\"https://dev.attestream.invalid\",\"aud\":\"attestream-kafka\",\"sub\":\"attestream-producer\","
                + "\"iat\":1700000000,\"exp\":" + soon() + "}";
    }

    private static String rs256(String claims, RsaJsonWebKey key) throws JoseException {
        return signed(claims, AlgorithmIdentifiers.RSA_USING_SHA256, key.getPrivateKey(), key.getKeyId());
    }

    private static String hs256(String claims, RsaJsonWebKey key) throws JoseException {
        return signed(
                claims,
                AlgorithmIdentifiers.HMAC_SHA256,
                new HmacKey(key.getPublicKey().getEncoded()),
                key.getKeyId());
    }

    private static String signed(String claims, String algorithm, Key key, String keyId) throws JoseException {
        JsonWebSignature signature = new JsonWebSignature();
        signature.setPayload(claims);
        signature.setKey(key);
        signature.setKeyIdHeaderValue(keyId);
        signature.setAlgorithmHeaderValue(algorithm);
        return signature.getCompactSerialization();
    }

    private static Map<String, Object> presenting(String token) {
        Map<String, Object> settings = new HashMap<>(KafkaConnection.of(cluster.bootstrapServers()));
        settings.putAll(AnyToken.settings(token));
        return settings;
    }

    private static String encoded(String part) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(part.getBytes(StandardCharsets.UTF_8));
    }

    // ---- clients

    private static Map<String, Object> producer() throws KafkaConnection.Refused {
        return KafkaConnection.of(cluster.bootstrapServers(), cluster.kafkaConfig(LocalCluster.PRODUCER));
    }

    private static Map<String, Object> operator() throws KafkaConnection.Refused {
        return KafkaConnection.of(cluster.bootstrapServers(), cluster.kafkaConfig("operator"));
    }

    private static KafkaProducer<byte[], byte[]> writer(Map<String, Object> settings) {
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static void send(Map<String, Object> settings, String topic, String event) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = writer(settings)) {
            ProducerRecord<byte[], byte[]> record =
                    new ProducerRecord<>(topic, null, event.getBytes(StandardCharsets.UTF_8));
            record.headers().add("content-type", "application/cloudevents+json".getBytes(StandardCharsets.UTF_8));
            producer.send(record).get(30, TimeUnit.SECONDS);
        }
    }

    private static void readFirst(Map<String, Object> settings, String topic) {
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seek(partition, 0);
            consumer.poll(Duration.ofSeconds(10));
        }
    }

    private static String event(String id, String source) {
        return "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"" + source
                + "\",\"type\":\"t\",\"data\":{}}";
    }

    private static Api api(String role) throws IOException {
        return new Api(
                URI.create(cluster.gatewayUrl(0).toString()),
                Files.readString(ClusterFile.tokenFile(cluster.data(), role)).strip());
    }

    private static long events(Api auditor) {
        Api.Reply reply = auditor.get("/v1/epochs/latest", "application/json");
        return reply.status() == 200
                ? reply.json().path("leaf").path("counts").path("events").asLong()
                : 0;
    }
}
