// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.processors.TestLedger;
import io.attestream.proofs.tree.Hash;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.Sealed;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.Uuid;

/** Holds what a sequencer committed against a replay of its input from offset 0, in one go. */
public final class Replay {
    private Replay() {}

    /** @param events all committed records of the shard's partition */
    public static void requireEqual(
            TestLedger ledger,
            int shard,
            List<ConsumerRecord<byte[], byte[]>> events,
            List<Sealed> deltas,
            List<Outcome> outcomes) {
        StateLife life = new StateLife(1, 1, new Uuid(0, 1), new byte[32]);
        ShardState state = ShardState.open(shard, ledger.shards, life, ledger.key.verifier(), new MemoryStores());
        List<String> leaves = new ArrayList<>();
        List<Hash> hashes = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> event : events) {
            Decision decision = state.accept(event.offset(), event.timestamp(), event.value())
                    .decision();
            if (decision instanceof Decision.Leaf leaf) {
                Hash hash = Hash.of(leaf.leafHash());
                hashes.add(hash);
                leaves.add(event.offset() + " " + leaf.kind().code() + " " + hash);
            } else if (decision instanceof Decision.Duplicate duplicate) {
                others.add(event.offset() + " DUPLICATE " + duplicate.reference() + " ");
            } else {
                others.add(event.offset() + " REJECTED null " + ((Decision.Rejected) decision).reason());
            }
        }
        assertThat(leavesOf(deltas, hashes)).isEqualTo(leaves);
        assertThat(outcomes.stream()
                        .map(outcome -> outcome.getOffset() + " " + outcome.getKind() + " " + outcome.getReference()
                                + " " + outcome.getReason()))
                .isEqualTo(others);
    }

    /** What the maker of an event knows of it. */
    public record Sent(String id, String content) {}

    /** Holds the same against a model that was told what was sent: none of the sequencer's own code decides here. */
    public static void requireAsSent(
            long windowLeaves, SortedMap<Long, Sent> sent, List<Sealed> deltas, List<Outcome> outcomes) {
        ShardModel model = new ShardModel();
        model.decide(0, new ShardModel.Told.GenesisTold(windowLeaves));
        List<String> duplicates = new ArrayList<>();
        sent.forEach((offset, event) -> {
            String decision = model.decide(offset, new ShardModel.Told.EventTold(event.id(), event.content()));
            if (decision.startsWith("duplicate")) {
                duplicates.add(offset + " " + decision);
            }
        });
        List<String> leaves = new ArrayList<>();
        for (Sealed delta : deltas) {
            for (int i = 0; i < delta.getOffsets().size(); i++) {
                leaves.add(delta.getOffsets().get(i) + " " + delta.getKinds().get(i));
            }
        }
        assertThat(leaves)
                .isEqualTo(model.leaves.stream()
                        .map(leaf -> leaf.offset() + " " + leaf.kind().code())
                        .toList());
        assertThat(outcomes.stream().map(outcome -> outcome.getOffset() + " duplicate " + outcome.getReference()))
                .isEqualTo(duplicates);
    }

    /** Checks what every delta says of itself against the replayed leaves, and lists its leaves. */
    private static List<String> leavesOf(List<Sealed> deltas, List<Hash> replayed) {
        List<String> leaves = new ArrayList<>();
        ShardModel.Roots roots = new ShardModel.Roots(replayed);
        long nextOffset = 0;
        for (Sealed delta : deltas) {
            assertThat(delta.getFirstIndex()).as("no gap, no overlap").isEqualTo(leaves.size());
            assertThat(delta.getHead().getNextOffset()).isGreaterThanOrEqualTo(nextOffset);
            nextOffset = delta.getHead().getNextOffset();
            ByteBuffer hashes = delta.getHashes().duplicate();
            for (int i = 0; i < delta.getOffsets().size(); i++) {
                byte[] hash = new byte[32];
                hashes.get(hash);
                leaves.add(delta.getOffsets().get(i) + " " + delta.getKinds().get(i) + " " + Hash.of(hash));
            }
            assertThat(delta.getHead().getSize()).isEqualTo(leaves.size());
            assertThat(delta.getHead().getRoot().bytes())
                    .isEqualTo(roots.at(leaves.size()).bytes());
        }
        return leaves;
    }
}
