// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A tree built again is held against every published head: its size, its root and its position. */
class ShardRebuildTest {
    private final TestLedger ledger = new TestLedger(1);
    private final TestSequencer sequencer = new TestSequencer(0);
    private final List<byte[]> records = new ArrayList<>();
    private final List<ShardHead> published = new ArrayList<>();
    private final List<Long> indexes = new ArrayList<>();

    private void record(byte[] value) {
        sequencer.process(records.size(), 1_000 + records.size(), value);
        records.add(value);
    }

    private void publish() {
        SealedDelta delta = sequencer.seal();
        published.add(new ShardHead(0, new TreeSize(delta.size()), Hash.of(delta.root()), delta.nextOffset()));
    }

    /** Genesis, events with a repeat and a conflict between, published three times; the second adds a duplicate only. */
    private void givenALedger() {
        record(ledger.genesisValue(0));
        record(ledger.eventValue(0, "a", "one"));
        publish();
        record(ledger.eventValue(0, "a", "one"));
        publish();
        record(ledger.eventValue(0, "a", "other"));
        record(ledger.eventValue(0, "b", "two"));
        publish();
    }

    private ShardRebuild rebuild() {
        ShardRebuild rebuild = new ShardRebuild(0, new ShardDecider(0, ledger.ledger, 1), new Rebuild.Listener() {
            @Override
            public void leaf(int shard, long index, byte[] entry) {
                indexes.add(index);
            }
        });
        published.forEach(rebuild::expect);
        for (int offset = 0; offset < records.size(); offset++) {
            rebuild.accept(offset, 1_000 + offset, records.get(offset));
        }
        return rebuild;
    }

    @Test
    void meetsEveryPublishedHead() {
        // given
        givenALedger();

        // when
        ShardRebuild rebuild = rebuild();

        // then
        assertThat(rebuild.isDone()).isTrue();
        assertThat(rebuild.total()).isEqualTo(new Rebuild.ShardTotal(0, 4, 1, 3));
        assertThat(indexes).containsExactly(0L, 1L, 2L, 3L);
    }

    @Test
    void readsNoFurtherThanTheLastPublishedHead() {
        // given
        givenALedger();
        record(ledger.eventValue(0, "not-published-yet", "x"));

        // when, then
        assertThat(rebuild().total().leaves()).isEqualTo(4);
    }

    @Test
    void findsAnotherRoot() {
        // given
        givenALedger();
        ShardHead head = published.get(1);
        byte[] root = head.root().bytes();
        root[7] ^= 1;
        published.set(1, new ShardHead(0, head.size(), Hash.of(root), head.nextOffset()));

        // when, then
        assertThatThrownBy(this::rebuild)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("input offset 3");
    }

    @Test
    void findsALeafThatWasLeftOut() {
        // given: the conflict was never counted
        givenALedger();
        ShardHead head = published.get(2);
        published.set(2, new ShardHead(0, new TreeSize(3), head.root(), head.nextOffset()));

        // when, then
        assertThatThrownBy(this::rebuild)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("has size 3")
                .hasMessageContaining("give size 4");
    }

    @Test
    void findsARightRootAtAWrongPosition() {
        // given
        givenALedger();
        ShardHead head = published.get(2);
        published.set(2, new ShardHead(0, head.size(), head.root(), head.nextOffset() - 1));

        // when, then
        assertThatThrownBy(this::rebuild).isInstanceOf(FatalDoubtException.class);
    }

    @Test
    void findsAChangedRecord() {
        // given
        givenALedger();
        records.set(4, ledger.eventValue(0, "b", "changed"));

        // when, then
        assertThatThrownBy(this::rebuild).isInstanceOf(FatalDoubtException.class);
    }

    @Test
    void isNotDoneWhileRecordsOfTheLastHeadAreMissing() {
        // given
        givenALedger();
        records.remove(4);

        // when, then
        assertThat(rebuild().isDone()).isFalse();
    }
}
