// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.checkpointer.Decision.WithoutLeaf;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * An archive of every version that ever wrote one, as it was written: what was archived years ago verifies, is restored and gone on
 * from. A directory of {@code archives} has the objects, the ledger's key ({@code vkey}) and size and root of every checkpoint
 * ({@code checkpoints}); none is ever changed.
 */
class OldArchivesTest {
    private static final int SHARDS = 2;

    @TempDir
    private Path directory;

    static Stream<Path> archives() throws IOException, URISyntaxException {
        Path all = Path.of(Objects.requireNonNull(OldArchivesTest.class.getResource("/archives"), "archives")
                .toURI());
        try (Stream<Path> versions = Files.list(all)) {
            return versions.sorted().toList().stream();
        }
    }

    private static NoteVerifier key(Path archive) throws Exception {
        return NoteVerifier.parse(Files.readString(archive.resolve("vkey")).strip());
    }

    private static ObjectStore objects(Path archive) throws IOException {
        return new DirectoryObjectStore(archive.resolve("objects"));
    }

    private static String line(Checkpoint checkpoint) {
        return checkpoint.size() + " " + checkpoint.root().base64();
    }

    @ParameterizedTest
    @MethodSource("archives")
    void verifies(Path archive) throws Exception {
        // when
        ArchiveCheck.Result result = ArchiveCheck.openAlone(
                        key(archive), objects(archive), Long.MAX_VALUE, ArchiveCheck.Listener.NONE)
                .run();

        // then
        ArchiveCheck.Report report = ((ArchiveCheck.Result.Checked) result).report();
        List<String> checkpoints = Files.readAllLines(archive.resolve("checkpoints"));
        assertThat(report.findings()).isEmpty();
        assertThat(report.newest()).map(OldArchivesTest::line).contains(checkpoints.get(checkpoints.size() - 1));
    }

    @ParameterizedTest
    @MethodSource("archives")
    void isRestoredToEveryEpoch(Path archive) throws Exception {
        List<String> restored = new ArrayList<>();
        List<String> checkpoints = Files.readAllLines(archive.resolve("checkpoints"));
        for (int epoch = 0; epoch < checkpoints.size(); epoch++) {
            ArchiveRestorePoint.Result result = new ArchiveRestorePoint(
                            key(archive),
                            objects(archive),
                            epoch,
                            directory.resolve("epoch-" + epoch),
                            Optional.empty(),
                            ArchiveCheck.Listener.NONE)
                    .run();
            restored.add(line(((ArchiveRestorePoint.Result.Restored) result).checkpoint()));
        }
        assertThat(restored).isEqualTo(checkpoints);
    }

    /** The window knows its events, and the rules of its time hold. */
    @ParameterizedTest
    @MethodSource("archives")
    void itsNewestSnapshotIsGoneOnFrom(Path archive) throws Exception {
        // given
        NoteVerifier key = key(archive);
        Ledger ledger = new Ledger(key.keyName(), key, SHARDS);
        StoredSnapshots stored = new StoredSnapshots(objects(archive), ledger);
        SnapshotName newest = stored.names().get(0);
        StoredSnapshots.Stored snapshot = stored.load(newest, stored.manifest(newest));

        for (int shard = 0; shard < SHARDS; shard++) {
            // when
            StoredSnapshots.Shard state = snapshot.shards().get(shard);
            long next = state.state().head().nextOffset();
            int incarnation = snapshot.manifest().incarnation();
            ShardDecider decider = ShardDecider.resumed(shard, ledger, incarnation, state);

            // then
            assertThat(decide(decider, next, event(shard, "round-1-7", "payload 7")))
                    .isInstanceOf(WithoutLeaf.class);
            assertThat(decide(decider, next + 1, event(shard, "round-1-7", "another payload")))
                    .isInstanceOfSatisfying(
                            Leaf.class,
                            leaf -> assertThat(leaf.index())
                                    .isEqualTo(state.state().head().size().value()));
        }
    }

    private static Decision decide(ShardDecider decider, long offset, byte[] value) {
        return ((ShardDecider.Decided) decider.decide(offset, 1_800_000_000_000L, value)).decision();
    }

    private static byte[] event(int shard, String id, String payload) {
        for (int i = 0; ; i++) {
            String source = "/source/" + i;
            if (Routing.shard(TestLedger.TENANT, source, null, SHARDS) == shard) {
                return TestLedger.eventValue(source, id, payload, Map.of());
            }
        }
    }

    /** If it fails, a format has changed: what it wrote into {@code target} becomes the next directory of {@code archives}. */
    @Test
    void theNewestIsOfTheFormatsThatAreWritten() throws Exception {
        // given
        Path newest = archives().reduce((earlier, later) -> later).orElseThrow();

        // when
        Path written = Path.of("target", "archive-of-this-version").toAbsolutePath();
        write(written);

        // then
        assertThat(formats(objects(written)))
                .as("a format has changed: keep %s as archives/v<next>", written)
                .isEqualTo(formats(objects(newest)));
    }

    /** Packs, and segments behind them; every outcome; rules that change; a snapshot that was logged; Kafka lost at the end. */
    private static void write(Path archive) throws Exception {
        deleteIfThere(archive);
        Scene scene = new Scene(archive.resolve("objects"), SHARDS);
        scene.packLimits = new Unpacked.Limits(256, Long.MAX_VALUE, Long.MAX_VALUE);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        for (int shard = 0; shard < SHARDS; shard++) {
            scene.shards.get(shard).append(scene.ledger.rulesValue(shard, 2, 512));
        }
        for (int round = 0; round < 3; round++) {
            scene.growBy("round-" + round, 90);
            process.read();
            process.checkpointer.publishNewest();
            process.packer.round();
        }
        process.takeSnapshot();
        scene.grow("last");
        process.read();
        process.checkpointer.publishNewest();
        process.packer.round(); // removes the segments of which all is packed
        scene.loseKafka(2);
        process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        scene.grow("in the new cluster");
        process.read();
        process.checkpointer.publishNewest();
        process.takeSnapshot();
        Files.writeString(archive.resolve("vkey"), scene.ledger.key.verifier().vkey() + "\n", StandardCharsets.UTF_8);
        List<String> checkpoints = new ArrayList<>();
        for (LogRecord.Published published : scene.published()) {
            checkpoints.add(line(Checkpoint.parse(published.intent().noteText())));
        }
        Files.write(archive.resolve("checkpoints"), checkpoints);
    }

    private static void deleteIfThere(Path archive) throws IOException {
        if (Files.exists(archive)) {
            try (Stream<Path> files = Files.walk(archive)) {
                for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** By the kind of object, what each begins with, and its members and version. */
    private static Map<String, Set<String>> formats(ObjectStore store) throws Exception {
        Map<String, Set<String>> formats = new TreeMap<>();
        for (String name : store.list("")) {
            String kind = name.substring(0, name.indexOf('/')) + name.substring(name.lastIndexOf('.'));
            formats.computeIfAbsent(kind, any -> new TreeSet<>())
                    .add(format(store.get(name).orElseThrow()));
        }
        return formats;
    }

    private static String format(byte[] object) throws InvalidFormat {
        String text = new String(object, StandardCharsets.ISO_8859_1);
        boolean isBinary = text.startsWith("AT");
        String magic = isBinary ? HexFormat.of().formatHex(object, 0, 8) : "";
        int json = text.indexOf("{\"");
        // A header follows magic and length, in packs its digest too; behind it, or behind a manifest, comes something
        // else.
        boolean hasJson = isBinary ? json == 12 || json == 44 : json >= 0;
        return magic + (hasJson ? shape(Json.parseObject(object(text.substring(json)))) : "");
    }

    /** The text up to where its first object of JSON ends; there are no braces in its strings. */
    private static byte[] object(String text) {
        int depth = 0;
        for (int i = 0; i < text.length(); i++) {
            depth += text.charAt(i) == '{' ? 1 : text.charAt(i) == '}' ? -1 : 0;
            if (depth == 0) {
                return text.substring(0, i + 1).getBytes(StandardCharsets.ISO_8859_1);
            }
        }
        throw new AssertionError("an object of JSON does not end");
    }

    /** Members at every depth, versions, and what is in base64. */
    private static String shape(JsonValue value) throws InvalidFormat {
        if (value instanceof JsonValue.JsonArray array) {
            Set<String> elements = new TreeSet<>();
            for (JsonValue element : array.elements()) {
                elements.add(shape(element));
            }
            return elements.toString();
        }
        if (value instanceof JsonValue.JsonString string) {
            return encoded(string.value());
        }
        if (!(value instanceof JsonValue.JsonObject object)) {
            return "";
        }
        Map<String, String> members = new TreeMap<>();
        for (Map.Entry<String, JsonValue> member : object.members().entrySet()) {
            members.put(
                    member.getKey(),
                    member.getKey().equals("v") ? member.getValue().toString() : shape(member.getValue()));
        }
        return members.toString();
    }

    private static String encoded(String text) {
        try {
            byte[] bytes = Base64.getDecoder().decode(text);
            return bytes.length > 2 && bytes[0] == '{' ? shape(Json.parseObject(bytes)) : "";
        } catch (IllegalArgumentException | InvalidFormat e) {
            return ""; // is no base64, or not of JSON
        }
    }
}
