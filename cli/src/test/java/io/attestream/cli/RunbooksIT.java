// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.FreePorts;
import io.attestream.checkpointer.monitor.CheckpointSource;
import io.attestream.checkpointer.monitor.HttpCheckpointSource;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorResult;
import io.attestream.checkpointer.monitor.MonitorResult.ViolationKind;
import io.attestream.checkpointer.monitor.MonitorState;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.Continuation;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSignature;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Follows the runbooks on one cluster: each command on one that is well, and pages in the situation they are for. */
@Tag("runbooks")
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class RunbooksIT {
    /** Of no alert: they change the cluster, and are followed by tests of their own, here and in {@link RunbooksOfLossIT}. */
    private static final Set<String> SITUATIONS =
            Set.of("AddingPartitions", "KeyRotation", "RegionLoss", "Restore", "Upgrading");
    /** They do not end. */
    private static final Pattern RUNS_ON = Pattern.compile("./attestream (up |monitor .*--metrics-port).*");

    private static final List<String> SERVICES = List.of("checkpointer", "processors-0", "gateway-0");

    @TempDir
    private static Path scratch;

    private static OnCall onCall;

    @BeforeAll
    static void startCluster() throws Exception {
        onCall = new OnCall(scratch, data());
        onCall.follow(List.of(
                "./attestream up --data-dir " + data(),
                "./attestream append --data-dir " + data() + " samples/github-webhooks.ndjson"));
    }

    @AfterAll
    static void stop() throws Exception {
        onCall.close();
    }

    private static Path data() {
        return scratch.resolve("data");
    }

    private static List<String> pages() throws IOException {
        try (Stream<Path> files = Files.list(Script.HOME.resolve("runbooks"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".md"))
                    .map(name -> name.replace(".md", ""))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void everyCommandOfEveryAlertsPageWorks() throws Exception {
        assertThat(pages()).containsAll(SITUATIONS);
        Set<String> commands = new TreeSet<>();
        for (String page : pages()) {
            if (!SITUATIONS.contains(page)) {
                for (String section : List.of("Diagnosis", "Mitigation", "Verification")) {
                    commands.addAll(Runbook.read(OnCall.page(page)).commands(section, data()));
                }
            }
        }
        commands.removeIf(command -> RUNS_ON.matcher(command).matches());
        assertThat(commands).hasSizeGreaterThan(5);
        onCall.follow(List.copyOf(commands));
    }

    /** One that is gone, and one that stands still: both are started again by the same words. */
    @ParameterizedTest
    @CsvSource({
        "processors-0, KILL, AttestreamProcessDown",
        "checkpointer, STOP, SLOCheckpointFreshness",
        "gateway-0, KILL, SLOErrorRate",
        "processors-0, STOP, SLOProofLatencyP95",
        "broker, STOP, SLOIngestLatencyP95"
    })
    void aProcessThatDoesNotWorkIsBackAfterTheMitigationOfItsPage(String name, String signal, String alert)
            throws Exception {
        // given
        long pid = onCall.pid(name);
        onCall.signal(signal, name);
        await().atMost(60, TimeUnit.SECONDS).until(() -> !onCall.isReady(name));

        // when
        onCall.follow(alert, "Mitigation");

        // then
        assertThat(onCall.isReady(name)).isTrue();
        assertThat(onCall.pid(name)).isNotEqualTo(pid);
        onCall.follow(alert, "Verification");
    }

    /** Diagnosis names it, mitigation mends it, verification says so. */
    @ParameterizedTest
    @ValueSource(strings = {"AttestreamStorageDamaged", "SLOIntegrityViolated"})
    void damagedStorageIsMendedAsItsPageSays(String alert) throws Exception {
        // given
        Path segment;
        try (Stream<Path> segments = Files.list(data().resolve("objects/segments"))) {
            // Not the newest: what is not published yet is not looked at, and the checkpointer would stop at it.
            List<Path> sorted = segments.filter(file -> file.toString().endsWith(".seg"))
                    .sorted()
                    .toList();
            segment = sorted.get(sorted.size() - 2);
        }
        byte[] bytes = Files.readAllBytes(segment);
        bytes[bytes.length / 2] ^= 1;
        Files.write(segment, bytes);

        // then
        for (String command : onCall.commands(alert, "Diagnosis")) {
            boolean looks = command.startsWith("./attestream fsck");
            assertThat(onCall.run(command)).as(command).isEqualTo(looks ? ExitCode.VERIFICATION_FAILED : ExitCode.OK);
        }
        onCall.follow(alert, "Mitigation");
        onCall.follow(alert, "Verification");
    }

    /** It says so as long as it is there, and is back once what it names was put right and its page was followed. */
    @Test
    void aCheckpointerThatStopsInDoubtIsBackAfterTheMitigationOfItsPage() throws Exception {
        // given a topic that would forget
        String restart = "./attestream restart --data-dir " + data() + " checkpointer";
        setRetention("3600000");
        CompletableFuture<Integer> started = CompletableFuture.supplyAsync(() -> onCall.runUnchecked(restart));
        URI checkpointer =
                URI.create("http://127.0.0.1:" + onCall.cluster().ports().get("checkpointer"));
        await().atMost(60, TimeUnit.SECONDS)
                .ignoreExceptions()
                .until(() -> new Api(checkpointer, null)
                        .get("/metrics", "text/plain")
                        .text()
                        .contains("attestream_doubt 1.0"));
        assertThat(started.get(2, TimeUnit.MINUTES)).isNotZero();
        onCall.run(onCall.commands("AttestreamStoppedInDoubt", "Diagnosis").get(0));

        // when
        setRetention("-1");
        onCall.follow("AttestreamStoppedInDoubt", "Mitigation");

        // then
        assertThat(onCall.isReady("checkpointer")).isTrue();
        onCall.follow("AttestreamStoppedInDoubt", "Verification");
    }

    private static void setRetention(String millis) throws Exception {
        ConfigResource events = new ConfigResource(ConfigResource.Type.TOPIC, "attestream.events");
        AlterConfigOp retention = new AlterConfigOp(new ConfigEntry("retention.ms", millis), AlterConfigOp.OpType.SET);
        try (Admin admin = Admin.create(
                Map.<String, Object>of("bootstrap.servers", onCall.cluster().bootstrapServers()))) {
            admin.incrementalAlterConfigs(Map.of(events, List.of(retention)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void aMonitorIsStartedAsItsPageSaysAndItsCanariesAreProved() throws Exception {
        // given
        int port = FreePorts.pick();
        List<String> commands = onCall.commands("AttestreamNotMonitored", "Mitigation");
        assertThat(commands).singleElement().asString().contains("--metrics-port 9402 ");

        // when
        Process monitor = new ProcessBuilder(
                        "sh", "-euc", "exec " + commands.get(0).replace("9402", Integer.toString(port)))
                .directory(Script.HOME.toFile())
                .redirectErrorStream(true)
                .redirectOutput(scratch.resolve("monitor.log").toFile())
                .start();

        // then
        try {
            Api metrics = new Api(URI.create("http://127.0.0.1:" + port), null);
            await().atMost(60, TimeUnit.SECONDS)
                    .ignoreExceptions()
                    .until(() -> Pattern.compile("attestream_canary_seconds_count\\{outcome=\"verified\"} [1-9]")
                            .matcher(metrics.get("/metrics", "text/plain").text())
                            .find());
        } finally {
            monitor.destroy();
            assertThat(monitor.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void tokensAndTheInternalSecretAreReplacedAsTheirPageSays() throws Exception {
        // given
        List<List<String>> mitigation = onCall.blocks("KeyRotation", "Mitigation");
        String token = onCall.token("auditor");
        String secret =
                LocalFiles.readText(data().resolve("keys/internal.secret")).strip();
        onCall.follow("KeyRotation", "Diagnosis");

        // when rotated in its turn
        onCall.follow(mitigation.get(0));

        // then the old token holds, and the new one does
        String second = onCall.token("auditor");
        assertThat(second).isNotEqualTo(token);
        assertThat(statusOfALeaf(token)).isEqualTo(200);
        assertThat(statusOfALeaf(second)).isEqualTo(200);

        // when the first leaked
        onCall.follow(mitigation.get(1));

        // then it holds no more
        assertThat(statusOfALeaf(token)).isEqualTo(401);
        assertThat(statusOfALeaf(second)).isEqualTo(200);
        assertThat(statusOfALeaf(onCall.token("auditor"))).isEqualTo(200);

        // when
        onCall.follow(mitigation.get(2));

        // then
        Api processors = new Api(
                URI.create("http://127.0.0.1:" + onCall.cluster().ports().get("processors-0")), secret);
        assertThat(processors.get("/internal/v1/ledger/checkpoint", "*/*").status())
                .isEqualTo(401);
        onCall.follow("KeyRotation", "Verification");
    }

    /** The drill for a leaked key: what somebody signs who has it is a fork until a newer one is announced, and nothing from then on. */
    @Test
    void theLedgersKeysFollowEachOtherAsTheirPageSaysAndWhoHasAnOldOneForgesInVain() throws Exception {
        // given
        List<List<String>> mitigation = onCall.blocks("KeyRotation", "Mitigation");
        assertThat(mitigation).hasSize(8);
        NoteSigner thief = Bootstrap.read(data().resolve("keys/ledger.skey"));
        Monitor monitor = monitor(thief.verifier());
        Path old =
                Files.writeString(data().resolve("old.checkpoint"), newestNote().encode());

        // then: it verifies, and does not fit what others have
        assertThat(look(monitor, thief)).isEqualTo(ViolationKind.LEDGER_FORKED);
        assertThat(consistency(thief)).contains("history was rewritten");

        // when the next key is announced
        onCall.follow(mitigation.get(3));
        NoteSigner second = Bootstrap.read(data().resolve("keys/ledger-2.skey"));
        awaitSigners(thief, second);

        // then
        assertThat(look(monitor, thief)).isEqualTo(ViolationKind.NOT_SIGNED);
        assertThat(consistency(thief)).contains("signed by an older key only");

        // when it is retired
        onCall.follow(mitigation.get(4));
        onCall.follow(mitigation.get(5));
        awaitSigners(second);

        // then
        assertThat(look(monitor, thief)).isEqualTo(ViolationKind.NOT_SIGNED);
        assertThat(consistency(thief)).contains("is retired from epoch");

        // when the second leaked
        onCall.follow(mitigation.get(6));
        onCall.follow(mitigation.get(7));
        awaitSigners(Bootstrap.read(data().resolve("keys/ledger-3.skey")));

        // then
        assertThat(look(monitor, second)).isEqualTo(ViolationKind.NOT_SIGNED);
        assertThat(consistency(second)).contains("is retired from epoch");
        assertThat(monitor.check()).isInstanceOf(MonitorResult.Ok.class);
        onCall.follow("KeyRotation", "Diagnosis");
        onCall.follow("KeyRotation", "Verification");
        // and a checkpoint of before the first change is still consistent with the newest
        Path newer = data().resolve("newer.json");
        assertThat(onCall.run("./attestream consistency --data-dir " + data() + " " + old + " --save " + newer))
                .isZero();
        assertThat(Continuation.parse(Files.readAllBytes(newer)).note())
                .isEqualTo(newestNote().encode());
        requireForgeriesOfThePastAreTold(thief);
    }

    /** Sizes are what a thief writes: those of the time of his key verify, and say that they prove nothing by themselves. */
    private static void requireForgeriesOfThePastAreTold(NoteSigner thief) throws Exception {
        KeyHistory keys = LedgerKeys.told(onCall.api("auditor"), KeyHistory.of(thief.verifier()));
        long announced = keys.changes().get(0).epoch();
        for (long size = 1; size <= announced + 2; size++) {
            Checkpoint forged = new Checkpoint(thief.keyName(), new TreeSize(size), Rfc6962.EMPTY_ROOT);
            boolean isRejected =
                    keys.verify(SignedNote.sign(forged.text(), thief)) instanceof NoteVerification.Rejected;
            assertThat(isRejected).as("size %s", size).isEqualTo(size > announced);
            assertThat(isRejected || !keys.isCurrent(forged)).isTrue();
        }
    }

    private static Monitor monitor(NoteVerifier first) throws Exception {
        Monitor monitor = new Monitor(
                first.keyName(), first, source(Optional.empty()), MonitorState.initial(first.keyName(), first));
        assertThat(monitor.check()).isInstanceOf(MonitorResult.Ok.class);
        return monitor;
    }

    /** The gateway, with another checkpoint. */
    private static CheckpointSource source(Optional<String> checkpoint) throws IOException {
        Api api = onCall.api("auditor");
        HttpCheckpointSource gateway = new HttpCheckpointSource(api.base(), api.token());
        return new CheckpointSource() {
            @Override
            public Optional<byte[]> checkpoint() throws IOException {
                return checkpoint.isPresent()
                        ? checkpoint.map(note -> note.getBytes(StandardCharsets.UTF_8))
                        : gateway.checkpoint();
            }

            @Override
            public Optional<byte[]> epoch(long epoch) throws IOException {
                return gateway.epoch(epoch);
            }

            @Override
            public Optional<byte[]> keys() throws IOException {
                return gateway.keys();
            }

            @Override
            public Optional<byte[]> shardConsistency(int shard, long from, long to) throws IOException {
                return gateway.shardConsistency(shard, from, to);
            }
        };
    }

    /** What the monitor, up to date, says of a forged checkpoint. */
    private static ViolationKind look(Monitor monitor, NoteSigner thief) throws IOException {
        await().atMost(60, TimeUnit.SECONDS)
                .until(() -> monitor.check() instanceof MonitorResult.Ok ok && ok.newEpochs() == 0);
        NoteVerifier first = monitor.state().keys().first();
        MonitorResult result =
                new Monitor(first.keyName(), first, source(Optional.of(forged(thief))), monitor.state()).check();
        assertThat(result).isInstanceOf(MonitorResult.Violation.class);
        return ((MonitorResult.Violation) result).kind();
    }

    /** Of the size of the newest, with another root. */
    private static String forged(NoteSigner thief) throws IOException {
        Checkpoint newest = newest();
        Hash root = Rfc6962.leafHash(thief.keyName().getBytes(StandardCharsets.UTF_8));
        return SignedNote.sign(new Checkpoint(thief.keyName(), newest.size(), root).text(), thief)
                .encode();
    }

    private static SignedNote newestNote() throws IOException {
        try {
            return SignedNote.parse(onCall.api("auditor")
                    .require("/v1/checkpoint", "text/plain")
                    .text());
        } catch (InvalidFormat e) {
            throw new AssertionError(e);
        }
    }

    private static Checkpoint newest() throws IOException {
        try {
            return Checkpoint.parse(newestNote().text());
        } catch (InvalidFormat e) {
            throw new AssertionError(e);
        }
    }

    /** What an auditor is told who kept the forged checkpoint. */
    private static String consistency(NoteSigner thief) throws Exception {
        Path kept = Files.writeString(scratch.resolve("forged.checkpoint"), forged(thief));
        Path said = scratch.resolve("consistency.txt");
        int exitCode = onCall.run("./attestream consistency --data-dir " + data() + " " + kept + " >" + said + " 2>&1");
        assertThat(exitCode).isEqualTo(ExitCode.VERIFICATION_FAILED);
        return Files.readString(said);
    }

    /** Sends, and verifies, events until exactly these keys sign. */
    private static void awaitSigners(NoteSigner... signers) throws IOException {
        NoteVerifier first = Bootstrap.read(data().resolve("keys/ledger.skey")).verifier();
        Canary canary = new Canary(onCall.api("ingester"), onCall.api("auditor"), KeyHistory.of(first));
        List<Integer> ids =
                Stream.of(signers).map(signer -> signer.verifier().keyId()).toList();
        await().atMost(120, TimeUnit.SECONDS).until(() -> {
            Canary.Outcome sent = canary.send();
            assertThat(sent).isNotIn(Canary.Outcome.DOES_NOT_VERIFY, Canary.Outcome.LOST);
            return sent == Canary.Outcome.VERIFIED
                    && newestNote().signatures().stream()
                            .map(NoteSignature::keyId)
                            .toList()
                            .equals(ids);
        });
    }

    /** Checkpoints are public, leaves are not. */
    private static int statusOfALeaf(String token) throws IOException {
        return new Api(URI.create(onCall.cluster().url()), token)
                .get("/v1/events/0/0", "application/json")
                .status();
    }

    @Test
    void everyServiceIsReplacedUnderLoadAsThePageOnUpgradingSaysAndNothingIsLost() throws Exception {
        // given
        Map<String, Long> before = pids();
        onCall.follow("Upgrading", "Diagnosis");
        Map<String, String> acknowledged;
        try (Producers load = new Producers(
                        List.of(URI.create(onCall.cluster().url())), onCall.token("ingester"), "upgrade-")
                .start(1)) {
            await().atMost(60, TimeUnit.SECONDS).until(() -> load.acknowledgedCount() > 20);

            // when
            onCall.follow("Upgrading", "Mitigation");

            // then
            int count = load.acknowledgedCount();
            await().atMost(60, TimeUnit.SECONDS).until(() -> load.acknowledgedCount() > count);
            acknowledged = load.acknowledged();
            assertThat(load.broken()).isEmpty();
        }
        pids().forEach((name, pid) -> assertThat(pid).as(name).isNotEqualTo(before.get(name)));
        onCall.follow("Upgrading", "Verification");
        Api api = onCall.api("auditor");
        assertThat(acknowledged)
                .allSatisfy((id, receipt) -> await(id)
                        .pollDelay(Duration.ZERO)
                        .atMost(60, TimeUnit.SECONDS)
                        .untilAsserted(() -> assertThat(
                                        api.get(receipt, "application/json").status())
                                .isEqualTo(200)));
        System.out.println(acknowledged.size() + " events were acknowledged meanwhile");
    }

    private static Map<String, Long> pids() throws IOException {
        Map<String, Long> pids = new HashMap<>();
        for (String name : SERVICES) {
            pids.put(name, onCall.pid(name));
        }
        return pids;
    }
}
