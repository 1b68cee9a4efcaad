// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What the steps of a journal may touch.
 *
 * @param journal the file they were read from
 * @param directory the data directory it is in
 * @param project whose containers, if it is of a project and not of a local cluster
 */
record Scope(Path journal, Path directory, Optional<String> project) {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");

    /** @throws ChaosRefused if something is not as a fault writes it */
    void require(boolean condition, String what) {
        if (!condition) {
            throw new ChaosRefused(
                    journal + " holds what no fault here wrote: " + what,
                    "Look into the file. If it is not of a fault of yours, delete it; nothing was undone.");
        }
    }

    /** That the file is of who runs this. */
    void requireOwn() throws IOException {
        Path self = Path.of("/proc/self");
        if (Files.exists(self)) {
            require(
                    Files.getOwner(journal).equals(Files.getOwner(self)),
                    "it is a file of " + Files.getOwner(journal).getName());
        }
    }

    void requireLocal(String what) {
        require(project.isEmpty(), what);
    }

    void requireProcess(String dataDirectory, String process) {
        requireLocal("process " + process);
        require(real(Path.of(dataDirectory)).equals(real(directory)), "data directory " + dataDirectory);
        require(NAME.matcher(process).matches(), "process " + process);
    }

    /** @param below the part of the data directory it has to be in */
    void requireFile(String file, String below, String end) {
        requireLocal("file " + file);
        Path parent = Path.of(file).getParent();
        require(
                file.endsWith(end)
                        && parent != null
                        && !Files.isSymbolicLink(Path.of(file))
                        && real(parent).startsWith(real(directory).resolve(below)),
                "file " + file);
    }

    void requireToxic(String url, String proxy, String toxic) {
        require(NAME.matcher(proxy).matches() && proxy.startsWith("kafka-"), "proxy " + proxy);
        require(NAME.matcher(toxic).matches() && toxic.startsWith("chaos-"), "toxic " + toxic);
        try {
            LocalTarget.requireLoopback(URI.create(url), "Toxiproxy");
        } catch (IllegalArgumentException | ChaosRefused e) {
            require(false, "Toxiproxy at " + url);
        }
    }

    void requireService(Docker.Project other, String service) {
        require(project.equals(Optional.of(other.name())), "project " + other.name());
        require(Files.isRegularFile(Path.of(other.file())), "compose file " + other.file());
        require(NAME.matcher(service).matches(), "service " + service);
    }

    void requireContainer(Docker.Project other, String container) {
        require(project.equals(Optional.of(other.name())), "project " + other.name());
        require(Docker.CONTAINER.matcher(container).matches(), "container " + container);
    }

    /** Of what is not there the path as it is said: nothing can be done to it. */
    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            return path.toAbsolutePath().normalize();
        }
    }
}
