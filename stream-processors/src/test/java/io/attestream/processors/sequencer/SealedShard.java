// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.TestLedger;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.wire.ConfluentWire;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;

/** What the sequencer writes about one shard, as values of topics {@code sealed} and {@code outcomes}. */
public final class SealedShard {
    private final TestLedger ledger;
    private final int shard;
    private final ShardState state;
    public final List<Sealed> deltas = new ArrayList<>();
    public final List<Outcome> outcomes = new ArrayList<>();
    private final List<Hash> hashes = new ArrayList<>();

    public SealedShard(TestLedger ledger, int shard) {
        this.ledger = ledger;
        this.shard = shard;
        StateLife life = new StateLife(1, 1, new Uuid(0, 1), new byte[32]);
        this.state = ShardState.open(shard, ledger.shards, life, ledger.key.verifier(), new MemoryStores());
        accept(0, ledger.genesisValue(shard));
    }

    public SealedShard accept(long offset, byte[] value) {
        ShardState.Step step = state.accept(offset, 1_000 + offset, value);
        if (step.decision() instanceof Decision.Leaf leaf) {
            hashes.add(Hash.of(leaf.leafHash()));
        } else if (step.decision() instanceof Decision.Duplicate duplicate) {
            outcomes.add(outcome(offset, OutcomeKind.DUPLICATE, duplicate.reference(), ""));
        } else {
            outcomes.add(outcome(offset, OutcomeKind.REJECTED, null, ((Decision.Rejected) step.decision()).reason()));
        }
        step.delta().ifPresent(deltas::add);
        return this;
    }

    private Outcome outcome(long offset, OutcomeKind kind, Long reference, String reason) {
        return new Outcome(shard, 1, 1, offset, kind, reference, reason);
    }

    /** Appends so many new events, each at the next offset. */
    public SealedShard grow(int events) {
        for (int i = 0; i < events; i++) {
            accept(state.nextOffset(), ledger.eventValue(shard, "id-" + state.nextOffset(), "x"));
        }
        return this;
    }

    /** Seals what is new and tells the head. */
    public ShardHead seal() {
        state.seal().ifPresent(deltas::add);
        return new ShardHead(shard, new TreeSize(state.size()), rootAt((int) state.size()), state.nextOffset());
    }

    public long nextOffset() {
        return state.nextOffset();
    }

    /** Root over the first leaves, by brute force. */
    public Hash rootAt(int size) {
        return ShardModel.root(hashes.subList(0, size));
    }

    public Hash hash(int leafIndex) {
        return hashes.get(leafIndex);
    }

    public static byte[] encode(Sealed delta) {
        return new ConfluentWire<>(Sealed.class, SchemaTexts.SEALED, TestLedger.BOOK).encode(delta);
    }

    public static byte[] encode(Outcome outcome) {
        return new ConfluentWire<>(Outcome.class, SchemaTexts.OUTCOME, TestLedger.BOOK).encode(outcome);
    }
}
