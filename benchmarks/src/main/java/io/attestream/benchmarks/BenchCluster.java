// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.Installation;
import io.attestream.chaos.ManagedProcess;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The whole cluster as {@code attestream up} starts it. */
final class BenchCluster implements AutoCloseable {
    private static final Duration READY = Duration.ofMinutes(3);

    private final ManagedProcess launcher;
    private final Path directory;
    private final ClusterFile file;
    private final LedgerDefinition ledger;
    private long ids;

    private BenchCluster(ManagedProcess launcher, Path directory) throws IOException, InvalidFormat {
        this.launcher = launcher;
        this.directory = directory;
        this.file = ClusterFile.read(directory).orElseThrow();
        GenesisReader.Result genesis = GenesisReader.read(
                Map.of("bootstrap.servers", file.bootstrapServers()),
                topics(),
                NoteVerifier.parse(file.ledgerKey()),
                Duration.ofSeconds(30));
        this.ledger = ((GenesisReader.Result.Ready) genesis).ledger();
    }

    static BenchCluster start(Installation installation, Path directory, int shards) throws IOException, InvalidFormat {
        Files.createDirectories(directory);
        List<String> command = List.of(
                installation.home().resolve("attestream").toString(),
                "up",
                "--data-dir",
                directory.toString(),
                "--shards",
                Integer.toString(shards));
        Path log = directory.resolve("up.log");
        ManagedProcess launcher = new ManagedProcess("attestream-up", command, Map.of(), log).start();
        try {
            launcher.await("is not ready", READY, () -> contains(log, "Ctrl-C stops everything"));
            return new BenchCluster(launcher, directory);
        } catch (IOException | InvalidFormat | RuntimeException e) {
            launcher.close();
            throw e;
        }
    }

    private static boolean contains(Path log, String text) {
        try {
            return Files.readString(log).contains(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path directory() {
        return directory;
    }

    URI gateway() {
        return URI.create(file.url());
    }

    String bootstrapServers() {
        return file.bootstrapServers();
    }

    /** Of the checkpointer: health, metrics, snapshots. */
    URI checkpointer() {
        return URI.create("http://127.0.0.1:" + file.ports().get("checkpointer"));
    }

    int shards() {
        return file.shards();
    }

    Topics topics() {
        return new Topics(Topics.DEFAULT_PREFIX);
    }

    LedgerDefinition ledger() {
        return ledger;
    }

    String token() {
        try {
            return Files.readString(ClusterFile.tokenFile(directory, "ingester"))
                    .strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first of so many event numbers that were not used before. */
    long nextIds(int count) {
        long first = ids;
        ids += count;
        return first;
    }

    @Override
    public void close() {
        launcher.close();
    }
}
