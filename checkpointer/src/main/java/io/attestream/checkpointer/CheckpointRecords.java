// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.SignedNote;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Intent;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.avro.ShardNote;
import io.attestream.schemas.avro.ShardNotes;
import io.attestream.schemas.wire.ConfluentWire;
import io.attestream.schemas.wire.SchemaBook;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records of topic {@code checkpoints} as bytes and back. Used by the publishing thread only. */
final class CheckpointRecords {
    private final ConfluentWire<CheckpointRecord> encoder;
    private final WireDecoder<CheckpointRecord> decoder;

    /** @throws IllegalArgumentException if the ledger does not know this program's schema of these records */
    CheckpointRecords(SchemaBook schemas) {
        this.encoder = new ConfluentWire<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, schemas);
        this.decoder = new WireDecoder<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, schemas);
    }

    byte[] encode(LogRecord record) {
        return encoder.encode(
                CheckpointRecord.newBuilder().setBody(body(record)).build());
    }

    /** @throws FatalDoubtException if it cannot be read: nobody else may write there */
    LogRecord decode(long offset, byte @Nullable [] value) {
        if (!(decoder.decode(value) instanceof WireResult.Decoded<CheckpointRecord> decoded)) {
            throw unreadable(offset, "it is no record of the ledger");
        }
        try {
            Object body = decoded.value().getBody();
            if (body instanceof Intent intent) {
                return new LogRecord.Intent(intent(intent));
            }
            if (body instanceof Published published) {
                return published(published);
            }
            return shardNotes((ShardNotes) body);
        } catch (InvalidFormat e) {
            throw unreadable(offset, e.getMessage());
        }
    }

    private static FatalDoubtException unreadable(long offset, @Nullable String why) {
        return new FatalDoubtException("topic checkpoints offset " + offset + " cannot be read: " + why);
    }

    private static Object body(LogRecord record) {
        if (record instanceof LogRecord.Intent written) {
            EpochIntent intent = written.intent();
            return Intent.newBuilder()
                    .setEpoch(intent.epoch())
                    .setEpochLeaf(ByteBuffer.wrap(intent.epochLeaf()))
                    .setHeads(encode(intent.heads()))
                    .setNoteText(intent.noteText())
                    .setSegment(intent.segment())
                    .setPayloads(intent.payloads())
                    .setGeneration(intent.generation())
                    .build();
        }
        if (record instanceof LogRecord.Published published) {
            EpochIntent intent = published.intent();
            return Published.newBuilder()
                    .setEpoch(intent.epoch())
                    .setEpochLeaf(ByteBuffer.wrap(intent.epochLeaf()))
                    .setHeads(encode(intent.heads()))
                    .setNote(published.note())
                    .setSegment(intent.segment())
                    .setPayloads(intent.payloads())
                    .setGeneration(intent.generation())
                    .build();
        }
        LogRecord.ShardNotes notes = (LogRecord.ShardNotes) record;
        List<ShardNote> each = new ArrayList<>();
        notes.notes().forEach(note -> each.add(new ShardNote(note.shard(), note.size(), note.note())));
        return ShardNotes.newBuilder().setEpoch(notes.epoch()).setNotes(each).build();
    }

    private static EpochIntent intent(Intent intent) throws InvalidFormat {
        return new EpochIntent(
                intent.getEpoch(),
                ProcessorRecords.bytes(intent.getEpochLeaf()),
                heads(intent.getHeads()),
                intent.getNoteText(),
                intent.getSegment(),
                intent.getPayloads(),
                intent.getGeneration());
    }

    private static LogRecord.Published published(Published published) throws InvalidFormat {
        EpochIntent intent = new EpochIntent(
                published.getEpoch(),
                ProcessorRecords.bytes(published.getEpochLeaf()),
                heads(published.getHeads()),
                SignedNote.parse(published.getNote()).text(),
                published.getSegment(),
                published.getPayloads(),
                published.getGeneration());
        return new LogRecord.Published(intent, published.getNote());
    }

    private static LogRecord.ShardNotes shardNotes(ShardNotes notes) {
        List<LogRecord.ShardNote> each = new ArrayList<>();
        notes.getNotes()
                .forEach(note -> each.add(new LogRecord.ShardNote(note.getShard(), note.getSize(), note.getNote())));
        return new LogRecord.ShardNotes(notes.getEpoch(), each);
    }

    private static List<ByteBuffer> encode(List<ShardHead> heads) {
        return heads.stream().map(head -> ByteBuffer.wrap(head.encode())).toList();
    }

    /** Parsing accepts canonical bytes only, so that a head and its bytes stand for each other. */
    private static List<ShardHead> heads(List<ByteBuffer> encoded) throws InvalidFormat {
        List<ShardHead> heads = new ArrayList<>();
        for (ByteBuffer head : encoded) {
            heads.add(ShardHead.parse(ProcessorRecords.bytes(head)));
        }
        return heads;
    }
}
