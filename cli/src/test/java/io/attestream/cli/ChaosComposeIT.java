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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code attestream chaos --target compose}, with a docker that keeps the state of containers that are not there. */
@Tag("runbooks")
class ChaosComposeIT {
    private static final String ID = "0123456789abcdef";
    private static final String OTHER_ID = "fedcba9876543210";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path scratch;

    private Path file;

    @BeforeEach
    void writeAComposeFile() throws IOException {
        file = Files.writeString(scratch.resolve("compose.yml"), "services: {}\n");
        container("gateway-1", ID);
        container("processors-1", OTHER_ID);
        docker("");
    }

    /** The container of a service, in the place of the one it had. */
    private void container(String service, String id) throws IOException {
        Path services = Files.createDirectories(scratch.resolve("services"));
        Files.writeString(services.resolve(service), id);
        Path state = Files.createDirectories(scratch.resolve("containers").resolve(id));
        Files.writeString(state.resolve("Status"), "running");
        Files.writeString(state.resolve("NanoCpus"), "1500000000");
        Files.writeString(state.resolve("Memory"), "1000000000");
        Files.writeString(state.resolve("MemorySwap"), "1500000000");
    }

    private String state(String member) throws IOException {
        return Files.readString(scratch.resolve("containers").resolve(ID).resolve(member))
                .strip();
    }

    /**
     * A docker that keeps the state of two containers, and refuses what docker refuses.
     *
     * @param special lines of a case statement, by the arguments as one word
     */
    private void docker(String special) throws IOException {
        Path docker = Files.createDirectories(scratch.resolve("bin")).resolve("docker");
        Files.writeString(docker, """
            #!/bin/sh
            cd "%1$s"
            echo "$*" >> asked
            fail() { echo "$1" >&2; exit 1; }
            last() { for it; do :; done; echo "$it"; }
            it=$(last "$@")
            of() { id=$(cat services/$it 2>/dev/null) || fail "no container found for $it"; at=containers/$id; }
            case "$*" in
            %2$s
            'context inspect '*) echo "${DOCKER_HOST:-unix:///var/run/docker.sock}" ;;
            *'config --services') echo gateway-1; echo processors-1 ;;
            *' ps -q --status running '*) id=$(cat services/$it 2>/dev/null) || exit 0
                [ "$(cat containers/$id/Status)" != running ] || echo $id ;;
            *' ps -a -q '*|*' ps -q '*) cat services/$it 2>/dev/null; exit 0 ;;
            *' kill '*|*' stop '*) of; echo exited > $at/Status ;;
            *' start '*) of; echo running > $at/Status ;;
            *' pause '*) of; [ $(cat $at/Status) = running ] || fail "Container $id is not running"; echo paused > $at/Status ;;
            'unpause '*) [ "$(cat containers/$it/Status)" = paused ] || fail "Container $it is not paused"
                echo running > containers/$it/Status ;;
            'inspect '*) [ -d containers/$it ] || fail "Error: No such object: $it"
                case $3 in
                *Paused*) [ $(cat containers/$it/Status) = paused ] && echo true || echo false ;;
                *HostConfig*) cat containers/$it/$(echo "${3##*.}" | tr -d '}') ;;
                *) echo $it ;;
                esac ;;
            'update --cpus '*) [ -d containers/$it ] || fail "Error response from daemon: No such container: $it"
                echo $3 > containers/$it/NanoCpus ;;
            'update --memory '*) [ -d containers/$it ] || fail "Error response from daemon: No such container: $it"
                echo $3 > containers/$it/Memory; echo $5 > containers/$it/MemorySwap ;;
            *' df '*) echo 'size target'; echo '67108864 /state' ;;
            *' dd '*) touch ballast; fail 'dd: No space left on device' ;;
            *' rm -f '*) rm -f ballast ;;
            *) fail "docker: unknown command $*" ;;
            esac
            """.formatted(scratch, special));
        Files.setPosixFilePermissions(docker, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Script.Ended chaos(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("chaos"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--target", "compose", "--for", "1s", "--compose-file", file.toString()));
        return Script.run(scratch, PATIENCE, environment(), all.toArray(String[]::new));
    }

    private Map<String, String> environment() {
        return Map.of(
                "PATH", scratch.resolve("bin") + ":" + System.getenv("PATH"), "XDG_STATE_HOME", scratch.toString());
    }

    private Path journal() {
        return scratch.resolve("attestream/compose-demo/chaos/journal.json");
    }

    /** What docker was asked, but for what only looks. */
    private List<String> done() throws IOException {
        String compose = "compose -p demo -f " + file + " ";
        return Files.readAllLines(scratch.resolve("asked")).stream()
                .filter(line -> !line.matches(".*( config --services| ps .*| df .*)|(context )?inspect .*"))
                .map(line -> line.replace(compose, "compose "))
                .toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        kill   | compose kill -s SIGKILL gateway-1          | compose start gateway-1
        stop   | compose stop gateway-1                     | compose start gateway-1
        pause  | compose pause gateway-1                    | unpause 0123456789abcdef
        cpu    | update --cpus 0.300000000 0123456789abcdef | update --cpus 1.500000000 0123456789abcdef
        memory | update --memory 200000000 --memory-swap 200000000 0123456789abcdef | update --memory 1000000000 --memory-swap 1500000000 0123456789abcdef
        """)
    void dockerIsAskedToDoItAndThenToUndoIt(String verb, String does, String undoes) throws Exception {
        Script.Ended ended = chaos(verb, "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.out()).startsWith("done  " + verb + " gateway-1");
        assertThat(done()).containsExactly(does, undoes);
        assertThat(state("Status")).isEqualTo("running");
        assertThat(journal()).doesNotExist();
    }

    /** Somebody mended it, or made the container anew: that is no failure, and nothing for ever in the journal. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
        pause  | *' pause '*) ;;
        cpu    | 'update --cpus 0.3'*) rm -r containers/$it; echo 00000000000000aa > services/gateway-1 ;;
        memory | 'update --memory 2'*) rm -r containers/$it; echo 00000000000000aa > services/gateway-1 ;;
        kill   | *' kill '*) rm services/gateway-1 ;;
        """)
    void whatIsUndoneAlreadyIsUndone(String verb, String meanwhile) throws Exception {
        docker(meanwhile);
        Script.Ended ended = chaos(verb, "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(journal()).doesNotExist();
    }

    /** The number docker keeps for "twice the memory" is none that it takes. */
    @Test
    void aContainerWithoutALimitOfItsSwapGetsItsMemoryBack() throws Exception {
        Files.writeString(scratch.resolve("containers").resolve(ID).resolve("MemorySwap"), "0");
        assertThat(chaos("memory", "gateway-1", "--allow", "demo").exitCode()).isZero();
        assertThat(state("Memory")).isEqualTo("1000000000");
        assertThat(state("MemorySwap")).isEqualTo("2000000000");
    }

    @Test
    void anEngineThatMayBeOfAnotherMachineIsRefusedUnlessAllowed() throws Exception {
        docker("'context inspect '*) echo ssh://elsewhere ;;");
        Script.Ended refused = chaos("pause", "gateway-1", "--allow", "demo");
        assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.err()).contains("ssh://elsewhere", "--allow-remote-engine");
        assertThat(done()).isEmpty();
        assertThat(chaos("pause", "gateway-1", "--allow", "demo", "--allow-remote-engine")
                        .exitCode())
                .isZero();
    }

    @Test
    void aSmallDiskIsFilledAndFreed() throws Exception {
        Script.Ended ended = chaos("disk-full", "processors-1", "--allow", "demo", "--directory", "/state");
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(done())
                .containsExactly(
                        "compose exec -T processors-1 dd if=/dev/zero of=/state/chaos-ballast bs=1M count=1024",
                        "compose exec -T processors-1 rm -f /state/chaos-ballast");
        assertThat(scratch.resolve("ballast")).doesNotExist();
    }

    /** A service that ends when its disk is full takes the disk with it: nothing is left, and nothing for ever in the journal. */
    @Test
    void aDiskThatWentWithItsContainerNeedNotBeFreed() throws Exception {
        docker("""
            *' dd '*) echo exited > containers/%s/Status; fail 'dd: No space left on device' ;;
            *' rm -f '*) fail 'service "processors-1" is not running' ;;
            """.formatted(OTHER_ID));
        Script.Ended ended = chaos("disk-full", "processors-1", "--allow", "demo", "--directory", "/state");
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(journal()).doesNotExist();
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
        assertThat(done()).containsExactly("compose pause gateway-1");
        assertThat(journal()).doesNotExist();
    }

    @Test
    void whatCouldNotBeUndoneHealTriesAgainWhereverItIsCalled() throws Exception {
        docker("'unpause '*) echo 'daemon is gone' >&2; exit 1 ;;");
        Script.Ended ended = chaos("pause", "gateway-1", "--allow", "demo");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(ended.err()).contains("daemon is gone", "attestream chaos heal --target compose --allow demo");
        assertThat(state("Status")).isEqualTo("paused");
        // nothing else begins before, in whatever directory
        assertThat(chaos("kill", "gateway-1", "--allow", "demo").exitCode()).isEqualTo(ExitCode.USAGE);
        docker("");
        Script.Ended healed = chaos("heal", "--allow", "demo");
        assertThat(healed.exitCode()).as(healed.err()).isZero();
        assertThat(state("Status")).isEqualTo("running");
        assertThat(journal()).doesNotExist();
    }

    @Test
    void aJournalOfAnotherProjectIsNotHealed() throws Exception {
        Files.createDirectories(journal().getParent());
        Files.writeString(journal(), """
            {"what":"x","pid":1,"undo":[{"kind":"start-containers","service":"gateway-1",
            "project":{"name":"production","file":"%s"}}]}
            """.formatted(file));
        Script.Ended ended = chaos("heal", "--allow", "demo");
        assertThat(ended.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(ended.err()).contains("no fault here wrote: project production");
        assertThat(done()).isEmpty();
        assertThat(journal()).exists();
    }

    @Test
    void aContainerWithoutALimitIsNotGivenOne() throws Exception {
        Files.writeString(scratch.resolve("containers").resolve(ID).resolve("NanoCpus"), "0");
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
