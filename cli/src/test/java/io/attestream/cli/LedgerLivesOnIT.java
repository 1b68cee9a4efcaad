// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Rfc6962;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The main job as a user runs it, then the same ledger through a SIGKILL. One data directory for all, in this order. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("restores")
class LedgerLivesOnIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration DEMO = Duration.ofMinutes(4);
    private static final Duration COMMAND = Duration.ofSeconds(60);

    @TempDir
    private static Path scratch;

    private static Path data() {
        return scratch.resolve("data");
    }

    @Test
    @Order(1)
    void demoProvesEveryEventAndLeavesNoProcess() throws Exception {
        // when
        Script.Ended demo = Script.run(scratch, DEMO, "demo", "-o", "json", "--data-dir", data().toString());

        // then
        assertThat(demo.exitCode()).as(demo.err()).isZero();
        JsonNode result = JSON.readTree(demo.out());
        long events = Events.lines(Script.HOME.resolve("samples/github-webhooks.ndjson"))
                .size();
        assertThat(result.path("events").asLong()).isEqualTo(events);
        assertThat(result.path("accepted").asLong()).isEqualTo(events);
        assertThat(result.path("verified").asLong()).isEqualTo(events);
        assertThat(result.path("leaves").asLong() + result.path("duplicates").asLong())
                .isEqualTo(events);
        assertThat(result.path("failed").asLong()).isZero();
        assertThat(result.path("resentAdded").asLong()).isZero();
        assertThat(result.path("tamperDetected").asBoolean()).isTrue();
        assertThat(result.path("epochs").asLong()).isPositive();
        assertThat(result.path("ledgerKey").asText())
                .startsWith(result.path("origin").asText() + "+");
        assertThat(Up.livingProcesses(data())).isEmpty();
    }

    @Test
    @Order(2)
    void theSameLedgerGoesOnAfterTheLauncherWasKilled() throws Exception {
        // given a running cluster with a kept checkpoint and proof
        Up first = Up.start(scratch, data());
        String key = first.cluster().ledgerKey();
        Path checkpoint = scratch.resolve("before.checkpoint");
        run("checkpoint", "--data-dir", data().toString(), "--save", checkpoint.toString());
        Path event = oneEvent("before-the-kill");
        Path bundle = scratch.resolve("before.attest.json");
        saveBundle(append(event), bundle);

        // when the launcher dies without a word
        first.kill();
        await().atMost(60, TimeUnit.SECONDS)
                .until(() -> Up.livingProcesses(data()).isEmpty());
        try (Up second = Up.start(scratch, data())) {
            // then it is the same ledger, and it only grew
            assertThat(second.cluster().ledgerKey()).isEqualTo(key);
            run("consistency", "--data-dir", data().toString(), checkpoint.toString());
            run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", key);

            // and what was in it is known, what is new goes in
            Path again = scratch.resolve("again.attest.json");
            assertThat(saveBundle(append(event), again)).isEqualTo("duplicate");
            Path fresh = oneEvent("after-the-kill");
            Path freshBundle = scratch.resolve("after.attest.json");
            assertThat(saveBundle(append(fresh), freshBundle)).isEqualTo("leaf");
            run("verify", freshBundle.toString(), "--event", fresh.toString(), "--ledger-key", key);
            run("monitor", "--data-dir", data().toString(), "--once");

            // and a second build of the trees meets the kept checkpoint, and no other of its size
            run("rebuild", "--data-dir", data().toString(), "--checkpoint", checkpoint.toString());
            Script.Ended different = Script.run(
                    scratch,
                    COMMAND,
                    "rebuild",
                    "--data-dir",
                    data().toString(),
                    "--checkpoint",
                    rewritten(checkpoint).toString());
            assertThat(different.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
            assertThat(different.out()).contains("DIFFERENT").contains("is not among the");

            // and a bit that flipped in the object store is found, and named
            run("fsck", "--data-dir", data().toString());
            String objects = data().resolve("objects").toString();
            run("fsck", "--alone", "--objects", objects, "--ledger-key", key, "--checkpoint", checkpoint.toString());
            String other = rewritten(checkpoint).toString();
            Script.Ended notAmong = Script.run(
                    scratch,
                    COMMAND,
                    "fsck",
                    "--alone",
                    "--objects",
                    objects,
                    "--ledger-key",
                    key,
                    "--checkpoint",
                    other);
            assertThat(notAmong.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
            Path segment = newestSegment();
            byte[] good = Files.readAllBytes(segment);
            byte[] bad = good.clone();
            bad[bad.length - 1] ^= 1;
            Files.write(segment, bad);
            Script.Ended damaged = Script.run(scratch, COMMAND, "fsck", "--data-dir", data().toString());
            assertThat(damaged.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
            assertThat(damaged.out())
                    .contains("DAMAGED")
                    .contains("segments/" + segment.getFileName())
                    .contains("its name says");

            // and Kafka has it still, and all the others
            run("restore", "objects", "--data-dir", data().toString());
            assertThat(Files.readAllBytes(segment)).isEqualTo(good);
            assertThat(data().resolve("objects/damaged/segments")).isNotEmptyDirectory();
            assertThat(run("fsck", "--data-dir", data().toString()).out())
                    .contains("good  objects: ")
                    .contains("good  Kafka: ")
                    .contains("good  state: ");

            // and a bit that flips in a state store, or in a segment of topic events, is found, and named
            requireFlipFound(largest(data().resolve("state"), "/rocksdb/.*[.]sst"), "DAMAGED  state: ", "rocksdb/");
            requireFlipFound(
                    largest(data().resolve("kafka"), "/attestream.events-.*[.]log"),
                    "DAMAGED  Kafka: ",
                    "attestream.events");

            // and a proof does not fit another event
            Script.Ended wrong = Script.run(
                    scratch, COMMAND, "verify", bundle.toString(), "--event", fresh.toString(), "--ledger-key", key);
            assertThat(wrong.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
            assertThat(wrong.out()).contains("FAILED").contains("event-attributes");

            // and a second launcher on the same directory is refused
            Script.Ended refused = Script.run(scratch, COMMAND, "up", "--data-dir", data().toString());
            assertThat(refused.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(refused.err()).contains("another cluster runs");
        }
        assertThat(Up.livingProcesses(data())).isEmpty();
    }

    private void requireFlipFound(Path file, String verdict, String where) throws Exception {
        byte[] good = Files.readAllBytes(file);
        byte[] bad = good.clone();
        bad[bad.length / 2] ^= 1;
        Files.write(file, bad);
        Script.Ended damaged = Script.run(scratch, COMMAND, "fsck", "--data-dir", data().toString());
        Files.write(file, good);
        assertThat(damaged.exitCode()).as(damaged.out() + damaged.err()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(damaged.out()).contains(verdict).contains(where);
    }

    private static Path largest(Path directory, String pattern) throws Exception {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.toString().matches(".*" + pattern))
                    .max(Comparator.comparingLong(file -> file.toFile().length()))
                    .orElseThrow();
        }
    }

    private static Path newestSegment() throws IOException {
        try (Stream<Path> segments = Files.list(data().resolve("objects/segments"))) {
            return segments.filter(file -> file.toString().endsWith(".seg"))
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
        }
    }

    /** What whoever holds the ledger's key could sign too. */
    private static Path rewritten(Path checkpoint) throws IOException, InvalidFormat {
        NoteSigner key = NoteSigner.parse(
                Files.readString(data().resolve("keys/ledger.skey")).strip());
        Checkpoint kept =
                Checkpoint.parse(SignedNote.parse(Files.readString(checkpoint)).text());
        Checkpoint other = new Checkpoint(kept.origin(), kept.size(), Rfc6962.EMPTY_ROOT);
        return Files.writeString(
                scratch.resolve("rewritten.checkpoint"),
                SignedNote.sign(other.text(), key).encode());
    }

    private static Path oneEvent(String id) throws IOException {
        Path file = scratch.resolve(id + ".json");
        Files.writeString(file, """
                {"specversion":"1.0","id":"%s","source":"/it","type":"test","data":{"n":1}}
                """.formatted(id));
        return file;
    }

    private static String append(Path event) throws Exception {
        JsonNode result = JSON.readTree(run("append", "--data-dir", data().toString(), "-o", "json", event.toString())
                .out());
        return result.path("results").path(0).path("receipt").path("href").asText();
    }

    private static String saveBundle(String receipt, Path file) throws Exception {
        Script.Ended ended = run(
                "receipt",
                "--data-dir",
                data().toString(),
                receipt,
                "--wait",
                "30",
                "--save",
                file.toString(),
                "-o",
                "json");
        return JSON.readTree(ended.out()).path("status").asText();
    }

    private static Script.Ended run(String... arguments) throws Exception {
        Script.Ended ended = Script.run(scratch, COMMAND, arguments);
        assertThat(ended.exitCode())
                .as(String.join(" ", arguments) + "\n" + ended.out() + ended.err())
                .isZero();
        return ended;
    }
}
