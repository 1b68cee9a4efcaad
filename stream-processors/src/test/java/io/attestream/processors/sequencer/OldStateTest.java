// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.processors.TestLedger;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.schemas.avro.Sealed;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The sequencer's stores as every version that ever ran wrote them: what a changelog holds is taken up by the version that comes
 * after. A file of {@code states} has a record in hex a line; none is ever changed.
 */
class OldStateTest {
    private static final int SHARD = 1;
    private static final int SHARDS = 2;
    private static final int EVENTS = 330;
    private static final StateLife LIFE = new StateLife(1, 1, new Uuid(1, 2), new byte[32]);
    private static final HexFormat HEX = HexFormat.of();

    static Stream<Path> states() throws IOException, URISyntaxException {
        Path all = Path.of(Objects.requireNonNull(OldStateTest.class.getResource("/states"), "states")
                .toURI());
        try (Stream<Path> versions = Files.list(all)) {
            return versions.sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("states")
    void isTakenUpAndGoneOnFrom(Path file) throws Exception {
        // given
        MemoryStores stores = new MemoryStores();
        CompactRange range = CompactRange.empty();
        String vkey = "";
        for (String line : Files.readAllLines(file)) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "vkey" -> vkey = words[1];
                case "edge" -> stores.putEdge(HEX.parseHex(words[1]));
                case "control" -> stores.putControl(HEX.parseHex(words[1]));
                case "tile" -> stores.putTile(HEX.parseHex(words[1]), HEX.parseHex(words[2]));
                case "leaf" -> range.append(Hash.ofHex(words[1]));
                default -> throw new AssertionError(line);
            }
        }

        // when
        ShardState state = ShardState.open(SHARD, SHARDS, LIFE, NoteVerifier.parse(vkey), stores);

        // then what was there before is known, in the stored tile and in the edge
        long size = state.size();
        assertThat(size).isEqualTo(range.size().value());
        assertThat(accept(state, "id-7", "content").decision()).isEqualTo(new Decision.Duplicate(8));
        assertThat(accept(state, "id-320", "content").decision()).isEqualTo(new Decision.Duplicate(322));
        assertThat(state.size()).isEqualTo(size);

        // and the tree goes on
        Decision decision = accept(state, "new", "content").decision();
        range.append(Hash.of(((Decision.Leaf) decision).leafHash()));
        Sealed delta = state.seal().orElseThrow();
        assertThat(delta.getHead().getSize()).isEqualTo(size + 1);
        assertThat(delta.getHead().getRoot().bytes()).isEqualTo(range.root().bytes());
        assertThat(delta.getHead().getNextOffset()).isEqualTo(state.nextOffset());
    }

    private static ShardState.Step accept(ShardState state, String id, String content) {
        byte[] value = new TestLedger(SHARDS, 256).eventValue(SHARD, id, content);
        return state.accept(state.nextOffset(), 1_000 + state.nextOffset(), value);
    }

    /** If it fails, a format has changed: what it wrote into {@code target} becomes the next file of {@code states}. */
    @Test
    void theNewestIsOfTheFormatsThatAreWritten() throws Exception {
        // given
        Path newest = states().reduce((earlier, later) -> later).orElseThrow();

        // when
        Path written = Path.of("target", "state-of-this-version.txt").toAbsolutePath();
        Files.write(written, write());

        // then
        assertThat(formats(written))
                .as("a format has changed: keep %s as states/sequencer-v<next>.txt", written)
                .isEqualTo(formats(newest));
    }

    /** A full tile and a part of the next, under rules that were changed. */
    private static List<String> write() {
        TestLedger ledger = new TestLedger(SHARDS, 256);
        MemoryStores stores = new MemoryStores();
        ShardState state = ShardState.open(SHARD, SHARDS, LIFE, ledger.key.verifier(), stores);
        List<String> leaves = new ArrayList<>();
        List<byte[]> values = new ArrayList<>(List.of(ledger.genesisValue(SHARD)));
        for (int event = 0; event < EVENTS; event++) {
            if (event == EVENTS / 2) {
                values.add(ledger.rulesValue(SHARD, 2, 512));
            }
            values.add(ledger.eventValue(SHARD, "id-" + event, "content"));
        }
        for (byte[] value : values) {
            Decision decision = state.accept(state.nextOffset(), 1_000 + state.nextOffset(), value)
                    .decision();
            leaves.add("leaf " + HEX.formatHex(((Decision.Leaf) decision).leafHash()));
        }
        List<String> lines = new ArrayList<>();
        lines.add("vkey " + ledger.key.verifier().vkey());
        lines.add("edge " + HEX.formatHex(Objects.requireNonNull(stores.edge())));
        lines.add("control " + HEX.formatHex(Objects.requireNonNull(stores.control())));
        stores.tiles()
                .forEach((key, tile) ->
                        lines.add("tile " + HEX.formatHex(key.array()) + " " + HEX.formatHex(tile.array())));
        lines.addAll(leaves);
        return lines;
    }

    /** The version in the edge, and how long each record is. */
    private static Map<String, String> formats(Path file) throws IOException {
        Map<String, String> formats = new TreeMap<>();
        for (String line : Files.readAllLines(file)) {
            String[] words = line.split(" ");
            byte[] record = words[0].equals("vkey") ? new byte[0] : HEX.parseHex(words[words.length - 1]);
            if (words[0].equals("edge")) {
                formats.put("edge", "version " + ByteBuffer.wrap(record).getInt() + ", " + record.length + " bytes");
            } else if (words[0].equals("tile")) {
                formats.put("tile " + words[1], record.length + " bytes");
            }
        }
        return formats;
    }
}
