// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.toxiproxy.Toxic;
import io.attestream.chaos.toxiproxy.ToxiproxyClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may be struck, what is written down before, and what is undone. */
class LocalTargetTest {
    private static final String SERVICE = "processors-0";

    @TempDir
    private Path data;

    private VictimCluster cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new VictimCluster(data);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private LocalTarget target() {
        return LocalTarget.of(data);
    }

    private Injection inject(Verb verb) {
        return target().inject(verb, SERVICE, Parameters.DEFAULT);
    }

    private void assertRefused(String reason, String next) throws IOException {
        assertThatThrownBy(() -> inject(Verb.PAUSE))
                .isInstanceOf(ChaosRefused.class)
                .hasMessageContaining(reason)
                .extracting(refused -> ((ChaosRefused) refused).next())
                .asString()
                .contains(next);
        cluster.awaitNotStopped();
    }

    // ---- who may be struck

    @Test
    void aClusterThatDoesNotAllowItIsRefused() throws Exception {
        cluster.write(Map.of("chaosAllowed", false));
        assertRefused("does not allow faults", "attestream up --chaos --data-dir " + data);
    }

    @Test
    void aDirectoryWithoutAClusterIsRefused() throws Exception {
        Files.delete(data.resolve("cluster.json"));
        assertRefused("holds no cluster", "attestream up --chaos --data-dir " + data);
    }

    @Test
    void whatIsNotOnLoopbackIsRefused() throws Exception {
        cluster.write(Map.of("bootstrapServers", "192.0.2.1:9092"));
        assertRefused("Kafka at kafka://192.0.2.1:9092 is not on this machine", "of this machine only");
        cluster.write(Map.of("bootstrapServers", "127.0.0.1:9092,192.0.2.1:9092"));
        assertRefused("Kafka at kafka://192.0.2.1:9092 is not on this machine", "of this machine only");
        cluster.write(Map.of("toxiproxyUrl", "http://192.0.2.1:8474"));
        assertRefused("Toxiproxy at http://192.0.2.1:8474", "of this machine only");
        cluster.write(Map.of("url", "http://192.0.2.1"));
        assertRefused("the gateway at http://192.0.2.1", "of this machine only");
    }

    @Test
    void aServiceThatIsNotThereIsRefused() {
        assertThatThrownBy(() -> target().inject(Verb.PAUSE, "processors-7", Parameters.DEFAULT))
                .isInstanceOf(ChaosRefused.class)
                .hasMessage("there is no service processors-7");
    }

    /** The process that had the id ended, and the id is somebody else's now. */
    @Test
    void aProcessOfAnotherLifeIsNotTouched() throws Exception {
        cluster.write(Map.of(
                "processes",
                List.of(Map.of("name", SERVICE, "pid", cluster.process.pid(), "startedAtMillis", 12_345))));
        assertRefused("does not run", "attestream restart " + SERVICE);
    }

    // ---- what is done and undone

    @Test
    void aPausedProcessStandsStillUntilItIsUndone() throws Exception {
        try (Injection injection = inject(Verb.PAUSE)) {
            cluster.awaitStopped();
            assertThat(cluster.journal()).content().contains("\"continue\"");
            assertThat(injection.details()).containsEntry("pid", Long.toString(cluster.process.pid()));
        }
        cluster.awaitNotStopped();
        assertThat(cluster.journal()).doesNotExist();
    }

    @Test
    void aProcessWithLittleTimeStopsAndGoesOnAgainAndAgain() throws Exception {
        try (Injection injection = inject(Verb.CPU)) {
            for (int i = 0; i < 3; i++) {
                await().pollInterval(Duration.ofMillis(2)).until(() -> cluster.state() == 'T');
                await().pollInterval(Duration.ofMillis(2)).until(() -> cluster.state() != 'T');
            }
        }
        cluster.awaitNotStopped();
    }

    /** Who ends it may have been told to hurry. */
    @Test
    void aThreadThatWasInterruptedUndoesAllOfItAndStaysInterrupted() throws Exception {
        // given
        Injection injection = inject(Verb.CPU);
        cluster.awaitStopped();

        // when
        Thread.currentThread().interrupt();
        injection.close();

        // then
        assertThat(Thread.interrupted()).isTrue();
        assertThat(injection.undone()).containsExactly("let processors-0 go on");
        cluster.awaitNotStopped();
        assertThat(cluster.journal()).doesNotExist();
    }

    @Test
    void whatGoesOnMeanwhileAndCannotBeEndedDoesNotKeepTheRestFromBeingUndone() throws Exception {
        Injection injection = inject(Verb.PAUSE);
        injection.whileItLasts(() -> {
            throw new IOException("it does not end");
        });
        assertThatThrownBy(injection::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("it does not end");
        cluster.awaitNotStopped();
        assertThat(cluster.journal()).doesNotExist();
    }

    @ParameterizedTest
    @EnumSource(names = {"PARTITION", "DELAY", "RESET", "BANDWIDTH"})
    void aNetworkFaultIsThereUntilItIsUndone(Verb verb) throws Exception {
        ToxiproxyClient client = new ToxiproxyClient(cluster.toxiproxy.url());
        String toxic = "chaos-" + verb.word() + "-down";
        try (Injection injection = inject(verb)) {
            assertThat(client.has("kafka-processors", toxic)).isTrue();
            assertThat(cluster.journal()).content().contains(toxic);
        }
        assertThat(client.has("kafka-processors", toxic)).isFalse();
    }

    @Test
    void aFaultThatFailsHalfWayIsUndone() throws Exception {
        // given a step that works and one that does not
        ToxiproxyClient client = new ToxiproxyClient(cluster.toxiproxy.url());
        Toxic toxic = Toxic.of("chaos-test", Toxic.Type.TIMEOUT, Toxic.Stream.UPSTREAM, Map.of("timeout", 0L));

        // when
        assertThatThrownBy(() -> Injection.begin(data, "test", "heal", injection -> {
                    injection.undoBy(
                            new Undo.RemoveToxic(cluster.toxiproxy.url().toString(), "kafka-processors", toxic.name()));
                    client.add("kafka-processors", toxic);
                    throw new IOException("the second step does not work");
                }))
                // then
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("what was done of it was undone")
                .hasMessageContaining("the second step does not work");
        assertThat(client.has("kafka-processors", toxic.name())).isFalse();
        assertThat(cluster.journal()).doesNotExist();
        inject(Verb.PAUSE).close();
    }

    @Test
    void aToxicOfSomebodyElseIsLeftAloneAndAFaultOfTheSameNameRefused() throws Exception {
        ToxiproxyClient client = new ToxiproxyClient(cluster.toxiproxy.url());
        String name = "chaos-partition-down";
        client.add("kafka-processors", Toxic.of(name, Toxic.Type.LATENCY, Toxic.Stream.DOWNSTREAM, Map.of()));
        assertThatThrownBy(() -> inject(Verb.PARTITION))
                .isInstanceOf(ChaosRefused.class)
                .hasMessageContaining("has a toxic " + name + " already");
        assertThat(client.has("kafka-processors", name)).isTrue();
        assertThat(client.has("kafka-processors", "chaos-partition-up")).isFalse();
        assertThat(cluster.journal()).doesNotExist();
    }

    /** A clock that is set changes what Java tells of it. */
    @Test
    void whenAProcessStartedIsNotToldByTheClock() throws Exception {
        double uptimeSeconds =
                Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ", -1)[0]);
        ClusterFile.ProcessEntry entry =
                ClusterFile.read(data).orElseThrow().processes().get(0);
        assertThat(entry.startedAtMillis()).isBetween(0L, (long) (uptimeSeconds * 1_000));
        assertThat(entry.find()).isPresent();
    }

    @Test
    void aServiceWithoutADiskOfItsOwnIsRefused() throws Exception {
        cluster.write(
                Map.of("processes", List.of(ClusterFile.ProcessEntry.of("gateway-0", cluster.process.toHandle()))));
        Files.createDirectories(data.resolve("objects"));
        assertThatThrownBy(() -> target().plan(Verb.DISK_FULL, "gateway-0", Parameters.DEFAULT))
                .isInstanceOf(ChaosRefused.class)
                .hasMessage("gateway-0 has no disk")
                .extracting(refused -> ((ChaosRefused) refused).next())
                .asString()
                .contains("checkpointer, which writes to the object store");
    }

    @Test
    void aDirectoryThatLeadsToAnotherDiskIsRefused(@TempDir Path elsewhere) throws Exception {
        Files.createSymbolicLink(data.resolve("state"), elsewhere);
        assertThatThrownBy(() -> target().plan(Verb.DISK_FULL, SERVICE, Parameters.DEFAULT))
                .isInstanceOf(ChaosRefused.class)
                .hasMessageContaining("is a link to " + elsewhere.toRealPath());
    }

    @Test
    void aDryRunTouchesNothing() throws Exception {
        for (Verb verb : List.of(Verb.PAUSE, Verb.CPU, Verb.PARTITION, Verb.DELAY)) {
            assertThat(target().plan(verb, SERVICE, Parameters.DEFAULT)).hasSizeGreaterThan(1);
        }
        cluster.awaitNotStopped();
        assertThat(new ToxiproxyClient(cluster.toxiproxy.url()).has("kafka-processors", "chaos-delay-down"))
                .isFalse();
        try (Stream<Path> files = Files.list(data)) {
            assertThat(files).containsExactly(data.resolve("cluster.json"));
        }
    }

    @Test
    void whatSomebodyElseMendedIsNotUndone() throws Exception {
        try (Injection injection = inject(Verb.PAUSE)) {
            injection.mendedByOthers();
        }
        cluster.awaitStopped();
        assertThat(cluster.journal()).doesNotExist();
        inject(Verb.PAUSE).close();
    }

    // ---- one at a time

    @Test
    void aSecondFaultIsRefusedWhileThereIsOne() throws Exception {
        try (Injection injection = inject(Verb.DELAY)) {
            assertRefused("another fault is under way", "Ctrl-C");
            assertThatThrownBy(() -> Injection.heal(data)).isInstanceOf(ChaosRefused.class);
        }
        inject(Verb.PAUSE).close();
    }

    /** Only the journal is left, as of a process that was killed. */
    @Test
    void whatAKilledProcessLeftIsUndoneByHealAndNothingElseBeginsBefore() throws Exception {
        // given
        Injection injection = inject(Verb.PAUSE);
        byte[] journal = Files.readAllBytes(cluster.journal());
        injection.mendedByOthers();
        injection.close();
        Files.write(cluster.journal(), journal);
        cluster.awaitStopped();

        // then
        assertThatThrownBy(() -> inject(Verb.DELAY))
                .isInstanceOf(ChaosRefused.class)
                .hasMessageContaining("was never undone: pause processors-0");
        assertThat(Injection.heal(data)).containsExactly("let processors-0 go on");
        cluster.awaitNotStopped();
        assertThat(Injection.heal(data)).isEmpty();
        inject(Verb.DELAY).close();
    }

    /** What fails does not keep the rest from being undone, and is not forgotten. */
    @Test
    void aStepThatCannotBeUndoneStaysInTheJournal() throws Exception {
        Injection injection = inject(Verb.PARTITION);
        cluster.toxiproxy.close();
        assertThatThrownBy(injection::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("attestream chaos heal --data-dir " + data);
        assertThat(cluster.journal()).content().contains("chaos-partition-up", "chaos-partition-down");
        assertThatThrownBy(() -> Injection.heal(data)).hasMessageContaining("still in the journal");
    }

    @Test
    void aDamagedJournalIsSaidToBe() throws Exception {
        Files.createDirectories(data.resolve("chaos"));
        Files.writeString(cluster.journal(), "{\"what\":\"?\",\"pid\":1,\"undo\":[{\"kind\":\"format-the-disk\"}]}");
        assertThatThrownBy(() -> Injection.heal(data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("journal.json cannot be read");
    }

    /** Whoever wrote into the file has heal do nothing for him. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'kind':'delete','file':'%1$s/chaos-ballast'}",
                "{'kind':'delete','file':'%2$s/link/chaos-ballast'}",
                "{'kind':'delete','file':'%2$s/cluster.json'}",
                "{'kind':'delete','file':'%2$s/../chaos-ballast'}",
                "{'kind':'write','file':'%1$s/a.clock','text':'+0\\n'}",
                "{'kind':'write','file':'%2$s/chaos/a.clock','text':'rm -rf'}",
                "{'kind':'put-back','dataDirectory':'%2$s','process':'processors-0','file':'%1$s/1.sst',"
                        + "'whole':'%2$s/chaos/1.sst.whole','damagedSha256':''}",
                "{'kind':'restart','dataDirectory':'%1$s','process':'processors-0'}",
                "{'kind':'restart','dataDirectory':'%2$s','process':'../stop'}",
                "{'kind':'remove-toxic','url':'http://192.0.2.1:8474','proxy':'kafka-gateway','toxic':'chaos-x'}",
                "{'kind':'remove-toxic','url':'http://127.0.0.1:1','proxy':'kafka-gateway','toxic':'other'}",
                "{'kind':'start-containers','project':{'name':'demo','file':'%2$s/cluster.json'},'service':'x'}",
                "{'kind':'give-cpus','project':{'name':'demo','file':'/f'},'container':'0123456789ab','nanos':1}"
            })
    void aJournalThatNoFaultWroteIsRefusedAndNothingIsTouched(String step, @TempDir Path elsewhere) throws Exception {
        // given a step that would work after the one that no fault wrote
        Files.createDirectories(data.resolve("chaos"));
        Files.createSymbolicLink(data.resolve("link"), elsewhere);
        Path ballast = Files.createFile(elsewhere.resolve("chaos-ballast"));
        Path own = Files.createFile(data.resolve("chaos-ballast"));
        String steps = step.formatted(elsewhere, data) + ",{'kind':'delete','file':'" + own + "'}";
        Files.writeString(cluster.journal(), ("{'what':'x','pid':1,'undo':[" + steps + "]}").replace('\'', '"'));

        // then
        assertThatThrownBy(() -> Injection.heal(data))
                .isInstanceOf(ChaosRefused.class)
                .hasMessageContaining("journal.json holds what no fault here wrote");
        assertThat(ballast).exists();
        assertThat(own).exists();
        assertThat(cluster.journal()).exists();
    }

    @Test
    void aJournalOfAnotherUserIsRefused() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can give a file away");
        Files.createDirectories(data.resolve("chaos"));
        Files.writeString(cluster.journal(), "{\"what\":\"x\",\"pid\":1,\"undo\":[]}");
        Files.setOwner(
                cluster.journal(),
                data.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
        assertThatThrownBy(() -> Injection.heal(data))
                .isInstanceOf(ChaosRefused.class)
                .hasMessageContaining("it is a file of nobody");
    }

    // ---- what cannot be done here

    @ParameterizedTest
    @EnumSource(names = {"POWER_CUT", "MEMORY", "DISK_FULL", "CLOCK_SKEW", "KILL", "STOP", "BIT_FLIP", "TRUNCATE"})
    void whatCannotBeDoneIsSkippedAndTouchesNothing(Verb verb) throws Exception {
        // given a launcher that does not answer, no disk of its own, no clock, no table
        Files.createDirectories(data.resolve("state"));
        ChaosRun run = new ChaosRun(target(), Duration.ofSeconds(1), java.util.Optional.empty(), line -> {});

        // when
        ChaosResult result = run.run(verb, SERVICE, Parameters.DEFAULT);

        // then
        assertThat(result).isInstanceOf(ChaosResult.Skipped.class);
        assertThat(((ChaosResult.Skipped) result).reason()).hasSizeGreaterThan(20);
        assertThat(cluster.process.isAlive()).isTrue();
        assertThat(data.resolve("chaos")).doesNotExist();
    }
}
