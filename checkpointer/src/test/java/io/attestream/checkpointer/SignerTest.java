// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSignature;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The signer signs what extends its last signed heads and nothing else, whatever the rest of the program hands it. */
class SignerTest {
    private final TestLedger ledger = new TestLedger(2);
    private final Upstream upstream = new Upstream();
    private final ObjectStore store;
    private final Signer signer;

    private final Path directory;

    SignerTest(@TempDir Path directory) throws IOException {
        this.directory = directory;
        store = new DirectoryObjectStore(directory);
        signer = new Signer(ledger.keys(), ledger.ledger, new EpochArchive(store), LoggedObjects.NONE);
    }

    /** What hands intents to the signer. Each part can be made to lie; the ledger log is always perfectly consistent. */
    private final class Upstream {
        final CompactRange ledgerRange = CompactRange.empty();
        final List<List<byte[]>> shards = List.of(new ArrayList<>(), new ArrayList<>());
        List<Long> archived = new ArrayList<>(List.of(0L, 0L));
        long nextOffset;
        /** That the leaves speak of. */
        long duplicates;

        /** That the next segment has of shard 1. */
        List<OutcomeRecord> outcomes = List.of();

        void add(int shard, String entry) {
            shards.get(shard).add(entry.getBytes(StandardCharsets.UTF_8));
        }

        List<ShardHead> heads() {
            nextOffset += 10;
            List<ShardHead> heads = new ArrayList<>();
            for (int shard = 0; shard < 2; shard++) {
                CompactRange range = range(shard);
                heads.add(new ShardHead(shard, range.size(), range.root(), nextOffset));
            }
            return heads;
        }

        CompactRange range(int shard) {
            CompactRange range = CompactRange.empty();
            shards.get(shard).forEach(entry -> range.append(Rfc6962.leafHash(entry)));
            return range;
        }

        /** An honest segment of what came since the last one; epoch n has offsets 10n to 10n + 9. */
        String segment() throws IOException {
            long epoch = ledgerRange.size().value();
            return segment(epoch, 10 * epoch);
        }

        String segment(long epoch, long firstOffset) throws IOException {
            Segment.Builder builder = Segment.builder(epoch);
            for (int shard = 0; shard < 2; shard++) {
                int first = Math.toIntExact(archived.get(shard));
                List<byte[]> entries = shards.get(shard);
                if (first < entries.size()) {
                    builder.startShard(shard, first);
                    long offset = firstOffset;
                    for (byte[] entry : entries.subList(first, entries.size())) {
                        builder.add(new LeafRecord(EntryKind.EVENT, offset++, 0, entry));
                    }
                    (shard == 1 ? outcomes : List.<OutcomeRecord>of()).forEach(builder::add);
                }
                archived.set(shard, (long) entries.size());
            }
            byte[] object = builder.build();
            String name = ObjectNames.segment(epoch, object);
            store.putIfAbsent(name, object);
            return name;
        }

        EpochIntent intent() throws IOException {
            return intent(heads(), segment());
        }

        EpochIntent intent(List<ShardHead> heads, String segment) {
            long epoch = ledgerRange.size().value();
            byte[] leaf = new EpochLeaf(
                            epoch,
                            "2026-01-05T09:00:00.000Z",
                            new Counts(shards.get(0).size() + shards.get(1).size(), 0, 0, duplicates, 0).asMap(),
                            List.of(),
                            ShardHead.vectorRoot(heads))
                    .encode();
            ledgerRange.append(Rfc6962.leafHash(leaf));
            String text = new Checkpoint(TestLedger.ORIGIN, ledgerRange.size(), ledgerRange.root()).text();
            return new EpochIntent(epoch, leaf, heads, text, segment, "payloads/none", 1);
        }
    }

    @Test
    void signsEpochsThatExtendEachOther() throws Exception {
        // given
        upstream.add(0, "a");
        upstream.add(1, "b");

        // when
        SignedNote first = signer.sign(upstream.intent());
        upstream.add(1, "c");
        SignedNote second = signer.sign(upstream.intent());

        // then
        for (SignedNote note : List.of(first, second)) {
            assertThat(note.verify(List.of(ledger.key.verifier()))).isInstanceOf(NoteVerification.Verified.class);
        }
        assertThat(Checkpoint.parse(second.text()).size()).isEqualTo(new TreeSize(2));
    }

    @Test
    void refusesAForkedShardInsideAConsistentLedgerLog() throws Exception {
        // given
        upstream.add(0, "a");
        upstream.add(1, "b");
        signer.sign(upstream.intent());

        // when: shard 1 grows, but its first entry is another; segment, vector and ledger log agree with that
        upstream.shards.get(1).set(0, "B".getBytes(StandardCharsets.UTF_8));
        upstream.add(1, "c");

        // then
        refuses("shard 1 of size 2 is to be signed with root", upstream.intent());
    }

    @Test
    void refusesAShardThatShrinks() throws Exception {
        // given
        upstream.add(0, "a");
        upstream.add(0, "b");
        signer.sign(upstream.intent());

        // when
        upstream.shards.get(0).remove(1);
        upstream.archived.set(0, 1L);

        // then
        refuses("shard 0 would go back", upstream.intent());
    }

    @Test
    void refusesTheSameSizeWithAnotherRoot() throws Exception {
        // given
        upstream.add(0, "a");
        signer.sign(upstream.intent());

        // when
        upstream.shards.get(0).set(0, "A".getBytes(StandardCharsets.UTF_8));

        // then
        refuses("shard 0 of size 1 is to be signed with root", upstream.intent());
    }

    @Test
    void refusesAHeadWhoseInputPositionGoesBack() throws Exception {
        // given
        upstream.add(0, "a");
        signer.sign(upstream.intent());

        // when
        upstream.nextOffset = 0;
        upstream.add(0, "b");
        List<ShardHead> heads = new ArrayList<>(upstream.heads());
        heads.set(0, new ShardHead(0, heads.get(0).size(), heads.get(0).root(), 1));

        // then
        refuses("shard 0 would go back", upstream.intent(heads, upstream.segment()));
    }

    @Test
    void refusesAHeadBeyondWhatIsArchived() throws Exception {
        // given: the head covers two entries, the segment has one of them
        upstream.add(0, "a");
        String segment = upstream.segment();
        upstream.add(0, "b");

        // then
        refuses(
                "shard 0 is to be signed at size 2, what was archived gives size 1",
                upstream.intent(upstream.heads(), segment));
    }

    @Test
    void refusesASegmentThatDoesNotBeginWhereTheLastOneEnded() throws Exception {
        // given
        upstream.add(0, "a");
        signer.sign(upstream.intent());

        // when
        upstream.add(0, "b");
        upstream.archived.set(0, 0L);

        // then
        refuses("the segment begins shard 0 at leaf 0, what was signed last ends at 1", upstream.intent());
    }

    @Test
    void refusesASegmentOfAnotherEpochOrWithLeavesOfAShardTheLedgerDoesNotHave() throws Exception {
        // given
        upstream.add(0, "a");
        List<ShardHead> heads = upstream.heads();
        String ofAnotherEpoch = upstream.segment(7, 0);
        byte[] withAnotherShard = Segment.builder(0)
                .startShard(0, 0)
                .add(new LeafRecord(EntryKind.EVENT, 0, 0, "a".getBytes(StandardCharsets.UTF_8)))
                .startShard(2, 0)
                .add(new LeafRecord(EntryKind.EVENT, 0, 0, "x".getBytes(StandardCharsets.UTF_8)))
                .build();
        String name = ObjectNames.segment(0, withAnotherShard);
        store.putIfAbsent(name, withAnotherShard);
        EpochIntent honest = upstream.intent(heads, ofAnotherEpoch);

        // then
        refuses("its segment is that of epoch 7", honest);
        refuses(
                "its segment has leaves of shard 2",
                new EpochIntent(0, honest.epochLeaf(), heads, honest.noteText(), name, honest.payloads(), 1));
    }

    @Test
    void refusesLeavesOfRecordsOutsideTheNewInputPositions() throws Exception {
        // given
        upstream.add(0, "a");
        signer.sign(upstream.intent());
        upstream.add(0, "b");
        upstream.add(0, "c");
        List<ShardHead> heads = upstream.heads();

        // when
        String before = upstream.segment(1, 9);
        upstream.archived.set(0, 1L);
        String beyond = upstream.segment(1, 19);
        EpochIntent intent = upstream.intent(heads, before);

        // then
        refuses("the segment has leaf 1 of shard 0 at offset 9, which must be from 10 to 19", intent);
        refuses(
                "the segment has leaf 2 of shard 0 at offset 20, which must be from 20 to 19",
                new EpochIntent(1, intent.epochLeaf(), heads, intent.noteText(), beyond, intent.payloads(), 1));
    }

    @Test
    void refusesALeafThatSpeaksOfRecordsThatAreNotArchived() throws Exception {
        // given
        upstream.add(1, "b");
        upstream.duplicates = 1;
        upstream.outcomes = List.of(new OutcomeRecord.Duplicate(1, 0));
        signer.sign(upstream.intent());

        // when there is one more, which no root would miss
        upstream.add(1, "c");
        upstream.duplicates = 2;
        upstream.outcomes = List.of();
        EpochIntent intent = upstream.intent();

        // then
        refuses("duplicates=2, events=2, leaves=2, rejected=0}, what was archived gives", intent);
    }

    @Test
    void refusesOutcomesThatAreNoneOfTheEpoch() throws Exception {
        for (OutcomeRecord wrong : List.of(
                new OutcomeRecord.Duplicate(10, 0), // of a later epoch
                new OutcomeRecord.Duplicate(5, 1), // of a leaf that is not there
                new OutcomeRecord.Duplicate(0, 0))) { // of the leaf's own offset
            // given
            SignerTest fresh = new SignerTest(directory);
            fresh.upstream.add(1, "b");
            fresh.upstream.duplicates = 1;
            fresh.upstream.outcomes = List.of(wrong);

            // then
            fresh.refuses(wrong.offset() == 0 ? "at the same offset 0" : wrong.toString(), fresh.upstream.intent());
        }
    }

    @Test
    void refusesALeafThatLogsObjectsNobodyVerified() throws Exception {
        // given
        upstream.add(0, "a");
        EpochIntent honest = upstream.intent();
        EpochLeaf leaf = EpochLeaf.parse(honest.epochLeaf());
        byte[] logging = new EpochLeaf(
                        0,
                        leaf.time(),
                        leaf.counts(),
                        List.of(new EpochLeaf.Logged("packs/0", leaf.vectorRoot())),
                        leaf.vectorRoot())
                .encode();

        // then
        refuses(
                "object packs/0 is to be logged, which nobody here has verified",
                new EpochIntent(0, logging, honest.heads(), honest.noteText(), honest.segment(), honest.payloads(), 1));
    }

    @Test
    void refusesAnEpochTwiceAndOneThatSkips() throws Exception {
        // given
        upstream.add(0, "a");
        EpochIntent first = upstream.intent();
        signer.sign(first);
        upstream.intent();

        // then
        refuses("the next epoch to sign is 1", first);
        upstream.add(0, "b");
        refuses("the next epoch to sign is 1", upstream.intent());
    }

    @Test
    void refusesALedgerLogThatDoesNotExtendTheLastOne() throws Exception {
        // given
        upstream.add(0, "a");
        signer.sign(upstream.intent());
        Upstream forked = new Upstream();
        forked.add(0, "a");
        forked.nextOffset = 1;
        forked.intent();

        // when
        forked.add(0, "b");
        forked.nextOffset = 100;

        // then
        refuses("ledger log of size 2 is to be signed with root", forked.intent());
    }

    @Test
    void refusesHeadsThatAreNotTheVectorsOfTheLeaf() throws Exception {
        // given
        upstream.add(0, "a");
        EpochIntent honest = upstream.intent();
        List<ShardHead> heads = new ArrayList<>(honest.heads());
        heads.set(1, new ShardHead(1, new TreeSize(0), Rfc6962.EMPTY_ROOT, 77));

        // then
        refuses(
                "has vector root",
                new EpochIntent(
                        0, honest.epochLeaf(), heads, honest.noteText(), honest.segment(), honest.payloads(), 1));
        refuses(
                "has 1 heads, the ledger 2 shards",
                new EpochIntent(
                        0,
                        honest.epochLeaf(),
                        honest.heads().subList(0, 1),
                        honest.noteText(),
                        honest.segment(),
                        honest.payloads(),
                        1));
    }

    @Test
    void refusesAnotherOriginExtensionsAndTextsThatAreNoCheckpoint() throws Exception {
        // given
        upstream.add(0, "a");
        EpochIntent honest = upstream.intent();
        Checkpoint checkpoint = Checkpoint.parse(honest.noteText());

        // then
        refuses(
                "its note has origin other.example",
                withText(honest, new Checkpoint("other.example", checkpoint.size(), checkpoint.root()).text()));
        refuses("its note has extension lines", withText(honest, honest.noteText() + "extension\n"));
        refuses("its note text is no checkpoint", withText(honest, "hello\n"));
        refuses(
                "ledger log is to be signed at size 5",
                withText(honest, new Checkpoint(TestLedger.ORIGIN, new TreeSize(5), checkpoint.root()).text()));
    }

    @Test
    void signsNothingAfterARefusalThatTheRefusedOneWouldHaveChanged() throws Exception {
        // given
        upstream.add(0, "a");
        EpochIntent honest = upstream.intent();
        refuses("no checkpoint", withText(honest, "hello\n"));

        // then
        assertThat(signer.sign(honest).text()).isEqualTo(honest.noteText());
    }

    // ---- taking up

    @Test
    void takesUpOnlyRangesThatTheLastSignedNoteCommitsTo() throws Exception {
        // given
        upstream.add(0, "a");
        upstream.add(1, "b");
        EpochIntent intent = upstream.intent();
        LogRecord.Published published =
                new LogRecord.Published(intent, signer.sign(intent).encode());
        List<CompactRange> ranges = List.of(upstream.range(0), upstream.range(1));
        KeyHistory keys = KeyHistory.of(ledger.ledger.key());
        Signer fresh = new Signer(ledger.keys(), ledger.ledger, new EpochArchive(store), LoggedObjects.NONE);

        // then
        assertThatThrownBy(() -> fresh.resume(published, CompactRange.empty(), ranges, keys))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("ledger log");
        assertThatThrownBy(() -> fresh.resume(
                        published, upstream.ledgerRange, List.of(upstream.range(0), upstream.range(0)), keys))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("shard 1 of size 1");
        assertThatThrownBy(() -> fresh.resume(
                        new LogRecord.Published(intent, withOtherSignature(published.note())),
                        upstream.ledgerRange,
                        ranges,
                        keys))
                .isInstanceOf(FatalDoubtException.class);
        fresh.resume(published, upstream.ledgerRange, ranges, keys);
        upstream.add(1, "c");
        assertThat(fresh.sign(upstream.intent())).isNotNull();
    }

    /** One bit of the first byte of the signature is another. */
    private static String withOtherSignature(String encoded) throws Exception {
        SignedNote note = SignedNote.parse(encoded);
        NoteSignature signature = note.signatures().get(0);
        byte[] other = signature.blob();
        other[0] ^= 1;
        return new SignedNote(note.text(), List.of(new NoteSignature(signature.keyName(), signature.keyId(), other)))
                .encode();
    }

    @Test
    void shardNotesAreOfTheLastSignedHeadUnderTheShardsOrigin() throws Exception {
        // given
        upstream.add(1, "a");
        upstream.add(1, "b");
        signer.sign(upstream.intent());

        // when
        SignedNote note = signer.signShard(1);

        // then
        String origin = TestLedger.ORIGIN + "/shard/1";
        Checkpoint checkpoint = Checkpoint.parse(note.text());
        assertThat(checkpoint.origin()).isEqualTo(origin);
        assertThat(checkpoint.size()).isEqualTo(new TreeSize(2));
        assertThat(checkpoint.root()).isEqualTo(upstream.range(1).root());
        assertThat(note.verify(List.of(ledger.key.verifier().withName(origin))))
                .isInstanceOf(NoteVerification.Verified.class);
        assertThat(note.verify(List.of(ledger.key.verifier()))).isInstanceOf(NoteVerification.Rejected.class);
    }

    /** Neither to guard it nor to sign it: what is guarded has to be finished some day. */
    private void refuses(String message, EpochIntent intent) {
        assertThatThrownBy(() -> signer.guard(intent))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining(message);
        assertThatThrownBy(() -> signer.sign(intent))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining(message);
    }

    private static EpochIntent withText(EpochIntent intent, String text) {
        return new EpochIntent(
                intent.epoch(),
                intent.epochLeaf(),
                intent.heads(),
                text,
                intent.segment(),
                intent.payloads(),
                intent.generation());
    }
}
