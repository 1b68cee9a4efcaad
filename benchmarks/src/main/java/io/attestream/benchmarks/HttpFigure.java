// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.DevIdentityProvider;
import io.attestream.chaos.FreePorts;
import io.attestream.chaos.Installation;
import io.attestream.chaos.JvmCommand;
import io.attestream.chaos.ManagedProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * Events accepted per second over HTTP with a checked token, as NDJSON and as batches, beside Kafka's own producer performance tool on the
 * same broker: as many partitions, {@code acks=all}, records as large as the payloads.
 */
final class HttpFigure implements AutoCloseable {
    static final String NAME = "accepted";
    static final String KAFKA = "kafka-producer-perf-test, acks=all";
    static final String KAFKA_TUNED = "the same, with the gateway's batches and lz4";
    static final String NDJSON = "HTTP, NDJSON, token checked";
    static final String BATCH = "HTTP, batch, token checked";

    private static final Pattern RATE = Pattern.compile("([0-9.]+) records/sec");
    /**
     * The tool tells its rate every five seconds; the first is that of a cold JVM. As many bytes whatever the size, so that
     * neither the disk nor the page cache is what is measured.
     */
    private static final int TOOL_EVENTS_FACTOR = 20;

    private static final int TOOL_PAYLOAD_SIZE_BYTES = 512;
    /** On two shared cores a gateway's JVM compiles for minutes under load. */
    private static final int WARM_RUNS = 10;

    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final Duration READY = Duration.ofMinutes(2);
    private static final Duration TOKEN_LIFETIME = Duration.ofMinutes(30);

    private final Installation installation;
    private final BenchLedger ledger;
    private final int payloadSizeBytes;
    private final int events;
    private final Report report;
    private final Progress progress;
    private final DevIdentityProvider identities;
    private final ManagedProcess gateway;
    private final URI url;
    private final String topic;
    private long nextId;

    /** Starts a gateway on the ledger; the performance tool writes to a topic with as many partitions. */
    HttpFigure(
            Installation installation,
            BenchLedger ledger,
            int payloadSizeBytes,
            int events,
            Report report,
            Progress progress) {
        this.installation = installation;
        this.ledger = ledger;
        this.payloadSizeBytes = payloadSizeBytes;
        this.events = events;
        this.report = report;
        this.progress = progress;
        this.topic = ledger.topics.prefix() + ".perf";
        this.identities = DevIdentityProvider.start(ledger.directory().resolve("identity-provider.jwk"), 0);
        int port = FreePorts.pick();
        int managementPort = FreePorts.pick();
        this.url = URI.create("http://127.0.0.1:" + port);
        this.gateway = ledger.gateway(identities, port, managementPort).start();
        gateway.awaitReady(URI.create("http://127.0.0.1:" + managementPort + "/q/health/ready"), READY);
    }

    static void declare(Report report, int payloadSizeBytes) {
        report.row(NAME, payloadSizeBytes, KAFKA, "events/s", "", "");
        report.row(NAME, payloadSizeBytes, KAFKA_TUNED, "events/s", KAFKA, "");
        report.row(NAME, payloadSizeBytes, NDJSON, "events/s", KAFKA, ">= 0.4");
        report.row(NAME, payloadSizeBytes, BATCH, "events/s", KAFKA, ">= 0.4");
    }

    /** A gateway runs for months: what its first seconds cost is not the figure. */
    void warmUp() throws InterruptedException {
        for (int run = 0; run < WARM_RUNS; run++) {
            load(NDJSON);
            load(BATCH);
        }
    }

    void round(int number) throws IOException, InterruptedException {
        if (number % 2 == 0) {
            baselines(number);
            http(NDJSON);
            http(BATCH);
        } else {
            http(BATCH);
            http(NDJSON);
            baselines(number);
        }
    }

    private void baselines(int number) throws IOException {
        kafka(KAFKA, ledger.log("perf-" + number), List.of());
        kafka(
                KAFKA_TUNED,
                ledger.log("perf-tuned-" + number),
                List.of("linger.ms=2", "batch.size=131072", "compression.type=lz4"));
    }

    private void kafka(String variant, Path log, List<String> settings) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "--topic",
                topic,
                "--num-records",
                Long.toString((long) TOOL_EVENTS_FACTOR
                        * events
                        * TOOL_PAYLOAD_SIZE_BYTES
                        / Math.max(payloadSizeBytes, TOOL_PAYLOAD_SIZE_BYTES)),
                "--record-size",
                Integer.toString(payloadSizeBytes),
                "--throughput",
                "-1",
                "--producer-props",
                "acks=all",
                "bootstrap.servers=" + ledger.bootstrapServers));
        arguments.addAll(settings);
        List<String> command = new JvmCommand(installation, 1024)
                .with("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                .main(
                        installation.brokerLib(),
                        "org.apache.kafka.tools.ProducerPerformance",
                        arguments.toArray(new String[0]));
        NewTopic perf = new NewTopic(topic, ledger.definition.shards(), (short) 1);
        Waiting.get(ledger.admin.createTopics(List.of(perf)).all());
        try (ManagedProcess tool = new ManagedProcess("perf", command, Map.of(), log).start()) {
            if (!tool.awaitExit(TIMEOUT) || tool.exitCode() != 0) {
                throw new IllegalStateException("the producer performance tool failed; " + tool.logTail());
            }
        }
        Waiting.get(ledger.admin.deleteTopics(List.of(topic)).all());
        sample(variant, warmRate(Files.readString(log)));
    }

    /** Median of what the tool told of its windows without the first; of a short run the whole, which comes last. */
    static double warmRate(String log) {
        List<Double> rates = new ArrayList<>();
        Matcher matcher = RATE.matcher(log);
        while (matcher.find()) {
            rates.add(Double.parseDouble(matcher.group(1)));
        }
        int whole = rates.size() - 1;
        return whole < 2 ? rates.get(whole) : Report.median(rates.subList(1, whole));
    }

    private void http(String variant) throws InterruptedException {
        sample(variant, load(variant));
    }

    private double load(String variant) throws InterruptedException {
        String token = identities.token("bench", TOKEN_LIFETIME, "ingester");
        HttpLoad load = new HttpLoad(url, token, payloadSizeBytes, nextId, variant.equals(BATCH));
        nextId += events;
        long before = ledger.endOffset(ledger.topics.events());
        double rate = load.asFastAsPossible(events);
        long written = ledger.endOffset(ledger.topics.events()) - before;
        if (written != events) {
            throw new IllegalStateException(events + " events were accepted, " + written + " are in the topic");
        }
        return rate;
    }

    private void sample(String variant, double rate) {
        report.sample(NAME, payloadSizeBytes, variant, rate);
        progress.say(String.format("  %-42s %,10.0f events/s", variant, rate));
    }

    @Override
    public void close() {
        gateway.close();
        identities.close();
    }
}
