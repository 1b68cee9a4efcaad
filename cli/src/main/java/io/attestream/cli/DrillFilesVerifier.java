// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.cli.DrillCheck.Result;
import io.attestream.cli.DrillChecks.Failed;
import io.attestream.objects.ObjectStores;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.tile.EntryBundle;
import io.attestream.proofs.tile.TileNodeReader;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Judges a ledger that was restored as files, by what an auditor has: the public key, what was kept before, and the events' own
 * bytes. Reads the files as any client of tlog-tiles does.
 */
final class DrillFilesVerifier {
    private static final String LOG = "log";
    private static final long ARCHIVE_BYTES_PER_SECOND = 1L << 30;

    private final DrillScene scene;
    private final Path directory;
    private final DrillChecks checks;
    /** Entries of each shard, once they were held against the shard's root. */
    private final List<List<byte[]>> shards = new ArrayList<>();

    private final List<DrillLoad.Acknowledged> lost = new ArrayList<>();
    private Optional<Restored> restored = Optional.empty();

    /** What the restored files say of themselves; held against the key and the kept checkpoint by {@link #roots}. */
    private record Restored(String note, Checkpoint checkpoint, EpochLeaf leaf) {}

    DrillFilesVerifier(DrillScene scene, Consumer<Result> listener) {
        this.scene = scene;
        this.directory = scene.cluster().restored();
        this.checks = new DrillChecks(scene, listener);
    }

    /** @return events that were acknowledged and are not there, those behind the epoch too */
    List<DrillLoad.Acknowledged> run() {
        checks.run(DrillCheck.ROOTS, this::roots);
        checks.run(DrillCheck.ARCHIVE, this::archive);
        checks.run(DrillCheck.CONSISTENCY, this::consistency);
        checks.run(DrillCheck.ACKNOWLEDGED, this::acknowledged);
        checks.run(DrillCheck.BUNDLES, this::bundles);
        return List.copyOf(lost);
    }

    /** For the evidence; empty if there is no checkpoint. */
    Map<String, Object> state() {
        return restored.map(files -> Output.object(
                        "takenAt", Instant.now().toString(),
                        "ledgerKey", scene.cluster().vkey(),
                        "epoch", files.leaf().epoch(),
                        "eventLeaves", files.leaf().counts().getOrDefault("events", 0L),
                        "checkpoint", files.note(),
                        "acknowledged", scene.load().count()))
                .orElse(Map.of());
    }

    // ---- the files

    private String roots() throws Failed, IOException, InvalidFormat {
        String note = Files.readString(directory.resolve(LOG).resolve("checkpoint"));
        Checkpoint checkpoint = Checkpoints.verified(note, scene.key(), "the restored checkpoint");
        List<byte[]> epochs = entries(LOG, checkpoint.size(), checkpoint.root());
        EpochLeaf leaf = EpochLeaf.parse(epochs.get(epochs.size() - 1));
        restored = Optional.of(new Restored(note, checkpoint, leaf));
        if (!checkpoint.equals(scene.kept())) {
            throw new Failed("the kept checkpoint has size " + scene.kept().size() + ", the restored one "
                    + checkpoint.size() + (checkpoint.size().equals(scene.kept().size()) ? " with another root" : ""));
        }
        List<ShardHead> heads = scene.newest().heads();
        if (!ShardHead.vectorRoot(heads).equals(leaf.vectorRoot())) {
            throw new Failed("the heads that were published are not those of the restored epoch");
        }
        long leaves = 0;
        for (ShardHead head : heads) {
            shards.add(entries("shard/" + head.shard(), head.size(), head.root()));
            leaves += head.size().value();
        }
        return leaves + " leaves give every head of epoch " + leaf.epoch() + ", " + epochs.size() + " epochs its root";
    }

    /** All entries of a tree; fails unless entries and tiles both give its root. */
    private List<byte[]> entries(String tree, TreeSize size, Hash root) throws Failed, IOException, InvalidFormat {
        List<byte[]> entries = new ArrayList<>();
        CompactRange range = CompactRange.empty();
        for (long first = 0; first < size.value(); first += TilePath.FULL_WIDTH) {
            int width = (int) Math.min(TilePath.FULL_WIDTH, size.value() - first);
            String path = new TilePath.Entries(first / TilePath.FULL_WIDTH, width).path();
            for (byte[] entry : EntryBundle.decode(
                    Files.readAllBytes(directory.resolve(tree).resolve(path)))) {
                range.append(Rfc6962.leafHash(entry));
                entries.add(entry);
            }
        }
        requireRoot(tree, root, range.root());
        requireRoot(tree + "/tile", root, Proofs.root(size, nodes(tree, size)));
        return entries;
    }

    private static void requireRoot(String what, Hash expected, Hash actual) throws Failed {
        if (!actual.equals(expected)) {
            throw new Failed(what + " gives root " + actual.base64() + ", published was " + expected.base64());
        }
    }

    private TileNodeReader nodes(String tree, TreeSize size) {
        return new TileNodeReader(
                tile -> {
                    Path file = directory.resolve(tree).resolve(tile.path());
                    return Files.exists(file) ? Optional.of(Files.readAllBytes(file)) : Optional.empty();
                },
                size);
    }

    private String archive() throws Failed, IOException, InterruptedException {
        return DrillChecks.archived(ArchiveCheck.openAlone(
                        scene.key(),
                        ObjectStores.open(scene.cluster().objects().toString()),
                        ARCHIVE_BYTES_PER_SECOND,
                        ArchiveCheck.Listener.NONE)
                .run(Optional.of(scene.kept())));
    }

    private Restored files() throws Failed {
        return restored.orElseThrow(() -> new Failed("there is no restored checkpoint"));
    }

    /** The log goes on from every checkpoint that was kept before. */
    private String consistency() throws Failed, IOException, InvalidFormat {
        TreeSize size = files().checkpoint().size();
        TileNodeReader nodes = nodes(LOG, size);
        for (String saved : scene.bundles().values()) {
            Checkpoint kept = checkpoint(DrillChecks.parse(saved));
            if (kept.size().value() > size.value()) {
                throw new Failed("a bundle has a checkpoint of size " + kept.size() + ", the restored one has " + size);
            }
            requireRoot("the log at size " + kept.size(), kept.root(), Proofs.root(kept.size(), nodes));
        }
        return "with the checkpoints of " + scene.bundles().size() + " bundles";
    }

    private Checkpoint checkpoint(ProofBundle bundle) {
        return Checkpoints.verified(bundle.note(), scene.key(), "the checkpoint of a bundle");
    }

    // ---- the events

    private String acknowledged() throws Failed, InvalidFormat {
        List<Map<String, Integer>> known = new ArrayList<>();
        for (List<byte[]> entries : shards) {
            known.add(events(entries));
        }
        int covered = 0;
        for (DrillLoad.Acknowledged event : scene.load().acknowledged()) {
            if (scene.newest().covers(event.shard(), event.offset())) {
                covered++;
                if (event.shard() >= known.size() || known.get(event.shard()).getOrDefault(event.id(), 0) != 1) {
                    lost.add(event);
                }
            }
        }
        if (covered == 0 || !lost.isEmpty()) {
            throw new Failed(lost.size() + " of " + covered + " that the epoch accounts for are not one leaf each"
                    + lost.stream()
                            .findFirst()
                            .map(event -> "; first " + event.id())
                            .orElse(""));
        }
        return covered + " events that the epoch accounts for";
    }

    /** How often each id is an event leaf. */
    private static Map<String, Integer> events(List<byte[]> entries) throws InvalidFormat {
        Map<String, Integer> ids = new HashMap<>();
        for (byte[] entry : entries) {
            JsonObject json = Json.parseObject(entry);
            if (json.string("kind").equals("event")) {
                ids.merge(json.object("event").string("id"), 1, Integer::sum);
            }
        }
        return ids;
    }

    private String bundles() throws Failed, InvalidFormat {
        for (Map.Entry<String, String> saved : scene.bundles().entrySet()) {
            ProofBundle bundle = DrillChecks.parse(saved.getValue());
            checks.requireProves(bundle, DrillLoad.event(saved.getKey()));
            int shard = ShardHead.parse(bundle.head()).shard();
            long index = bundle.leafIndex().value();
            if (shard >= shards.size()
                    || index >= shards.get(shard).size()
                    || !Arrays.equals(bundle.entry(), shards.get(shard).get((int) index))) {
                throw new Failed(saved.getKey() + " is another leaf than it was");
            }
        }
        return scene.bundles().size() + " bundles";
    }
}
