// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The start script in an installation of empty files, with a Java and a Maven that only say that they were called. */
class LauncherTest {
    private static final List<String> PARTS = List.of(
            "cli/target/app/lib/cli.jar",
            "chaos/target/broker/lib/kafka.jar",
            "chaos/target/registry/app.jar",
            "chaos/target/agent/child-agent.jar",
            "ingest-gateway/target/quarkus-app/quarkus-run.jar",
            "stream-processors/target/app/lib/processors.jar",
            "checkpointer/target/app/lib/checkpointer.jar",
            "cli/target/built");
    private static final Instant BUILT = Instant.parse("2026-01-05T09:00:00Z");

    @TempDir
    private Path scratch;

    private Path home;
    private Path tools;

    @BeforeEach
    void makeInstallation() throws IOException {
        home = Files.createDirectories(scratch.resolve("a home"));
        tools = Files.createDirectories(scratch.resolve("tools/bin"));
        Files.copy(Script.HOME.resolve("attestream"), home.resolve("attestream"));
        Files.setPosixFilePermissions(home.resolve("attestream"), PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String part : PARTS) {
            write(part, BUILT);
        }
        write("pom.xml", BUILT.minusSeconds(60));
        write("cli/pom.xml", BUILT.minusSeconds(60));
        write("cli/src/main/Some.java", BUILT.minusSeconds(60));
        for (Path directory : List.of(home.resolve("cli/src/main"), home.resolve("cli/src"))) {
            Files.setLastModifiedTime(directory, FileTime.from(BUILT.minusSeconds(60)));
        }
        tool(
                "java",
                "[ \"$1\" = -version ] && { echo 'openjdk version \"17.0.1\"' >&2; exit; }; echo \"java $LC_ALL $*\"");
        tool("mvn", "echo \"mvn $*\" >&2");
    }

    private void write(String file, Instant time) throws IOException {
        Path path = home.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, "");
        Files.setLastModifiedTime(path, FileTime.from(time));
    }

    private void tool(String name, String script) throws IOException {
        Path file = Files.writeString(tools.resolve(name), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Script.Ended run(Path script, Map<String, String> environment, String... arguments) throws Exception {
        Path out = Files.createTempFile(scratch, "out", "");
        Path err = Files.createTempFile(scratch, "err", "");
        ProcessBuilder builder = new ProcessBuilder(script.toString())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.command().addAll(List.of(arguments));
        builder.environment().keySet().removeIf(name -> name.startsWith("LC_") || name.startsWith("ATTESTREAM_"));
        builder.environment().remove("LANG");
        builder.environment().put("JAVA_HOME", tools.getParent().toString());
        builder.environment().put("PATH", tools + ":" + System.getenv("PATH"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            return new Script.Ended(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            process.destroyForcibly();
        }
    }

    private Script.Ended run(String... arguments) throws Exception {
        return run(home.resolve("attestream"), Map.of(), arguments);
    }

    @Test
    void startsWhatIsBuiltFromAnywhereThroughALinkAndAPathWithSpaces() throws Exception {
        Path link = Files.createSymbolicLink(scratch.resolve("link"), Path.of("a home/attestream"));

        Script.Ended ended = run(link, Map.of(), "doctor", "two words");

        assertThat(ended.exitCode()).isZero();
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out()).contains("a home/cli/target/app/lib/*").endsWith("Main doctor two words\n");
    }

    @Test
    void startsWhatWasUnpackedFromAReleaseAndBuildsNothing() throws Exception {
        // given the script beside jars, without sources
        Path release = Files.createDirectories(scratch.resolve("a release"));
        Path script = Files.copy(
                Script.HOME.resolve("attestream"), release.resolve("attestream"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.createDirectories(release.resolve("lib/cli"));

        // then
        Script.Ended ended = run(script, Map.of(), "verify", "x");
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out()).contains("a release/lib/cli/*").endsWith("Main verify x\n");
        for (String command : List.of("up", "demo")) {
            ended = run(script, Map.of(), command);
            assertThat(ended.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(ended.out()).isEmpty();
            assertThat(ended.err()).contains(command).contains("clone of the repository");
        }
    }

    @Test
    void buildsWhenAPartIsMissing() throws Exception {
        for (String part : PARTS) {
            Files.delete(home.resolve(part));
            if (part.endsWith("/lib/cli.jar") || !Files.isRegularFile(home.resolve(part))) {
                deleteEmptyParents(home.resolve(part));
            }
            assertThat(run("doctor").err()).as(part).contains("first use").contains("mvn -q");
            write(part, BUILT);
        }
    }

    private void deleteEmptyParents(Path file) throws IOException {
        for (Path at = file.getParent(); !at.equals(home); at = at.getParent()) {
            try (var entries = Files.list(at)) {
                if (entries.findAny().isPresent()) {
                    return;
                }
            }
            Files.delete(at);
        }
    }

    @Test
    void buildsAgainBeforeItStartsProcessesWhenSourcesAreNewer() throws Exception {
        assertThat(run("up").err()).isEmpty();

        for (String source : List.of("pom.xml", "cli/pom.xml", "cli/src/main/Some.java")) {
            write(source, BUILT.plusSeconds(60));
            assertThat(run("up").err())
                    .as(source)
                    .contains("newer than the build")
                    .contains("mvn -q");
            assertThat(run("demo").err()).as(source).contains("mvn -q");
            assertThat(run("gameday").err()).as(source).contains("mvn -q");
            write(source, BUILT.minusSeconds(60));
        }
    }

    @Test
    void buildsAgainWhenASourceWasRemoved() throws Exception {
        Files.delete(home.resolve("cli/src/main/Some.java"));

        assertThat(run("up").err()).contains("mvn -q");
    }

    @Test
    void saysThatTheBuildIsOldAndTakesNoJarsFromUnderARunningCluster() throws Exception {
        write("cli/src/main/Some.java", BUILT.plusSeconds(60));

        Script.Ended ended = run("append", "x");

        assertThat(ended.err()).contains("newer than the build").doesNotContain("mvn -q");
        assertThat(ended.out()).contains("Main append x");

        // and: what a drill shows of it is not said to be of what is checked out
        ended = run(home.resolve("attestream"), Map.of("ATTESTREAM_BUILD", "no"), "drill", "run");
        assertThat(ended.out()).contains(" -Dattestream.build.stale=true ").contains("Main drill run");
        assertThat(run("drill", "run").out()).doesNotContain("stale");
    }

    @Test
    void endsWhenTheBuildFails() throws Exception {
        tool("mvn", "exit 1");
        Files.delete(home.resolve("cli/target/built"));

        Script.Ended ended = run("demo");

        assertThat(ended.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(ended.err()).contains("the build failed");
        assertThat(ended.out()).isEmpty();
    }

    @Test
    void refusesAnOldJava() throws Exception {
        tool("java", "echo 'openjdk version \"11.0.2\"' >&2");

        Script.Ended ended = run("doctor");

        assertThat(ended.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(ended.err()).contains("is Java 11, 17 or newer is needed");
    }

    @Test
    void readsNamesAsUtf8WhereNoLocaleIsSet() throws Exception {
        assertThat(run("doctor").out()).startsWith("java C.UTF-8 ");
        assertThat(run(home.resolve("attestream"), Map.of("LC_ALL", "C"), "doctor")
                        .out())
                .startsWith("java C.UTF-8 ");
        assertThat(run(home.resolve("attestream"), Map.of("LC_ALL", "de_DE.UTF-8"), "doctor")
                        .out())
                .startsWith("java de_DE.UTF-8 ");
    }
}
