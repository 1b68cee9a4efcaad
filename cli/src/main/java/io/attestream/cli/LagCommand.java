// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import io.attestream.cli.Output.Tone;
import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagAge;
import io.attestream.operations.lag.LagHistory;
import io.attestream.operations.lag.LagLook;
import io.attestream.operations.lag.LagReader;
import io.attestream.operations.lag.LagReport;
import io.attestream.operations.lag.PartitionLag;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Consumer lag as people ask for it. */
@Command(
        name = "lag",
        mixinStandardHelpOptions = true,
        header = "Show how far consumer groups are behind, in records and seconds.",
        description = {
            "Of every group on the cluster, not only Attestream's. Seconds are the age of the first record a group has not processed, by"
                    + " its own timestamp: 0 when nothing is left, \"unknown\" when it could not be read. Growth is in records a"
                    + " second; a group drains with its slowest partition, \"never\" if the lag does not shrink. Joins no group and"
                    + " commits nothing.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream lag --data-dir ./attestream-data",
            "  attestream lag --bootstrap-servers kafka:9092 --command-config client.properties --watch 5",
            "  attestream lag --data-dir ./attestream-data --group 'attestream[.]sequencer.*' --partitions -o json"
        })
final class LagCommand implements Callable<Integer> {
    /** Between the two looks that a trend takes. */
    private static final long TREND_MILLIS = 1_000;

    private static final String CLEAR_SCREEN = "\u001b[H\u001b[2J";

    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--data-dir",
            paramLabel = "<dir>",
            description = "Data directory of a running local cluster: its brokers are asked.")
    private @Nullable Path dataDirectory;

    @Option(names = "--bootstrap-servers", paramLabel = "<host:port,…>", description = "Kafka brokers.")
    private @Nullable String bootstrapServers;

    @Mixin
    private CommandConfig commandConfig = new CommandConfig();

    @Option(
            names = "--group",
            paramLabel = "<regex>",
            defaultValue = ".*",
            description = "Only groups whose whole name this matches (default: all).")
    private String group = ".*";

    @Option(names = "--partitions", description = "A line for each partition too.")
    private boolean partitions;

    @Option(
            names = "--watch",
            paramLabel = "<seconds>",
            description = "Look again every so many seconds, until Ctrl-C, also while the brokers do not answer.")
    private @Nullable Integer watchSeconds;

    private final LagHistory history = new LagHistory();

    @Override
    public Integer call() throws InterruptedException {
        Output output = form.output();
        if (watchSeconds != null) {
            Limits.check("--watch", watchSeconds, 1, Limits.WAIT_SECONDS_MAX);
        }
        Pattern wanted = pattern();
        try (LagReader reader = new LagReader(connection(), Clock.systemUTC())) {
            if (watchSeconds == null) {
                look(reader::look, wanted);
                Thread.sleep(TREND_MILLIS);
                print(output, look(reader::look, wanted));
                return ExitCode.OK;
            }
            long pauseMillis = TREND_MILLIS; // before the first trend
            while (true) {
                watch(output, reader::look, wanted);
                Thread.sleep(pauseMillis);
                pauseMillis = watchSeconds * 1_000L;
            }
        } catch (KafkaException e) {
            if (e instanceof ConfigException || e.getCause() instanceof ConfigException) {
                throw new CliException(
                        ExitCode.USAGE,
                        String.valueOf(
                                e.getCause() == null
                                        ? e.getMessage()
                                        : e.getCause().getMessage()),
                        "Check --bootstrap-servers (host:port) and --command-config.");
            }
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "Kafka does not answer: " + e.getMessage(),
                    "Check --bootstrap-servers; attestream doctor looks at a local cluster.");
        }
    }

    /** One look of many: who watches is told of an outage, and of its end. */
    void watch(Output output, Supplier<LagLook> looks, Pattern wanted) {
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        try {
            LagLook look = look(looks, wanted);
            if (output.isTerminal()) {
                output.print(CLEAR_SCREEN + "Consumer lag at " + now);
            }
            print(output, look);
        } catch (InterruptException e) {
            throw e;
        } catch (KafkaException e) {
            String reason = "Kafka does not answer: " + e.getMessage();
            output.print(output.paint(Tone.BAD, "UNKNOWN") + "  at " + now + ": " + reason);
            output.json(Output.object("time", now.toString(), "reason", reason));
        }
    }

    private Pattern pattern() {
        try {
            return Pattern.compile(group);
        } catch (PatternSyntaxException e) {
            throw new CliException(
                    ExitCode.USAGE,
                    "--group is no regular expression: " + e.getDescription(),
                    "Example: --group 'app-.*'");
        }
    }

    private Map<String, Object> connection() {
        return commandConfig.connection(servers(), LocalFiles.kafkaConfig(LocalFiles.cluster(dataDirectory)));
    }

    private String servers() {
        if (bootstrapServers != null && !bootstrapServers.isBlank()) {
            return bootstrapServers;
        }
        return LocalFiles.cluster(dataDirectory)
                .map(ClusterFile::bootstrapServers)
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE, "no Kafka cluster was named", "Give --bootstrap-servers or --data-dir."));
    }

    private LagLook look(Supplier<LagLook> looks, Pattern wanted) {
        LagLook all = looks.get();
        List<GroupLag> lags = all.groups().stream()
                .filter(lag -> wanted.matcher(lag.group()).matches())
                .toList();
        history.add(System.currentTimeMillis(), lags);
        return new LagLook(lags, all.groupsLeftOut());
    }

    private void print(Output output, LagLook look) {
        output.json(LagReport.of(Instant.now(), look, history));
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "group", "topic", "partition", "members", "state", "records", "seconds", "growth /s", "drains in"));
        for (GroupLag lag : look.groups()) {
            rows.add(List.of(
                    lag.group(),
                    "",
                    Integer.toString(lag.partitions().size()),
                    lag.members() == GroupLag.NOT_KNOWN ? "unknown" : Integer.toString(lag.members()),
                    lag.state(),
                    lag.records().isPresent() ? Long.toString(lag.records().getAsLong()) : "unknown",
                    lag.age() instanceof LagAge.Known known ? seconds(known.seconds()) : "unknown",
                    number(history.growthPerSecond(lag)),
                    drains(history.drainSeconds(lag))));
            if (partitions) {
                lag.partitions().forEach(partition -> rows.add(row(lag, partition)));
            }
        }
        Output.table(rows).forEach(output::print);
        look.groups()
                .forEach(lag -> lag.partitions().stream()
                        .filter(partition -> partition.deleted() > 0)
                        .forEach(partition -> output.print(output.paint(Tone.BAD, "LOST") + "  " + lag.group() + ": "
                                + partition.deleted() + " records of " + partition.topic() + "-" + partition.partition()
                                + " were deleted before it processed them")));
        if (look.groups().isEmpty()) {
            output.print("No group has members or a committed offset.");
        }
        if (look.groupsLeftOut() > 0) {
            output.say(
                    look.groupsLeftOut() + " groups are left out: beyond 1,000, or with neither members nor offsets.");
        }
    }

    private List<String> row(GroupLag lag, PartitionLag partition) {
        OptionalDouble growth = history.trend(lag, partition)
                .map(trend -> OptionalDouble.of(trend.growthPerSecond()))
                .orElse(OptionalDouble.empty());
        OptionalDouble drain = history.trend(lag, partition)
                .map(trend -> OptionalDouble.of(trend.drainSeconds()))
                .orElse(OptionalDouble.empty());
        return List.of(
                "",
                partition.topic(),
                Integer.toString(partition.partition()),
                "",
                "",
                partition.isEndKnown() ? Long.toString(partition.records()) : "unknown",
                partition.age() instanceof LagAge.Known known ? seconds(known.seconds()) : "unknown",
                number(growth),
                drains(drain));
    }

    private static String seconds(double seconds) {
        return String.format(Locale.ROOT, "%.1f", seconds);
    }

    private static String number(OptionalDouble value) {
        return value.isPresent() ? String.format(Locale.ROOT, "%.1f", value.getAsDouble()) : "";
    }

    private static String drains(OptionalDouble seconds) {
        if (seconds.isEmpty()) {
            return "";
        }
        return Double.isInfinite(seconds.getAsDouble()) ? "never" : seconds(seconds.getAsDouble());
    }
}
