// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.LocalCluster;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A bit that flips somewhere is found by those who run, without being asked. */
@Tag("ledgers")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ScrubIT {
    private static final Duration COMMAND = Duration.ofSeconds(60);
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String OFTEN_MILLIS = "500";
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    private static Path scratch;

    private static LocalCluster cluster;

    @BeforeAll
    static void startCluster() throws Exception {
        cluster = LocalCluster.start(new LocalCluster.Options(
                scratch.resolve("data"),
                2,
                1,
                1,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {},
                Map.of(
                        "checkpointer",
                        Map.of("ATTESTREAM_CHECKPOINTER_SCRUB_INTERVAL_MILLIS", OFTEN_MILLIS),
                        "processors",
                        Map.of("ATTESTREAM_STATE_SCRUB_INTERVAL_MILLIS", OFTEN_MILLIS)),
                false));
        Path events = Files.writeString(scratch.resolve("events.json"), """
                {"specversion":"1.0","id":"scrubbed","source":"/it","type":"test","data":{"n":1}}
                """);
        Script.Ended sent = Script.run(
                scratch, COMMAND, "append", "--data-dir", cluster.data().toString(), events.toString());
        assertThat(sent.exitCode()).as(sent.out() + sent.err()).isZero();
        // Stores are in files, not in memory alone, once they were closed.
        cluster.process("processors-0").close();
        cluster.startAgain("processors-0");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @ParameterizedTest
    @CsvSource({
        "checkpointer, objects, objects, /objects/segments/.*[.]seg",
        "checkpointer, kafka, topics events and checkpoints, /kafka/.*attestream.events-.*[.]log",
        "processors-0, stores, stores, /state/.*/rocksdb/.*[.]sst"
    })
    void aBitThatFlippedIsFoundAndGoneWhenItIsRight(String service, String part, String name, String file)
            throws Exception {
        // given
        awaitFound(service, part, "0.0");
        Path largest = largest(file);

        // when, then
        flip(largest);
        awaitFound(service, part, "1.0");
        assertThat(Files.readString(cluster.process(service).log())).contains("ALARM: " + name + " are damaged: ");

        // and when
        flip(largest);
        awaitFound(service, part, "0.0");
    }

    private static void awaitFound(String service, String part, String count) {
        String kind = service.replaceFirst("-0$", "");
        String metric = "attestream_" + kind + "_scrub_found{part=\"" + part + "\"} " + count;
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(metrics(service))
                        .contains(metric)
                        .contains("attestream_" + kind + "_scrub_age_seconds{part=\"" + part + "\"} "));
    }

    private static String metrics(String service) throws IOException, InterruptedException {
        URI metrics = cluster.serviceUrl(service).resolve("/metrics");
        return HTTP.send(
                        HttpRequest.newBuilder(metrics)
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static Path largest(String pattern) throws IOException {
        try (Stream<Path> files = Files.walk(cluster.data())) {
            return files.filter(file -> file.toString().matches(".*" + pattern))
                    .max(Comparator.comparingLong(file -> file.toFile().length()))
                    .orElseThrow();
        }
    }

    /** One bit, where it lies. */
    private static void flip(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long middle = channel.size() / 2;
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, middle);
            channel.write(ByteBuffer.wrap(new byte[] {(byte) (one.get(0) ^ 1)}), middle);
        }
    }
}
