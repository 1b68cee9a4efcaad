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
import java.util.ArrayList;
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
    @JsonSubTypes.Type(value = Undo.Docker.class, name = "docker")
})
sealed interface Undo {
    /** @throws IOException if it could not be done; it may be tried again */
    void run() throws IOException;

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
        public String words() {
            return "let " + process + " force files to its disk again";
        }
    }

    /** Arguments of {@code docker}. */
    record Docker(List<String> arguments) implements Undo {
        public Docker {
            arguments = List.copyOf(arguments);
        }

        @Override
        public void run() throws IOException {
            List<String> command = new ArrayList<>(List.of("docker"));
            command.addAll(arguments);
            Processes.run(command);
        }

        @Override
        public String words() {
            return "docker " + String.join(" ", arguments);
        }
    }
}
