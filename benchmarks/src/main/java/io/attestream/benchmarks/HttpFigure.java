// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.Installation;
import io.attestream.chaos.JvmCommand;
import io.attestream.chaos.ManagedProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * Events accepted per second over HTTP as NDJSON with a checked token, beside Kafka's own producer performance tool on the
 * same broker: as many partitions, {@code acks=all}, records as large as the payloads.
 */
final class HttpFigure {
    static final String NAME = "accepted";
    static final String KAFKA = "kafka-producer-perf-test, acks=all";
    static final String HTTP = "HTTP, NDJSON, token checked";

    private static final Pattern FINAL_RATE = Pattern.compile("([0-9.]+) records/sec");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final String TOPIC = "perf";

    private final Installation installation;
    private final BenchCluster cluster;
    private final int payloadSizeBytes;
    private final int events;
    private final Report report;
    private final Progress progress;

    HttpFigure(
            Installation installation,
            BenchCluster cluster,
            int payloadSizeBytes,
            int events,
            Report report,
            Progress progress) {
        this.installation = installation;
        this.cluster = cluster;
        this.payloadSizeBytes = payloadSizeBytes;
        this.events = events;
        this.report = report;
        this.progress = progress;
    }

    static void declare(Report report, int payloadSizeBytes) {
        report.row(NAME, payloadSizeBytes, KAFKA, "events/s", "", "");
        report.row(NAME, payloadSizeBytes, HTTP, "events/s", KAFKA, ">= 0.4");
    }

    void round(int number) throws IOException, InterruptedException {
        if (number % 2 == 0) {
            kafka(number);
            http();
        } else {
            http();
            kafka(number);
        }
    }

    private void kafka(int number) throws IOException {
        String topic = TOPIC + payloadSizeBytes;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            if (!Waiting.get(admin.listTopics().names()).contains(topic)) {
                Waiting.get(admin.createTopics(List.of(new NewTopic(topic, cluster.shards(), (short) 1)))
                        .all());
            }
        }
        Path log = cluster.directory().resolve("perf-" + payloadSizeBytes + "-" + number + ".log");
        List<String> command = new JvmCommand(installation, 512)
                .with("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                .main(
                        installation.brokerLib(),
                        "org.apache.kafka.tools.ProducerPerformance",
                        "--topic",
                        topic,
                        "--num-records",
                        Integer.toString(events),
                        "--record-size",
                        Integer.toString(payloadSizeBytes),
                        "--throughput",
                        "-1",
                        "--producer-props",
                        "acks=all",
                        "bootstrap.servers=" + cluster.bootstrapServers());
        try (ManagedProcess tool = new ManagedProcess("perf", command, Map.of(), log).start()) {
            if (!tool.awaitExit(TIMEOUT) || tool.exitCode() != 0) {
                throw new IllegalStateException("the producer performance tool failed; " + tool.logTail());
            }
        }
        sample(KAFKA, finalRate(log));
    }

    private static double finalRate(Path log) throws IOException {
        List<Double> rates = new ArrayList<>();
        Matcher matcher = FINAL_RATE.matcher(Files.readString(log));
        while (matcher.find()) {
            rates.add(Double.parseDouble(matcher.group(1)));
        }
        return rates.get(rates.size() - 1);
    }

    private void http() throws InterruptedException {
        HttpLoad load = new HttpLoad(cluster.gateway(), cluster.token(), payloadSizeBytes, cluster.nextIds(events));
        sample(HTTP, load.asFastAsPossible(events));
    }

    private void sample(String variant, double rate) {
        report.sample(NAME, payloadSizeBytes, variant, rate);
        progress.say(String.format("  %-42s %,10.0f events/s", variant, rate));
    }
}
