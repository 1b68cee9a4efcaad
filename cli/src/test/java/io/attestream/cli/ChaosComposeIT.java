// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.chaos.toxiproxy.ToxiproxyClient;
import io.attestream.chaos.toxiproxy.ToxiproxyServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code attestream chaos --target compose}, with a docker that writes down what it is asked for. */
class ChaosComposeIT {
    private static final String ID = "0123456789abcdef";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path scratch;

    private Path file;

    @BeforeEach
    void writeAComposeFile() throws IOException {
        file = Files.writeString(scratch.resolve("compose.yml"), "services: {}\n");
        docker("");
    }

    /** @param special lines of a case statement, by the arguments as one word */
    private void docker(String special) throws IOException {
        Path docker = Files.createDirectories(scratch.resolve("bin")).resolve("docker");
        Files.writeString(docker, """
                #!/bin/sh
                echo "$*" >> "%1$s/asked"
                case "$*" in
                %3$s
                *'config --services') echo gateway-1; echo processors-1 ;;
                *'ps -q '*) echo %2$s ;;
                'inspect -f {{.HostConfig.NanoCpus}} '*) echo 1500000000 ;;
                'inspect -f {{.HostConfig.Memory}} '*) echo 1000000000 ;;
                *' df '*) echo 'size target'; echo '67108864 /state' ;;
                *' dd '*) echo 'dd: No space left on device' >&2; exit 1 ;;
                esac
                """.formatted(scratch, ID, special));
        Files.setPosixFilePermissions(docker, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Script.Ended chaos(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("chaos"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--target", "compose", "--for", "1s", "--data-dir", scratch.toString()));
        all.addAll(List.of("--compose-file", file.toString()));
        return Script.run(
                scratch,
                PATIENCE,
                Map.of("PATH", scratch.resolve("bin") + ":" + System.getenv("PATH")),
                all.toArray(String[]::new));
    }

    /** What docker was asked, but for what only looks. */
    private List<String> done() throws IOException {
        String compose = "compose -p demo -f " + file + " ";
        return Files.readAllLines(scratch.resolve("asked")).stream()
                .filter(line -> !line.matches(".*( config --services| ps -q .*| df .*)|inspect .*"))
                .map(line -> line.replace(compose, "compose "))
                .toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            kill   | compose kill -s SIGKILL gateway-1         | compose up -d --no-deps gateway-1
            stop   | compose stop gateway-1                    | compose up -d --no-deps gateway-1
            pause  | compose pause gateway-1                   | compose unpause gateway-1
            cpu    | update --cpus 0.300000000 0123456789abcdef | update --cpus 1.500000000 0123456789abcdef
            memory | update --memory 200000000 --memory-swap 200000000 0123456789abcdef | update --memory 1000000000 --memory-swap 1000000000 0123456789abcdef
            """)
    void dockerIsAskedToDoItAndThenToUndoIt(String verb, String does, String undoes) throws Exception {
        Script.Ended ended = chaos(verb, "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.out()).startsWith("done  " + verb + " gateway-1");
        assertThat(done()).containsExactly(does, undoes);
        assertThat(scratch.resolve("chaos/journal.json")).doesNotExist();
    }

    @Test
    void aSmallDiskIsFilledAndFreed() throws Exception {
        Script.Ended ended = chaos("disk-full", "processors-1", "--allow", "demo", "--directory", "/state");
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(done())
                .containsExactly(
                        "compose exec -T processors-1 dd if=/dev/zero of=/state/chaos-ballast bs=1M count=1024",
                        "compose exec -T processors-1 rm -f /state/chaos-ballast");
    }

    /** The disk of /state is that of all the container. */
    @Test
    void aDiskThatIsNotOfItsOwnIsNotFilled() throws Exception {
        Script.Ended ended = chaos("disk-full", "processors-1", "--allow", "demo", "--directory", "/state/deeper");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(done()).isEmpty();
    }

    @Test
    void theNetworkIsSpoiltByTheProjectsToxiproxy() throws Exception {
        try (ToxiproxyServer toxiproxy = ToxiproxyServer.start(0)) {
            toxiproxy.add("kafka-gateway", 0, 9);
            Script.Ended ended = chaos(
                    "partition",
                    "gateway-1",
                    "--allow",
                    "demo",
                    "--toxiproxy",
                    toxiproxy.url().toString());
            assertThat(ended.exitCode()).as(ended.err()).isZero();
            assertThat(ended.out()).contains("remove toxic chaos-partition-up from kafka-gateway");
            assertThat(new ToxiproxyClient(toxiproxy.url()).has("kafka-gateway", "chaos-partition-up"))
                    .isFalse();
            assertThat(done()).isEmpty();
        }
    }

    @Test
    void aDockerThatFailsIsAnErrorAndWhatItDidIsUndone() throws Exception {
        docker("*' pause '*) echo 'Cannot connect to the Docker daemon' >&2; exit 17 ;;");
        Script.Ended ended = chaos("pause", "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(ended.err()).contains("pause gateway-1 ended with 17: Cannot connect to the Docker daemon");
        assertThat(done()).containsExactly("compose pause gateway-1", "compose unpause gateway-1");
        assertThat(scratch.resolve("chaos/journal.json")).doesNotExist();
    }

    @Test
    void whatCouldNotBeUndoneHealTriesAgain() throws Exception {
        docker("*' unpause '*) echo 'daemon is gone' >&2; exit 1 ;;");
        Script.Ended ended = chaos("pause", "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(ended.err()).contains("daemon is gone", "attestream chaos heal --data-dir " + scratch);
        docker("");
        Script.Ended healed = Script.run(
                scratch,
                PATIENCE,
                Map.of("PATH", scratch.resolve("bin") + ":" + System.getenv("PATH")),
                "chaos",
                "heal",
                "--data-dir",
                scratch.toString());
        assertThat(healed.exitCode()).as(healed.err()).isZero();
        assertThat(done()).endsWith("compose unpause gateway-1");
        assertThat(scratch.resolve("chaos/journal.json")).doesNotExist();
    }

    @Test
    void aContainerWithoutALimitIsNotGivenOne() throws Exception {
        docker("'inspect '*) echo 0 ;;");
        Script.Ended ended = chaos("cpu", "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(ended.out()).startsWith("skipped").contains("give the service one in the compose file");
        assertThat(done()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"clock-skew", "power-cut", "fsync-error", "bit-flip", "truncate"})
    void whatCannotBeDoneToContainersIsSkipped(String verb) throws Exception {
        Script.Ended ended = chaos(verb, "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(ended.out()).startsWith("skipped  " + verb);
        assertThat(done()).isEmpty();
    }

    @Test
    void withoutADockerItIsSkipped() throws Exception {
        docker("*) echo 'docker: is no command' >&2; exit 127 ;;");
        Script.Ended ended = chaos("kill", "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(ended.out()).contains("docker compose does not work");
    }

    @Test
    void aServiceThatIsNotInTheProjectIsRefused() throws Exception {
        Script.Ended ended = chaos("kill", "gateway-9", "--allow", "demo");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(ended.err()).contains("there is no service gateway-9", "gateway-1, processors-1");
        assertThat(done()).isEmpty();
    }
}
