// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the build made: the directories of programs to start.
 *
 * @param home root of the repository
 */
public record Installation(Path home) {
    /**
     * Finds it by system property {@code attestream.home}, environment variable {@code ATTESTREAM_HOME}, or upwards from the
     * working directory.
     */
    public static Installation find() {
        String named = System.getProperty("attestream.home", System.getenv("ATTESTREAM_HOME"));
        if (named != null && !named.isBlank()) {
            return new Installation(Path.of(named).toAbsolutePath());
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = parentOf(at)) {
            if (Files.exists(at.resolve("chaos/pom.xml"))) {
                return new Installation(at);
            }
        }
        throw new IllegalStateException("the installation was not found: set ATTESTREAM_HOME to the repository");
    }

    private static @Nullable Path parentOf(Path path) {
        return path.getParent();
    }

    public Path brokerLib() {
        return built("chaos/target/broker/lib");
    }

    Path agentJar() {
        return built("chaos/target/agent/child-agent.jar");
    }

    public Path registryJar() {
        Path directory = built("chaos/target/registry");
        try (Stream<Path> files = Files.walk(directory, 2)) {
            return files.filter(file -> file.getFileName().toString().endsWith("-runner.jar"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no *-runner.jar in " + directory));
        } catch (IOException e) {
            throw new IllegalStateException("cannot look into " + directory, e);
        }
    }

    public Path gatewayJar() {
        return built("ingest-gateway/target/quarkus-app/quarkus-run.jar");
    }

    public Path processorsLib() {
        return built("stream-processors/target/app/lib");
    }

    public Path checkpointerLib() {
        return built("checkpointer/target/app/lib");
    }

    /** Parts that were not built yet, relative to the home. */
    public List<String> missingParts() {
        return Stream.of(
                        "chaos/target/broker/lib",
                        "chaos/target/agent/child-agent.jar",
                        "chaos/target/registry",
                        "ingest-gateway/target/quarkus-app/quarkus-run.jar",
                        "stream-processors/target/app/lib",
                        "checkpointer/target/app/lib")
                .filter(part -> !Files.exists(home.resolve(part)))
                .toList();
    }

    private Path built(String part) {
        Path path = home.resolve(part);
        if (!Files.exists(path)) {
            throw new IllegalStateException(path + " is missing: run mvn package -DskipTests in " + home);
        }
        return path;
    }
}
