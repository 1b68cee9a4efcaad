// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.checkpointer.SnapshotList;
import io.attestream.cli.Output.Tone;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Snapshots, from which a checkpointer goes on without reading everything. */
@Command(
        name = "snapshots",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "<command>",
        header = "List, verify and take snapshots.",
        description = {
            "A snapshot is the state of every shard at a published epoch, signed by the ledger's key, its digest logged in a later"
                    + " epoch. The checkpointer takes one every hour (attestream.snapshots.interval-millis) and goes on from"
                    + " the newest good one when it starts.",
            ""
        },
        subcommands = {SnapshotsCommand.ListThem.class, SnapshotsCommand.Verify.class, SnapshotsCommand.Create.class})
final class SnapshotsCommand {

    /** Where the store is and whose key signs. */
    private static List<SnapshotList.Item> items(Connection connection, ObjectStoreOption objects, boolean whole) {
        try {
            return SnapshotList.open(connection.ledgerKey(), objects.open(connection))
                    .items(whole);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "the object store cannot be read: " + e.getMessage(), "Check --objects.");
        }
    }

    private static int print(Output output, List<SnapshotList.Item> items) {
        boolean good = items.stream().allMatch(SnapshotList.Item::isGood);
        output.json(Output.object(
                "status",
                good ? "good" : "damaged",
                "snapshots",
                items.stream().map(SnapshotsCommand::members).toList()));
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("epoch", "taken", "leaves", "remembered", "generation", "logged in", "state"));
        for (SnapshotList.Item item : items) {
            rows.add(List.of(
                    Long.toString(item.epoch()),
                    item.time(),
                    Long.toString(item.leaves()),
                    Long.toString(item.remembered()),
                    Integer.toString(item.generation()),
                    item.loggedEpoch().isPresent()
                            ? Long.toString(item.loggedEpoch().getAsLong())
                            : "not yet",
                    item.isGood() ? "good" : "DAMAGED"));
        }
        Output.table(rows).forEach(output::print);
        items.stream()
                .filter(item -> !item.isGood())
                .forEach(item ->
                        output.print(output.paint(Tone.BAD, "DAMAGED") + "  " + item.name() + ": " + item.problem()));
        if (items.isEmpty()) {
            output.print("No snapshot yet. Take one with: attestream snapshots create");
        }
        return good ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
    }

    private static Map<String, Object> members(SnapshotList.Item item) {
        return Output.object(
                "name",
                item.name(),
                "epoch",
                item.epoch(),
                "time",
                item.time(),
                "generation",
                item.generation(),
                "leaves",
                item.leaves(),
                "remembered",
                item.remembered(),
                "loggedEpoch",
                item.loggedEpoch().orElse(-1),
                "problem",
                item.problem());
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            header = "Show the snapshots in the object store, newest first.",
            description = {
                "Each manifest is held against the ledger's key and its epoch; attestream snapshots verify reads the rest too.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream snapshots list --data-dir ./attestream-data",
                "  attestream snapshots list --objects 's3://ledger/prod?region=eu-central-1' \\",
                "      --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…'"
            })
    static final class ListThem implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Connection connection = new Connection();

        @Mixin
        private ObjectStoreOption objects = new ObjectStoreOption();

        @Override
        public Integer call() {
            return print(form.output(), items(connection, objects, false));
        }
    }

    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            header = "Read every snapshot whole and hold it against the key, its digests and its epoch.",
            description = {
                "Needs no Kafka. Exit code 3 if one is not whole, or is not what was published. That the rows of a window are"
                        + " those of the leaves is shown by attestream fsck, which makes them again from the entries.",
                ""
            },
            footer = {"", "Example:", "  attestream snapshots verify --data-dir ./attestream-data"})
    static final class Verify implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Connection connection = new Connection();

        @Mixin
        private ObjectStoreOption objects = new ObjectStoreOption();

        @Override
        public Integer call() {
            Output output = form.output();
            List<SnapshotList.Item> items = items(connection, objects, true);
            int code = print(output, items);
            if (items.isEmpty()) {
                return ExitCode.NOT_FOUND_OR_PENDING;
            }
            if (code == ExitCode.OK) {
                output.print(output.paint(Tone.GOOD, "good") + "  " + items.size() + " snapshots");
            }
            return code;
        }
    }

    @Command(
            name = "create",
            mixinStandardHelpOptions = true,
            header = "Have the running checkpointer take a snapshot now.",
            description = {
                "Asks the checkpointer on its health port, without stopping anything, and waits until the snapshot is written and was"
                        + " read back. It is of the last published epoch, and is logged in the next one.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream snapshots create --data-dir ./attestream-data",
                "  attestream snapshots create --checkpointer http://checkpointer:8082 --secret-file internal.secret"
            })
    static final class Create implements Callable<Integer> {
        private static final ObjectMapper JSON = new ObjectMapper();
        private static final Duration TIMEOUT = Duration.ofSeconds(10);
        private static final long LOOK_MILLIS = 200;

        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Connection connection = new Connection();

        @Option(
                names = "--checkpointer",
                paramLabel = "<url>",
                description = "Health address of the checkpointer. Default: that of --data-dir.")
        private @Nullable String checkpointer;

        @Option(
                names = "--timeout-seconds",
                defaultValue = "60",
                paramLabel = "<n>",
                description = "How long to wait for it (default: ${DEFAULT-VALUE}).")
        private int timeoutSeconds;

        @Option(
                names = "--secret-file",
                paramLabel = "<file>",
                description =
                        "The secret of the services (attestream.internal.secret-file). Default: that of --data-dir.")
        private @Nullable Path secretFile;

        private final HttpClient http = HttpClient.newHttpClient();

        @Override
        public Integer call() throws InterruptedException {
            Output output = form.output();
            String secret = secret();
            URI address = URI.create(address() + "/snapshots");
            JsonNode before = ask(HttpRequest.newBuilder(address).GET());
            JsonNode now = ask(HttpRequest.newBuilder(address)
                    .header("Content-Type", "application/json")
                    .header("Authorization", "Bearer " + secret)
                    .POST(HttpRequest.BodyPublishers.ofString("{}")));
            long deadlineNanos =
                    System.nanoTime() + Duration.ofSeconds(timeoutSeconds).toNanos();
            while (newest(now) <= newest(before)
                    && newest(now) < now.path("publishedEpoch").asLong()) {
                String problem = now.path("problem").asText();
                if (!problem.isEmpty() && !problem.equals(before.path("problem").asText())) {
                    throw new CliException(ExitCode.ERROR, problem, "See the checkpointer's log.");
                }
                if (System.nanoTime() > deadlineNanos) {
                    throw new CliException(
                            ExitCode.NOT_FOUND_OR_PENDING,
                            "no snapshot after " + timeoutSeconds + " s",
                            "It is taken when the checkpointer has an epoch of its own; look with: attestream snapshots list");
                }
                Thread.sleep(LOOK_MILLIS);
                now = ask(HttpRequest.newBuilder(address).GET());
            }
            if (newest(now) < 0) {
                throw new CliException(
                        ExitCode.NOT_FOUND_OR_PENDING, "no epoch is published yet", "Try again after the first.");
            }
            boolean taken = newest(now) > newest(before);
            output.json(Output.object("status", taken ? "taken" : "unchanged", "epoch", newest(now)));
            output.print(
                    taken
                            ? output.paint(Tone.GOOD, "taken") + "  snapshot of epoch " + newest(now)
                            : "nothing was published since the snapshot of epoch " + newest(now));
            return ExitCode.OK;
        }

        private static long newest(JsonNode answer) {
            return answer.path("newestEpoch").asLong(-1);
        }

        private String secret() {
            Path file = secretFile != null
                    ? secretFile
                    : connection
                            .dataDirectory()
                            .map(directory -> directory.resolve("keys/internal.secret"))
                            .orElseThrow(() -> new CliException(
                                    ExitCode.USAGE,
                                    "asking for a snapshot needs the secret of the services",
                                    "Give --secret-file or --data-dir."));
            try {
                return Files.readString(file).strip();
            } catch (IOException e) {
                throw new CliException(ExitCode.USAGE, file + " cannot be read", "Check --secret-file.");
            }
        }

        private String address() {
            if (checkpointer != null) {
                return checkpointer.replaceAll("/+$", "");
            }
            Integer port = connection
                    .cluster()
                    .map(cluster -> cluster.ports().get("checkpointer"))
                    .orElse(null);
            if (port == null) {
                throw new CliException(
                        ExitCode.USAGE, "no checkpointer was named", "Give --checkpointer or --data-dir.");
            }
            return "http://127.0.0.1:" + port;
        }

        private JsonNode ask(HttpRequest.Builder request) throws InterruptedException {
            try {
                HttpResponse<byte[]> answer =
                        http.send(request.timeout(TIMEOUT).build(), HttpResponse.BodyHandlers.ofByteArray());
                if (answer.statusCode() / 100 != 2) {
                    throw new IOException("it answers " + answer.statusCode());
                }
                return JSON.readTree(answer.body());
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.UNAVAILABLE,
                        "the checkpointer cannot be asked: " + e.getMessage(),
                        "Is it running, and is this its health port?");
            }
        }
    }
}
