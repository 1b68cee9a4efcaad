// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.processors.TestLedger;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Intent;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.avro.ShardNote;
import io.attestream.schemas.avro.ShardNotes;
import io.attestream.schemas.wire.ConfluentWire;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Values of topic {@code checkpoints}, as a checkpointer writes them. */
public final class PublishedEpochs {
    private final TestLedger ledger;
    private final CompactRange range = CompactRange.empty();
    private final List<Hash> roots = new ArrayList<>(List.of(Rfc6962.EMPTY_ROOT));
    private final List<byte[]> leaves = new ArrayList<>();

    public PublishedEpochs(TestLedger ledger) {
        this.ledger = ledger;
    }

    /** The next epoch: its intent and its publication. */
    public List<byte[]> publish(List<ShardHead> heads) {
        return publish(heads, 1);
    }

    /** As {@link #publish(List)}, of another generation. */
    public List<byte[]> publish(List<ShardHead> heads, int generation) {
        return publish(heads, generation, List.of());
    }

    /** As {@link #publish(List)}, with objects it logs. */
    public List<byte[]> publish(List<ShardHead> heads, int generation, List<EpochLeaf.Logged> logged) {
        long epoch = range.size().value();
        EpochLeaf leaf =
                new EpochLeaf(epoch, "2026-01-05T09:00:00.000Z", Map.of(), logged, ShardHead.vectorRoot(heads));
        byte[] encoded = leaf.encode();
        leaves.add(encoded);
        range.append(Rfc6962.leafHash(encoded));
        roots.add(range.root());
        String text = new Checkpoint(TestLedger.ORIGIN, range.size(), range.root(), List.of()).text();
        String note = new SignedNote(text, List.of(ledger.key.sign(text))).encode();
        List<ByteBuffer> headBytes =
                heads.stream().map(head -> ByteBuffer.wrap(head.encode())).toList();
        String name = "segment-" + epoch;
        return List.of(
                encode(new Intent(
                        epoch, ByteBuffer.wrap(encoded), headBytes, text, name, "payloads-" + epoch, generation)),
                encode(new Published(
                        epoch, ByteBuffer.wrap(encoded), headBytes, note, name, "payloads-" + epoch, generation)));
    }

    public static byte[] shardNote(long epoch, int shard, long size, String note) {
        return encode(new ShardNotes(epoch, List.of(new ShardNote(shard, size, note))));
    }

    private static byte[] encode(Object body) {
        return new ConfluentWire<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, TestLedger.BOOK)
                .encode(new CheckpointRecord(body));
    }

    public TreeSize size() {
        return range.size();
    }

    public Hash rootAt(int size) {
        return roots.get(size);
    }

    public Hash leafHash(int epoch) {
        return Rfc6962.leafHash(leaves.get(epoch));
    }
}
