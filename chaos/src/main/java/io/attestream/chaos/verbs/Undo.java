// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.attestream.chaos.ClusterControl;
import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.toxiproxy.ToxiproxyClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * What makes up for one step of a fault: written down before the step is done, so that whoever reads it later can do it. Doing it
 * twice, or when the step was never done, does no harm.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
    @JsonSubTypes.Type(value = Undo.Restart.class, name = "restart"),
    @JsonSubTypes.Type(value = Undo.Continue.class, name = "continue"),
    @JsonSubTypes.Type(value = Undo.RemoveToxic.class, name = "remove-toxic"),
    @JsonSubTypes.Type(value = Undo.Delete.class, name = "delete"),
    @JsonSubTypes.Type(value = Undo.Write.class, name = "write"),
    @JsonSubTypes.Type(value = Undo.PutBack.class, name = "put-back"),
    @JsonSubTypes.Type(value = Undo.MendForce.class, name = "mend-force"),
    @JsonSubTypes.Type(value = Undo.StartContainers.class, name = "start-containers"),
    @JsonSubTypes.Type(value = Undo.UnpauseContainers.class, name = "unpause-containers"),
    @JsonSubTypes.Type(value = Undo.GiveCpus.class, name = "give-cpus"),
    @JsonSubTypes.Type(value = Undo.GiveMemory.class, name = "give-memory"),
    @JsonSubTypes.Type(value = Undo.DeleteInContainer.class, name = "delete-in-container")
})
sealed interface Undo {
    /** @throws IOException if it could not be done; it may be tried again */
    void run() throws IOException;

    /**
     * That it touches only what a fault here can have touched: a journal is a file, and anything may be in it.
     *
     * @throws ChaosRefused if it touches something else
     */
    void requireOf(Scope scope);

    /** What it does, in words. */
    String words();

    /** Has the launcher of a local cluster start a process again, unless it runs. */
    record Restart(String dataDirectory, String process) implements Undo {
        @Override
        public void run() throws IOException {
            Path data = Path.of(dataDirectory);
            if (!runs(data)) {
                ClusterControl.of(data).restart(process);
            }
        }

        private boolean runs(Path data) throws IOException {
            return ClusterFile.read(data).stream()
                    .flatMap(cluster -> cluster.processes().stream())
                    .filter(entry -> entry.name().equals(process))
                    .anyMatch(entry ->
                            Processes.find(entry.pid(), entry.startedAtMillis()).isPresent());
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireProcess(dataDirectory, process);
        }

        @Override
        public String words() {
            return "start " + process + " again";
        }
    }

    /** SIGCONT. */
    record Continue(String process, long pid, long startedAtMillis) implements Undo {
        @Override
        public void run() throws IOException {
            ProcessHandle handle = Processes.find(pid, startedAtMillis).orElse(null);
            if (handle != null) {
                Processes.signal(handle, "CONT");
            }
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireLocal("process " + process);
        }

        @Override
        public String words() {
            return "let " + process + " go on";
        }
    }

    record RemoveToxic(String url, String proxy, String toxic) implements Undo {
        @Override
        public void run() throws IOException {
            new ToxiproxyClient(URI.create(url)).remove(proxy, toxic);
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireToxic(url, proxy, toxic);
        }

        @Override
        public String words() {
            return "remove toxic " + toxic + " from " + proxy;
        }
    }

    record Delete(String file) implements Undo {
        @Override
        public void run() throws IOException {
            Files.deleteIfExists(Path.of(file));
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireFile(file, "", "/" + Ballast.NAME);
        }

        @Override
        public String words() {
            return "delete " + file;
        }
    }

    record Write(String file, String text) implements Undo {
        @Override
        public void run() throws IOException {
            Files.writeString(Path.of(file), text);
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireFile(file, "chaos", ".clock");
            scope.require(text.matches("[+-][0-9]{1,6}\\n"), "the text of " + file);
        }

        @Override
        public String words() {
            return "write " + text.strip() + " to " + file;
        }
    }

    /**
     * Puts a damaged file back as it was while its process is stopped. Not if it is not the damaged one any more: then somebody else
     * made up for it.
     *
     * @param whole a copy of what it was
     */
    record PutBack(String dataDirectory, String process, String file, String whole, String damagedSha256)
            implements Undo {
        @Override
        public void run() throws IOException {
            Path kept = Path.of(whole);
            if (Files.exists(kept) && isDamaged()) {
                LocalTarget.stop(Path.of(dataDirectory), process);
                // It may have been mended, and its name given to another file, until it was stopped.
                if (isDamaged()) {
                    Files.copy(kept, Path.of(file), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            new Restart(dataDirectory, process).run();
            Files.deleteIfExists(kept);
        }

        private boolean isDamaged() throws IOException {
            Path now = Path.of(file);
            return Files.exists(now) && Damage.sha256(Files.readAllBytes(now)).equals(damagedSha256);
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireProcess(dataDirectory, process);
            scope.requireFile(file, "state", ".sst");
            scope.requireFile(whole, "chaos", ".sst.whole");
        }

        @Override
        public String words() {
            return "put " + file + " back as it was, with " + process + " stopped";
        }
    }

    /** Lets files be forced to the disk again. */
    record MendForce(String process, long pid, long startedAtMillis, int port) implements Undo {
        @Override
        public void run() throws IOException {
            if (Processes.find(pid, startedAtMillis).isPresent()) {
                FailingForce.mend(port);
            }
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireLocal("process " + process);
            scope.require(port >= 1 && port <= 0xFFFF, "port " + port);
        }

        @Override
        public String words() {
            return "let " + process + " force files to its disk again";
        }
    }

    /** Starts the containers of a service again; nothing if it has none any more, or they run. */
    record StartContainers(Docker.Project project, String service) implements Undo {
        @Override
        public void run() throws IOException {
            if (!project.containers(service).isEmpty()) {
                Docker.run(project.arguments("start", service));
            }
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireService(project, service);
        }

        @Override
        public String words() {
            return "docker " + String.join(" ", project.arguments("start", service));
        }
    }

    /** Lets those containers of a service go on that are paused. */
    record UnpauseContainers(Docker.Project project, String service) implements Undo {
        @Override
        public void run() throws IOException {
            for (String container : project.containers(service)) {
                Docker.unpause(container);
            }
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireService(project, service);
        }

        @Override
        public String words() {
            return "docker unpause the containers of " + project.name() + "/" + service;
        }
    }

    /** Gives a container its processor time back, unless it is gone. */
    record GiveCpus(Docker.Project project, String container, long nanos) implements Undo {
        @Override
        public void run() throws IOException {
            Docker.update(Docker.cpus(nanos), container);
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireContainer(project, container);
        }

        @Override
        public String words() {
            return "docker update " + String.join(" ", Docker.cpus(nanos)) + " " + container;
        }
    }

    /** Gives a container its memory back, unless it is gone. */
    record GiveMemory(Docker.Project project, String container, long bytes, long swapBytes) implements Undo {
        @Override
        public void run() throws IOException {
            Docker.update(Docker.memory(bytes, swapBytes), container);
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireContainer(project, container);
        }

        @Override
        public String words() {
            return "docker update " + String.join(" ", Docker.memory(bytes, swapBytes)) + " " + container;
        }
    }

    /** Deletes the file that fills a disk in a container; a disk of a container that does not run went with it. */
    record DeleteInContainer(Docker.Project project, String service, String directory) implements Undo {
        private List<String> arguments() {
            return project.arguments("exec", "-T", service, "rm", "-f", directory + "/" + Ballast.NAME);
        }

        @Override
        public void run() throws IOException {
            if (project.runs(service)) {
                Docker.run(arguments());
            }
        }

        @Override
        public void requireOf(Scope scope) {
            scope.requireService(project, service);
            scope.require(directory.startsWith("/") && !directory.contains(".."), "directory " + directory);
        }

        @Override
        public String words() {
            return "docker " + String.join(" ", arguments());
        }
    }
}
