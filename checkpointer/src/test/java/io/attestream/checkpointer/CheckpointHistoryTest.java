// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.checkpointer.LogRecord.Intent;
import io.attestream.checkpointer.LogRecord.Published;
import io.attestream.checkpointer.LogRecord.ShardNote;
import io.attestream.checkpointer.LogRecord.ShardNotes;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A topic {@code checkpoints} that was tampered with, or written by somebody else, is not gone on from. */
class CheckpointHistoryTest {
    private static final ShardHead EMPTY = new ShardHead(1, new TreeSize(0), Rfc6962.EMPTY_ROOT, 0);

    private final TestLedger ledger = new TestLedger(2);
    private final CheckpointHistory history = new CheckpointHistory(ledger.ledger, 1);
    private final CompactRange range = CompactRange.empty();

    @Test
    void acceptsEpochsInOrderAndTheirShardNotes() {
        // when
        publish(intent(0, head(5, 1, 10)));
        publish(intent(1, head(5, 1, 12)));
        history.accept(new ShardNotes(1, List.of(shardNote(0, head(5, 1, 12)))));
        Intent open = new Intent(intent(2, head(7, 2, 20)));
        history.accept(open);

        // then
        assertThat(history.openIntent()).contains(open.intent());
        assertThat(history.nextEpoch()).isEqualTo(3);
        assertThat(history.publishedHeads().get(0)).isEqualTo(head(5, 1, 12));
    }

    @Test
    void refusesAnEpochThatIsSkippedOrSaidAgain() {
        // given
        EpochIntent first = intent(0, head(5, 1, 10));
        publish(first);

        // then
        refuses("expected an intent of epoch 1", new Intent(first));
        refuses("expected an intent of epoch 1", new Intent(renumbered(intent(1, head(6, 2, 11)), 2)));
    }

    @Test
    void refusesASecondIntentBeforeThePublication() {
        // given
        history.accept(new Intent(intent(0, head(5, 1, 10))));

        // then
        refuses("a second intent follows the one of epoch 0", new Intent(intent(0, head(6, 2, 11))));
    }

    @Test
    void refusesAPublicationWithoutItsIntentOrOfOtherBytes() {
        // given
        EpochIntent intent = intent(0, head(5, 1, 10));
        EpochIntent other = intent(0, head(6, 2, 11));

        // then
        refuses("without an intent of exactly these bytes", new Published(intent, note(intent.noteText())));
        history.accept(new Intent(intent));
        refuses("without an intent of exactly these bytes", new Published(other, note(other.noteText())));
        refuses(
                "without an intent of exactly these bytes",
                new Published(withSegment(intent, "segments/another"), note(intent.noteText())));
    }

    @Test
    void refusesANoteThatTheLedgersKeyDidNotSign() {
        // given
        EpochIntent intent = intent(0, head(5, 1, 10));
        NoteSigner other = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
        history.accept(new Intent(intent));

        // then
        refuses(
                "is not signed by",
                new Published(intent, SignedNote.sign(intent.noteText(), other).encode()));
        refuses("is not a signed note", new Published(intent, "hello"));
    }

    @Test
    void refusesAShardThatShrinksForksOrGoesBack() {
        // given
        publish(intent(0, head(5, 1, 10)));

        // then
        refuses("shard 0 goes from", new Intent(intent(1, head(4, 1, 10))));
        refuses("shard 0 goes from", new Intent(intent(1, head(5, 2, 10))));
        refuses("shard 0 goes from", new Intent(intent(1, head(6, 2, 9))));
    }

    @Test
    void refusesATextThatIsNotTheCheckpointOfTheLog() {
        // given
        EpochIntent intent = intent(0, head(5, 1, 10));
        String text = new Checkpoint(TestLedger.ORIGIN, new TreeSize(1), Rfc6962.EMPTY_ROOT).text();

        // then
        refuses("its note text is not the checkpoint", new Intent(withText(intent, text)));
    }

    @Test
    void refusesALeafOfAnotherEpochOrVector() {
        // given
        EpochIntent zero = intent(0, head(5, 1, 10));
        EpochIntent otherHeads = intent(0, head(6, 2, 11));

        // then
        refuses(
                "has vector root",
                new Intent(new EpochIntent(
                        0, zero.epochLeaf(), otherHeads.heads(), zero.noteText(), zero.segment(), zero.payloads(), 1)));
        publish(zero);
        refuses(
                "its epoch leaf names epoch 0",
                new Intent(new EpochIntent(
                        1, zero.epochLeaf(), zero.heads(), zero.noteText(), zero.segment(), zero.payloads(), 1)));
    }

    @Test
    void refusesAnotherGeneration() {
        // given
        EpochIntent intent = intent(0, head(5, 1, 10));

        // then
        refuses(
                "it is of generation 2, attestream.generation is 1",
                new Intent(new EpochIntent(
                        0,
                        intent.epochLeaf(),
                        intent.heads(),
                        intent.noteText(),
                        intent.segment(),
                        intent.payloads(),
                        2)));
    }

    @Test
    void refusesShardNotesOfOtherHeadsOrKeys() {
        // given
        publish(intent(0, head(5, 1, 10)));
        String ledgerNote = note(new Checkpoint(
                        TestLedger.ORIGIN, new TreeSize(5), head(5, 1, 10).root())
                .text());

        // then
        ShardNote right = shardNote(0, head(5, 1, 10));
        refuses("is said to be of size 6", new ShardNotes(0, List.of(new ShardNote(0, 6, right.note()))));
        refuses("has another text", new ShardNotes(0, List.of(shardNote(0, head(5, 2, 10)))));
        refuses("has another text", new ShardNotes(0, List.of(new ShardNote(0, 5, ledgerNote))));
        refuses("there is a note for shard 2", new ShardNotes(0, List.of(new ShardNote(2, 5, ledgerNote))));
        refuses("do not follow the publication", new ShardNotes(1, List.of()));
    }

    // ---- help

    @Test
    void refusesLeavesWithoutRecords() {
        publish(intent(0, head(5, 1, 5)));
        refuses("shard 0 goes from", new Intent(intent(1, head(6, 2, 5))));
        refuses("shard 0 goes from", new Intent(intent(1, head(8, 2, 7))));
    }

    @Test
    void acceptsPacksOfAShardThatFollowEachOther() {
        publish(intent(0, head(1000, 1, 1000)));
        publish(intent(1, head(1000, 1, 1001), pack(0, 0, 256), pack(0, 256, 768)));
        publish(intent(2, head(1100, 2, 1101)));
        publish(intent(3, head(1100, 2, 1102), pack(0, 768, 1024)));
        assertThat(history.newestPack(0).orElseThrow().end()).isEqualTo(1024);
        assertThat(history.newestPack(1)).isEmpty();
    }

    @Test
    void refusesToLogWhatDoesNotFollow() {
        publish(intent(0, head(1000, 1, 1000)));
        publish(intent(1, head(2000, 2, 2000), pack(0, 0, 256)));
        refusesToLog("does not follow", pack(0, 512, 768));
        refusesToLog("does not follow", pack(0, 0, 256));
        refusesToLog("does not follow", pack(0, 256, 512), pack(0, 256, 512));
        refusesToLog("were not published before", pack(0, 256, 2048));
        refusesToLog("the ledger does not have", pack(2, 0, 256));
        EpochLeaf.Logged good = pack(0, 256, 512);
        refusesToLog("another digest than its name", new EpochLeaf.Logged(good.name(), Rfc6962.EMPTY_ROOT));
        refusesToLog("is not the name of a pack", new EpochLeaf.Logged("notes/1", Rfc6962.EMPTY_ROOT));
    }

    private void refusesToLog(String message, EpochLeaf.Logged... logged) {
        refuses(message, new Intent(intent(2, head(3000, 3, 3000), logged)));
    }

    private static EpochLeaf.Logged pack(int shard, long first, long end) {
        PackName name = new PackName(shard, first, end, Rfc6962.leafHash(new byte[] {(byte) first}));
        return new EpochLeaf.Logged(name.name(), name.digest());
    }

    private void publish(EpochIntent intent) {
        history.accept(new Intent(intent));
        history.accept(new Published(intent, note(intent.noteText())));
        range.append(Rfc6962.leafHash(intent.epochLeaf()));
    }

    private void refuses(String message, LogRecord record) {
        assertThatThrownBy(() -> history.accept(record))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining(message);
    }

    private static ShardHead head(long size, int root, long nextOffset) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) root;
        return new ShardHead(0, new TreeSize(size), Hash.of(bytes), nextOffset);
    }

    private EpochIntent intent(long epoch, ShardHead first, EpochLeaf.Logged... logged) {
        List<ShardHead> heads = new ArrayList<>(List.of(first, EMPTY));
        byte[] leaf = new EpochLeaf(
                        epoch,
                        "2026-01-05T09:00:00.000Z",
                        Map.of("leaves", 1L),
                        List.of(logged),
                        ShardHead.vectorRoot(heads))
                .encode();
        CompactRange extended = range.copy();
        extended.append(Rfc6962.leafHash(leaf));
        String text = new Checkpoint(TestLedger.ORIGIN, extended.size(), extended.root()).text();
        return new EpochIntent(epoch, leaf, heads, text, "segments/x", "payloads/x", 1);
    }

    private static EpochIntent renumbered(EpochIntent i, long epoch) {
        return new EpochIntent(epoch, i.epochLeaf(), i.heads(), i.noteText(), i.segment(), i.payloads(), 1);
    }

    private static EpochIntent withText(EpochIntent i, String text) {
        return new EpochIntent(i.epoch(), i.epochLeaf(), i.heads(), text, i.segment(), i.payloads(), 1);
    }

    private static EpochIntent withSegment(EpochIntent i, String segment) {
        return new EpochIntent(i.epoch(), i.epochLeaf(), i.heads(), i.noteText(), segment, i.payloads(), 1);
    }

    private String note(String text) {
        return SignedNote.sign(text, ledger.key).encode();
    }

    private ShardNote shardNote(int shard, ShardHead head) {
        String origin = ledger.ledger.shardOrigin(shard);
        String text = new Checkpoint(origin, head.size(), head.root()).text();
        return new ShardNote(
                shard,
                head.size().value(),
                SignedNote.sign(text, ledger.key.withName(origin)).encode());
    }
}
