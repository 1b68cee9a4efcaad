// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.chaos.S3Server;
import io.attestream.chaos.S3Server.Fault;
import io.attestream.objects.keys.PayloadKeysSetting;
import io.attestream.proofs.archive.ObjectStore.PutResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

class S3ObjectStoreTest {
    private static final S3ObjectStore.Timeouts ENOUGH =
            new S3ObjectStore.Timeouts(Duration.ofSeconds(10), Duration.ofSeconds(20), Duration.ofSeconds(60));
    /** For servers that hang. */
    private static final S3ObjectStore.Timeouts SHORT =
            new S3ObjectStore.Timeouts(Duration.ofSeconds(2), Duration.ofSeconds(2), Duration.ofSeconds(6));

    @TempDir
    private Path directory;

    private S3Server server;
    private S3ObjectStore store;

    @BeforeEach
    void open() throws IOException {
        server = S3Server.start();
        store = open(ENOUGH);
    }

    private S3ObjectStore open(S3ObjectStore.Timeouts timeouts) {
        ObjectLocation.S3 location =
                (ObjectLocation.S3) ObjectLocation.parse("s3://bucket/ledger?endpoint=" + server.endpoint());
        return new S3ObjectStore(
                S3ObjectStore.builder(location, timeouts)
                        .credentialsProvider(
                                StaticCredentialsProvider.create(AwsBasicCredentials.create("id", "secret")))
                        .build(),
                location);
    }

    @AfterEach
    void close() {
        store.close();
        server.close();
    }

    @Test
    void givesBackWhatWasPutUnderThePrefix() throws Exception {
        assertThat(store.get("a/b.seg")).isEmpty();
        assertThat(store.get("a/b.seg", 0, 1)).isEmpty();
        assertThat(store.putIfAbsent("a/b.seg", utf8("content"))).isEqualTo(new PutResult.Created());
        assertThat(store.get("a/b.seg")).contains(utf8("content"));
        assertThat(server.objects()).containsOnlyKeys("bucket/ledger/a/b.seg");
    }

    @Test
    void neverOverwrites() throws Exception {
        store.putIfAbsent("x", utf8("first"));
        assertThat(store.putIfAbsent("x", utf8("first"))).isEqualTo(new PutResult.SameBytes());
        assertThat(store.putIfAbsent("x", utf8("second"))).isEqualTo(new PutResult.DifferentBytes());
        assertThat(store.get("x")).contains(utf8("first"));
    }

    /** Beyond a megabyte HTTP clients like to ask first. */
    @Test
    void neverOverwritesWhatIsLargeEither() throws Exception {
        byte[] large = new byte[3 << 20];
        assertThat(store.putIfAbsent("x", large)).isEqualTo(new PutResult.Created());
        large[0] = 1;
        assertThat(store.putIfAbsent("x", large)).isEqualTo(new PutResult.DifferentBytes());
    }

    @Test
    void replacesOnlyWhenTold() throws Exception {
        store.putIfAbsent("x", utf8("damaged"));
        store.replace("x", utf8("good"));
        assertThat(store.get("x")).contains(utf8("good"));
    }

    @Test
    void readsAPartAndRefusesOneThatIsNotThere() throws Exception {
        store.putIfAbsent("x", utf8("0123456789"));
        assertThat(store.get("x", 3, 4)).contains(utf8("3456"));
        assertThat(store.get("x", 3, 0)).contains(new byte[0]);
        assertThatThrownBy(() -> store.get("x", 8, 4)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.get("x", 10, 1)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.get("x", -1, 1)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.get("x", 11, 0)).isInstanceOf(IOException.class);
    }

    @Test
    void listsAllPagesOfItsOwnPrefixSorted() throws Exception {
        // given more objects than one page of the server has, and those of a neighbour
        List<String> names = IntStream.range(0, 250)
                .mapToObj(i -> String.format("segments/%03d", i))
                .toList();
        for (String name : names) {
            server.objects().put("bucket/ledger/" + name, utf8("x"));
        }
        server.objects().put("bucket/ledger/guard/1", utf8("x"));
        server.objects().put("bucket/ledger2/segments/999", utf8("x"));

        // then
        assertThat(store.list("segments/")).isEqualTo(names);
        assertThat(store.list("")).hasSize(251).isSorted();
    }

    @Test
    void letsOneOfManyWritersCreateAnObject() throws Exception {
        // given writers of different bytes under one name
        int writers = 6;
        CyclicBarrier together = new CyclicBarrier(writers);
        ExecutorService threads = Executors.newFixedThreadPool(writers);
        List<Future<PutResult>> results = new ArrayList<>();
        for (int i = 0; i < writers; i++) {
            byte[] bytes = utf8("of writer " + i);
            results.add(threads.submit(() -> {
                together.await();
                return store.putIfAbsent("x", bytes);
            }));
        }
        int created = 0;
        for (Future<PutResult> result : results) {
            created += result.get(30, TimeUnit.SECONDS) instanceof PutResult.Created ? 1 : 0;
        }
        threads.shutdown();
        assertThat(created).isEqualTo(1);
    }

    @Test
    void goesOnBehindAServerThatIsUnavailableForAMoment() throws Exception {
        server.faults((method, key, number) -> number <= 2 ? Fault.UNAVAILABLE : Fault.NONE);
        assertThat(store.putIfAbsent("x", utf8("content"))).isEqualTo(new PutResult.Created());
        assertThat(server.requests()).isEqualTo(3);
    }

    @Test
    void aWriteWhoseAnswerWasLostIsFoundByTheNextAttempt() throws Exception {
        server.faults((method, key, number) -> number == 1 ? Fault.ANSWER_LOST : Fault.NONE);
        assertThat(store.putIfAbsent("x", utf8("content"))).isEqualTo(new PutResult.SameBytes());
        assertThat(server.objects().get("bucket/ledger/x")).isEqualTo(utf8("content"));
    }

    /** The race: our answer is lost, and meanwhile another writer's object turns out to be there. */
    @Test
    void aLostRaceIsSeenBehindALostAnswer() throws Exception {
        server.faults((method, key, number) -> {
            if (number == 1) {
                server.objects().put("bucket/ledger/x", utf8("of the other"));
                return Fault.ANSWER_LOST;
            }
            return Fault.NONE;
        });
        assertThat(store.putIfAbsent("x", utf8("ours"))).isEqualTo(new PutResult.DifferentBytes());
        assertThat(store.get("x")).contains(utf8("of the other"));
    }

    @Test
    void removesAnObjectAlsoWhenTheFirstAnswerIsLostAndWhenThereIsNone() throws Exception {
        store.putIfAbsent("x", utf8("content"));
        store.putIfAbsent("y", utf8("content"));
        server.faults((method, key, number) -> number == 1 ? Fault.ANSWER_LOST : Fault.NONE);
        store.delete("x");
        store.delete("x");
        assertThat(server.objects()).containsOnlyKeys("bucket/ledger/y");
        assertThat(store.putIfAbsent("x", utf8("again"))).isEqualTo(new PutResult.Created());
    }

    @Test
    void aConflictWithAnotherWriterIsTriedAgain() throws Exception {
        server.faults((method, key, number) -> number <= 2 ? Fault.CONFLICT : Fault.NONE);
        assertThat(store.putIfAbsent("x", utf8("content"))).isEqualTo(new PutResult.Created());
    }

    @Test
    void conflictsWithoutEndAreAnError() {
        server.faults((method, key, number) -> Fault.CONFLICT);
        assertThatThrownBy(() -> store.putIfAbsent("x", utf8("content")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("put x at s3://bucket/ledger/");
        assertThat(server.objects()).isEmpty();
    }

    @Test
    void aRequestThatHangsIsTriedAgain() throws Exception {
        store.close();
        store = open(SHORT);
        server.faults((method, key, number) -> number == 1 ? Fault.HANGS : Fault.NONE);
        assertThat(store.putIfAbsent("x", utf8("content"))).isEqualTo(new PutResult.Created());
    }

    @ParameterizedTest
    @CsvSource({"UNAVAILABLE", "HANGS"})
    void aServerThatNeverAnswersIsAnErrorAndNoMissingObject(Fault fault) {
        store.close();
        store = open(SHORT);
        server.objects().put("bucket/ledger/x", utf8("content"));
        server.faults((method, key, number) -> fault);
        assertThatThrownBy(() -> store.get("x")).isInstanceOf(IOException.class).hasMessageContaining("get x");
        assertThatThrownBy(() -> store.list("")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.putIfAbsent("y", utf8("new"))).isInstanceOf(IOException.class);
    }

    @Test
    void aBodyThatEndsTooEarlyIsNeverTakenForTheObject() throws Exception {
        server.objects().put("bucket/ledger/x", new byte[100_000]);
        server.faults((method, key, number) -> Fault.BODY_CUT);
        assertThatThrownBy(() -> store.get("x")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.get("x", 10, 50_000)).isInstanceOf(IOException.class);

        // and a later attempt of the same call is good
        server.faults((method, key, number) -> number == 1 ? Fault.BODY_CUT : Fault.NONE);
        assertThat(store.get("x").map(bytes -> bytes.length)).contains(100_000);
    }

    @Test
    void aBodyDamagedOnItsWayIsRefused() {
        server.objects().put("bucket/ledger/x", new byte[1_000]);
        server.faults((method, key, number) -> Fault.BIT_FLIPPED);
        assertThatThrownBy(() -> store.get("x")).isInstanceOf(IOException.class);
    }

    /** The server is told what has to come. */
    @Test
    void anObjectDamagedOnItsWayThereIsNotStored() throws Exception {
        store.putIfAbsent("x", utf8("good"));
        server.faults((method, key, number) -> Fault.BIT_FLIPPED);
        assertThatThrownBy(() -> store.replace("x", utf8("better"))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.putIfAbsent("y", utf8("content"))).isInstanceOf(IOException.class);
        assertThat(server.objects()).containsOnlyKeys("bucket/ledger/x");
        assertThat(server.objects().get("bucket/ledger/x")).isEqualTo(utf8("good"));
    }

    @Test
    void aStoreThatKeepsItsPromisesMayBeWrittenTo() throws Exception {
        store.requireKeepsItsPromises();
        store.requireKeepsItsPromises(); // with the probe of the last start there
    }

    @ParameterizedTest
    @CsvSource({"OVERWRITES, overwrites objects", "DIGEST_IGNORED, do not have the digest"})
    void aStoreThatDoesNotIsRefused(Fault fault, String reason) {
        server.faults((method, key, number) -> fault);
        assertThatThrownBy(store::requireKeepsItsPromises)
                .isInstanceOf(IOException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void whoWritesIsNotGivenAStoreThatDoesNot() throws Exception {
        String location = "s3://bucket/ledger?endpoint=" + server.endpoint();
        Path key =
                Files.writeString(directory.resolve("kek"), Base64.getEncoder().encodeToString(new byte[32]));
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        server.faults((method, object, number) -> Fault.OVERWRITES);
        System.setProperty("aws.accessKeyId", "id");
        System.setProperty("aws.secretAccessKey", "secret");
        try {
            assertThatThrownBy(() -> ObjectStores.openForWriting(location))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("overwrites objects");
            assertThatThrownBy(() -> PayloadKeysSetting.open(Optional.of(location), Optional.of(key), 1))
                    .hasMessageContaining("overwrites objects");
            assertThatThrownBy(() -> PayloadKeysSetting.create(location, key))
                    .hasMessageContaining("overwrites objects");
            server.faults((method, object, number) -> Fault.NONE);
            String good = location.replace("ledger", "keys");
            PayloadKeysSetting.create(good, key);
            assertThat(PayloadKeysSetting.open(Optional.of(good), Optional.of(key), 1)
                            .orElseThrow()
                            .current("acme", "ann")
                            .id())
                    .endsWith("-1");
            server.faults((method, object, number) -> Fault.OVERWRITES);
            assertThat(ObjectStores.open(location)).isNotNull(); // who reads needs no more than that
        } finally {
            System.clearProperty("aws.accessKeyId");
            System.clearProperty("aws.secretAccessKey");
        }
    }

    @Test
    void readsTheLocation() {
        assertThat(ObjectLocation.parse("/var/lib/objects")).isInstanceOf(ObjectLocation.Directory.class);
        assertThat(ObjectLocation.parse("s3://a-bucket")).hasToString("s3://a-bucket/");
        ObjectLocation.S3 full = (ObjectLocation.S3)
                ObjectLocation.parse("s3://b-1/p/q?region=eu-central-1&endpoint=https://s3.local:9000");
        assertThat(full).hasToString("s3://b-1/p/q/");
        assertThat(full.region()).contains("eu-central-1");
        assertThat(full.endpoint().map(Object::toString)).isEqualTo(Optional.of("https://s3.local:9000"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "gs://bucket",
                "s3://",
                "s3://B",
                "s3://bucket/a//b",
                "s3://bucket/a b",
                "s3://bucket?region",
                "s3://bucket?region=",
                "s3://bucket?acl=public",
                "s3://bucket?region=a&region=b",
                "s3://bucket?endpoint=ftp://x",
                "s3://bucket?endpoint=http://user:secret@x"
            })
    void refusesWhatIsNoLocation(String text) {
        assertThatThrownBy(() -> ObjectLocation.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("object store")
                .hasMessageNotContaining("secret");
    }

    @Test
    void aServerOfOnesOwnNeedsNoRegion() throws Exception {
        try (S3ObjectStore opened = S3ObjectStore.open(
                (ObjectLocation.S3) ObjectLocation.parse("s3://bucket/p?endpoint=" + server.endpoint()), ENOUGH)) {
            assertThat(opened).isNotNull();
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
