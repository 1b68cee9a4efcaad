// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.ledger.PublishedKeys;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A ledger that publishes whatever it is told to, signed with its real key. */
final class FakeLedger implements CheckpointSource {
    static final String ORIGIN = "ledger.example/monitored";

    record Served(String epochLeaf, List<String> heads, String note, byte @Nullable [] raw) {
        Served withHeads(List<String> other) {
            return new Served(epochLeaf, other, note, raw);
        }

        Served withNote(String other) {
            return new Served(epochLeaf, heads, other, raw);
        }

        Served withEpoch(byte[] answer) {
            return new Served(epochLeaf, heads, note, answer);
        }

        byte[] json() {
            if (raw != null) {
                return raw;
            }
            String quoted = String.join(
                    ",", heads.stream().map(head -> "\"" + head + "\"").toList());
            String text = "{\"epochLeaf\":\"" + epochLeaf + "\",\"heads\":[" + quoted + "],\"note\":\""
                    + note.replace("\n", "\\n") + "\"}";
            return text.getBytes(StandardCharsets.UTF_8);
        }
    }

    final NoteSigner key;
    /** Who signs. */
    List<NoteSigner> signers;
    /** What is told of the keys, and what it is by right. */
    List<KeyStep> steps = new ArrayList<>();

    KeyHistory keys;
    boolean knowsNoKeys;
    final List<Served> served = new ArrayList<>();
    private final List<List<byte[]>> shards = new ArrayList<>();
    private CompactRange ledger = CompactRange.empty();
    String checkpoint;
    long nextOffset = 10;
    long leafEpochShift;
    boolean down;

    @Nullable String proof;

    FakeLedger(int shardCount) {
        this(shardCount, NoteSigner.generate(ORIGIN, new SecureRandom()));
    }

    FakeLedger(int shardCount, NoteSigner key) {
        this.key = key;
        this.signers = List.of(key);
        this.keys = KeyHistory.of(key.verifier());
        for (int i = 0; i < shardCount; i++) {
            addShard();
        }
        checkpoint = sign(0, Rfc6962.EMPTY_ROOT.bytes());
    }

    Monitor monitor() {
        return new Monitor(ORIGIN, key.verifier(), this, MonitorState.initial(ORIGIN, key.verifier()));
    }

    void addShard() {
        shards.add(new ArrayList<>());
    }

    void add(int shard, String entry) {
        shards.get(shard).add(entry.getBytes(StandardCharsets.UTF_8));
    }

    void rewrite(int shard, int index, String entry) {
        shards.get(shard).set(index, entry.getBytes(StandardCharsets.UTF_8));
    }

    void remove(int shard) {
        shards.get(shard).remove(shards.get(shard).size() - 1);
    }

    void publish() {
        publish(List.of());
    }

    /** An epoch that logs a change of keys, and proves it. */
    void publish(KeyChange change) throws InvalidFormat {
        CompactRange before = ledger.copy();
        publish(List.of(change.logged()));
        byte[] leaf = Base64.getDecoder().decode(served.get(served.size() - 1).epochLeaf());
        steps.add(KeyStep.of(change, leaf, before, checkpoint));
        keys = keys.with(change, before.size().value());
    }

    void publish(List<EpochLeaf.Logged> logged) {
        nextOffset++;
        List<ShardHead> heads = new ArrayList<>();
        for (int shard = 0; shard < shards.size(); shard++) {
            CompactRange range = CompactRange.empty();
            shards.get(shard).forEach(entry -> range.append(Rfc6962.leafHash(entry)));
            heads.add(new ShardHead(shard, range.size(), range.root(), nextOffset));
        }
        byte[] leaf = new EpochLeaf(
                        ledger.size().value() + leafEpochShift,
                        "2026-01-05T09:00:00.000Z",
                        Map.of("leaves", 1L),
                        logged,
                        ShardHead.vectorRoot(heads))
                .encode();
        ledger.append(Rfc6962.leafHash(leaf));
        checkpoint = sign(ledger.size().value(), ledger.root().bytes());
        Base64.Encoder base64 = Base64.getEncoder();
        served.add(new Served(
                base64.encodeToString(leaf),
                heads.stream().map(head -> base64.encodeToString(head.encode())).toList(),
                checkpoint,
                null));
    }

    /** Shows the checkpoint of an earlier size. */
    void show(int size) {
        checkpoint = served.get(size - 1).note();
    }

    void become(FakeLedger other) {
        served.clear();
        served.addAll(other.served);
        shards.clear();
        shards.addAll(other.shards);
        ledger = other.ledger;
        steps = other.steps;
        signers = other.signers;
        keys = other.keys;
        checkpoint = other.checkpoint;
    }

    String sign(long size, byte[] root) {
        return sign(ORIGIN, size, root);
    }

    String sign(String origin, long size, byte[] root) {
        String text = new Checkpoint(origin, new TreeSize(size), Hash.of(root)).text();
        return new SignedNote(
                        text, signers.stream().map(signer -> signer.sign(text)).toList())
                .encode();
    }

    // ---- what the monitor sees

    @Override
    public Optional<byte[]> checkpoint() throws IOException {
        if (down) {
            throw new IOException("connection refused");
        }
        return Optional.of(checkpoint.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public Optional<byte[]> epoch(long epoch) {
        return epoch < served.size()
                ? Optional.of(served.get(Math.toIntExact(epoch)).json())
                : Optional.empty();
    }

    @Override
    public Optional<byte[]> keys() {
        return knowsNoKeys
                ? Optional.empty()
                : Optional.of(new PublishedKeys(key.verifier().vkey(), steps).encode());
    }

    @Override
    public Optional<byte[]> shardConsistency(int shard, long first, long second) throws IOException {
        if (proof != null) {
            return Optional.of(proof.getBytes(StandardCharsets.UTF_8));
        }
        List<byte[]> entries = shards.get(shard);
        List<Hash> path = Proofs.consistency(new TreeSize(first), new TreeSize(second), (level, index) -> {
            CompactRange range = CompactRange.empty();
            for (long i = index << level; i < (index + 1) << level; i++) {
                range.append(Rfc6962.leafHash(entries.get(Math.toIntExact(i))));
            }
            return range.root();
        });
        String hashes = String.join(
                ",", path.stream().map(hash -> "\"" + hash.base64() + "\"").toList());
        return Optional.of(("{\"path\":[" + hashes + "]}").getBytes(StandardCharsets.UTF_8));
    }
}
