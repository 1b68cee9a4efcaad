// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Leaves that give the published root, and cannot be those of a ledger. */
class ArchivedShardTest {
    private static final long SECOND = LedgerOffset.first(2);

    @TempDir
    private Path directory;

    private final TestLedger ledger = new TestLedger(2);

    private LeafRecord leaf(long offset, Control control) throws Exception {
        return new LeafRecord(EntryKind.GENESIS, offset, 1, ControlRecord.ofValue(ledger.value(control)));
    }

    private static CompactRange range(List<LeafRecord> leaves) {
        CompactRange range = CompactRange.empty();
        leaves.forEach(leaf -> range.append(Rfc6962.leafHash(leaf.entry())));
        return range;
    }

    /** Of an epoch that brings these leaves to shard 0, and has their root. */
    private List<ArchiveCheck.Finding> findings(LeafRecord... leaves) throws Exception {
        return findings(Optional.empty(), List.of(leaves));
    }

    private List<ArchiveCheck.Finding> findings(Optional<PayloadObject> payloads, List<LeafRecord> leaves)
            throws Exception {
        Segment.Builder segment = Segment.builder(0).startShard(0, 0);
        leaves.forEach(segment::add);
        CompactRange range = range(leaves);
        List<ShardHead> heads = List.of(
                new ShardHead(
                        0,
                        range.size(),
                        range.root(),
                        leaves.get(leaves.size() - 1).offset() + 1),
                new ShardHead(1, new TreeSize(0), Rfc6962.EMPTY_ROOT, 0));
        ArchiveReader reader = new ArchiveReader(new DirectoryObjectStore(directory));
        new ArchivedShard(0, ledger.key.verifier(), reader)
                .grow(
                        new EpochIntent(0, new byte[0], heads, "", "segments/0", "payloads/0", 1),
                        Optional.of(Segment.parse(segment.build())),
                        payloads,
                        ArchiveCheck.Taker.NONE);
        return reader.findings();
    }

    private Control.Genesis later(List<LeafRecord> before) {
        CompactRange range = range(before);
        return ledger.laterGenesis(0, 2, new Prior(0, range.size(), range.hashes()));
    }

    @Test
    void eachIncarnationBeginsWithItsGenesisOnTheTreeBeforeIt() throws Exception {
        LeafRecord first = leaf(0, ledger.genesis(0));
        assertThat(findings(first)).isEmpty();
        assertThat(findings(first, leaf(SECOND, later(List.of(first))))).isEmpty();
    }

    @Test
    void aGenesisOfAnotherShardIsFound() throws Exception {
        assertThat(findings(leaf(0, ledger.genesis(1)))).singleElement().satisfies(finding -> {
            assertThat(finding.expected()).isEqualTo("the genesis of shard 0 as leaf 0");
            assertThat(finding.actual()).contains("is another control record");
        });
    }

    @Test
    void aGenesisThatIsNotTheFirstRecordOfItsIncarnationIsFound() throws Exception {
        LeafRecord first = leaf(0, ledger.genesis(0));
        assertThat(findings(leaf(1, ledger.genesis(0)))).singleElement().satisfies(finding -> {
            assertThat(finding.expected()).isEqualTo("the genesis of incarnation 1 as leaf 0 of shard 0, at offset 0");
            assertThat(finding.actual()).isEqualTo("leaf 0, offset 1");
        });
        assertThat(findings(first, leaf(SECOND + 1, later(List.of(first)))))
                .extracting(ArchiveCheck.Finding::actual)
                .containsExactly("leaf 1, offset " + (SECOND + 1));
    }

    @Test
    void aGenesisOnATreeOfAnotherSizeIsFound() throws Exception {
        LeafRecord first = leaf(0, ledger.genesis(0));
        assertThat(findings(first, leaf(SECOND, later(List.of(first, first)))))
                .extracting(ArchiveCheck.Finding::expected)
                .contains("the genesis of incarnation 2 as leaf 2 of shard 0, at offset " + SECOND);
        assertThat(findings(first, leaf(1, ledger.genesis(0))))
                .extracting(ArchiveCheck.Finding::expected)
                .contains("the genesis of incarnation 1 as leaf 0 of shard 0, at offset 0");
    }

    @Test
    void aGenesisOnAnotherTreeIsFound() throws Exception {
        LeafRecord first = leaf(0, ledger.genesis(0));
        LeafRecord other = leaf(0, ledger.genesis(1));
        assertThat(findings(first, leaf(SECOND, later(List.of(other)))))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.expected())
                            .isEqualTo("the genesis of shard 0 on root "
                                    + range(List.of(first)).root().base64());
                    assertThat(finding.actual())
                            .isEqualTo("on root " + range(List.of(other)).root().base64());
                });
    }

    /** Its digest is right. */
    @Test
    void anEntryThatSaysAnotherSizeThanItsPayloadHasIsFound() throws Exception {
        // given
        byte[] salt = new byte[16];
        byte[] data = {1, 2, 3};
        byte[] entry = CanonicalEntry.event(
                Map.of("specversion", "1.0", "id", "1", "source", "/s", "type", "t"),
                TestLedger.TENANT,
                "actor",
                1_700_000_000_000L,
                DataDigest.compute(salt, data),
                data.length + 1);
        PayloadObject.Builder payloads = PayloadObject.builder(0).startShard(0, 0);
        payloads.add(new Payload.None()).add(new Payload.Plain(new byte[16], salt, data));

        // then
        assertThat(findings(
                        Optional.of(PayloadObject.parse(payloads.build())),
                        List.of(
                                leaf(0, ledger.genesis(0)),
                                new LeafRecord(EntryKind.EVENT, 1, 1_700_000_000_000L, entry))))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.object()).isEqualTo("payloads/0");
                    assertThat(finding.expected()).startsWith("payload of leaf 1 of shard 0: 4 bytes, ");
                    assertThat(finding.actual()).startsWith("3 bytes, ");
                });
    }
}
