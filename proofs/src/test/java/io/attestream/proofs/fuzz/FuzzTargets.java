// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** All targets of this package, and what each begins with. */
final class FuzzTargets {
    private static final String SUFFIX = "Fuzz.class";

    private FuzzTargets() {}

    /** Which golden files a target's own inputs are in; {@link #TEXTS} has those no golden file has. */
    private static final Map<String, List<String>> OWN = Map.ofEntries(
            Map.entry("Attestation", List.of("attestation-")),
            Map.entry("CanonicalEntry", List.of("entry-")),
            Map.entry("CanonicalJson", List.of("entry-", "control-", "shard-head-", "epoch-leaf-")),
            Map.entry("Checkpoint", List.of()),
            Map.entry("ControlRecord", List.of("control-")),
            Map.entry("EntryBundle", List.of()),
            Map.entry("EpochLeaf", List.of("epoch-leaf-")),
            Map.entry("EpochObject", List.of("epoch-v1")),
            Map.entry("Json", List.of("entry-", "control-", "epoch-leaf-", "proof-bundle-")),
            Map.entry("KeyHistory", List.of("key-change-", "keys-history-v1")),
            Map.entry("NoteKey", List.of("keys-v1", "ml-dsa-44-v1")),
            Map.entry("Pack", List.of("pack-v1", "payload-pack-")),
            Map.entry("PayloadObject", List.of("payloads-")),
            Map.entry("ProofBundle", List.of("proof-bundle-")),
            Map.entry("Scalar", List.of()),
            Map.entry("Segment", List.of("segment-")),
            Map.entry("ShardHead", List.of("shard-head-")),
            Map.entry("ShardSnapshot", List.of("shard-snapshot-")),
            Map.entry("Snapshot", List.of("snapshot-v1")),
            Map.entry("SignedNote", List.of("checkpoint-")),
            Map.entry("TilePath", List.of()),
            Map.entry("TlogProof", List.of("leaf-v1.tlog-proof")),
            Map.entry("WindowBlock", List.of("window-")));

    /** Every parser of the module, and the target that runs it. */
    static final Map<String, String> PARSERS = Map.ofEntries(
            Map.entry("Base64Text.decode", "Scalar"),
            Map.entry("CanonicalEntry.parse", "CanonicalEntry"),
            Map.entry("Checkpoint.parse", "Checkpoint"),
            Map.entry("Continuation.parse", "KeyHistory"),
            Map.entry("ControlRecord.read", "ControlRecord"),
            Map.entry("Decimal.parseUnsigned", "Scalar"),
            Map.entry("EntryBundle.decode", "EntryBundle"),
            Map.entry("Envelope.parse", "Attestation"),
            Map.entry("EntryKind.ofWord", "Scalar"),
            Map.entry("EpochLeaf.parse", "EpochLeaf"),
            Map.entry("Erasure.of", "CanonicalEntry"),
            Map.entry("EpochObject.parse", "EpochObject"),
            Map.entry("Hash.ofBase64", "Scalar"),
            Map.entry("Hash.ofHex", "Scalar"),
            Map.entry("Jcs.parseCanonicalObject", "CanonicalJson"),
            Map.entry("Json.parse", "Json"),
            Map.entry("Json.parseObject", "CanonicalJson"),
            Map.entry("KeyChange.parse", "KeyHistory"),
            Map.entry("KeyChanges.parse", "KeyHistory"),
            Map.entry("KeyStep.parse", "KeyHistory"),
            Map.entry("LeafIndex.parse", "Scalar"),
            Map.entry("LogTime.parse", "Scalar"),
            Map.entry("MlDsaSigner.parse", "NoteKey"),
            Map.entry("MlDsaVerifier.parse", "NoteKey"),
            Map.entry("NoteSigner.parse", "NoteKey"),
            Map.entry("NoteVerifier.parse", "NoteKey"),
            Map.entry("PackName.parse", "Scalar"),
            Map.entry("PemKeys.parseSigner", "Attestation"),
            Map.entry("PemKeys.parseVerifier", "Attestation"),
            Map.entry("PayloadObject.parse", "PayloadObject"),
            Map.entry("ProofBundle.parse", "ProofBundle"),
            Map.entry("PublishedKeys.parse", "KeyHistory"),
            Map.entry("Segment.parse", "Segment"),
            Map.entry("ShardHead.parse", "ShardHead"),
            Map.entry("ShardSnapshot.parse", "ShardSnapshot"),
            Map.entry("SignedNote.parse", "SignedNote"),
            Map.entry("Snapshot.parse", "Snapshot"),
            Map.entry("SnapshotName.epochOfShard", "Scalar"),
            Map.entry("SnapshotName.parse", "Scalar"),
            Map.entry("Statement.parse", "Attestation"),
            Map.entry("TilePath.parse", "TilePath"),
            Map.entry("TlogProof.parse", "TlogProof"),
            Map.entry("TreeSize.parse", "Scalar"),
            Map.entry("WindowName.parse", "Scalar"));

    private static final List<String> TEXTS = List.of(
            "attestream.example/ledger\n3\n0UqK826WbLiw7gL7rvgKAp0K/BbI6V+UdSEBw2nh+q0=\n",
            "tile/0/x001/x234/067.p/8",
            "tile/entries/x123/x456/789",
            "\0\5hello\0\0\0\5world",
            "0UqK826WbLiw7gL7rvgKAp0K/BbI6V+UdSEBw2nh+q0=",
            "18446744073709551615",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "conflict",
            "2026-01-05T09:00:00.123Z",
            "{\"\u00e9\":[1,-1,true,false,null,\"\\n\"]}",
            "");

    /** A target, called as Jazzer calls it. */
    record Target(String name, Class<?> type) {
        void run(byte[] input) throws ReflectiveOperationException {
            type.getMethod("fuzzerTestOneInput", byte[].class).invoke(null, (Object) input);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Every class of this package that is named so, sorted. */
    static List<Target> all() throws IOException, URISyntaxException, ClassNotFoundException {
        List<Target> targets = new ArrayList<>();
        Path here = Path.of(FuzzTargets.class.getResource("FuzzTargets.class").toURI())
                .resolveSibling("");
        try (Stream<Path> files = Files.list(here)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(SUFFIX)) {
                    String simple = name.substring(0, name.length() - ".class".length());
                    Class<?> type = Class.forName(FuzzTargets.class.getPackageName() + "." + simple);
                    targets.add(new Target(name.substring(0, name.length() - SUFFIX.length()), type));
                }
            }
        }
        return targets;
    }

    /** Names of targets that are to be there. */
    static Set<String> expected() {
        return OWN.keySet();
    }

    /** What the target is made for: its golden files, or their lines, and the texts. */
    static List<byte[]> ownCorpus(Target target) throws IOException, URISyntaxException {
        List<byte[]> corpus = new ArrayList<>();
        List<String> prefixes = OWN.getOrDefault(target.name(), List.of());
        for (Path file : golden()) {
            if (prefixes.stream().anyMatch(file.getFileName().toString()::startsWith)) {
                corpus.addAll(inputs(file));
            }
        }
        if (corpus.isEmpty()) {
            TEXTS.forEach(text -> corpus.add(text.getBytes(StandardCharsets.UTF_8)));
        }
        return corpus;
    }

    /** Everything: all golden files, their lines, and the texts. */
    static List<byte[]> corpus() throws IOException, URISyntaxException {
        List<byte[]> corpus = new ArrayList<>();
        for (Path file : golden()) {
            corpus.addAll(inputs(file));
        }
        TEXTS.forEach(text -> corpus.add(text.getBytes(StandardCharsets.UTF_8)));
        return corpus;
    }

    private static List<byte[]> inputs(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        List<byte[]> inputs = new ArrayList<>(List.of(bytes));
        String name = file.getFileName().toString();
        if (name.endsWith(".txt") || name.endsWith(".ndjson")) {
            for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n", -1)) {
                inputs.add(line.getBytes(StandardCharsets.UTF_8));
            }
        }
        return inputs;
    }

    private static List<Path> golden() throws IOException, URISyntaxException {
        Path directory = Path.of(
                        FuzzTargets.class.getResource("/golden/keys-v1.txt").toURI())
                .resolveSibling("");
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }
}
