// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.checkpointer.monitor.MonitorResult.Behind;
import io.attestream.checkpointer.monitor.MonitorResult.Ok;
import io.attestream.checkpointer.monitor.MonitorResult.Violation;
import io.attestream.checkpointer.monitor.MonitorResult.ViolationKind;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Finds every way in which a ledger can break its promise to outsiders. */
class MonitorTest {
    private final FakeLedger ledger = new FakeLedger(2);
    private Monitor monitor = ledger.monitor();

    // ---- honest ledgers

    @Test
    void verifiesEveryEpochAndEveryShard() {
        // given
        for (int i = 0; i < 20; i++) {
            ledger.add(i % 2, "entry " + i);
            ledger.publish();
        }

        // then
        assertThat(monitor.check()).isEqualTo(new Ok(new TreeSize(20), 20));
        assertThat(monitor.check()).isEqualTo(new Ok(new TreeSize(20), 0));
        assertThat(monitor.state().heads().get(0).size()).isEqualTo(new TreeSize(10));
    }

    @Test
    void goesOnFromWhatItKept(@TempDir Path directory) throws Exception {
        // given
        MonitorStateFile file = new MonitorStateFile(directory.resolve("state.json"));
        assertThat(file.read()).isEmpty();
        ledger.add(0, "a");
        ledger.publish();
        monitor.check();
        file.write(monitor.state());
        file.write(monitor.state());

        // when
        ledger.add(0, "b");
        ledger.publish();
        ledger.served.set(0, ledger.served.get(0).withEpoch(new byte[0]));
        Monitor resumed = new Monitor(
                FakeLedger.ORIGIN, ledger.key.verifier(), ledger, file.read().orElseThrow());

        // then: epoch 0 is not asked for again
        assertThat(resumed.check()).isEqualTo(new Ok(new TreeSize(2), 1));
        try (var files = Files.list(directory)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void aDamagedStateIsAnErrorAndNotANewBeginning(@TempDir Path directory) throws Exception {
        // given
        Path path = directory.resolve("state.json");
        MonitorStateFile file = new MonitorStateFile(path);
        for (String damaged : List.of("", "{}", "{\"v\":1}", "nonsense")) {
            Files.writeString(path, damaged);

            // then
            assertThatThrownBy(file::read).as(damaged).isInstanceOf(IOException.class);
        }
    }

    @Test
    void aStateWhosePartsContradictEachOtherIsRefused(@TempDir Path directory) throws Exception {
        // given
        for (int i = 0; i < 3; i++) {
            ledger.add(0, "entry " + i);
            ledger.publish();
        }
        monitor.check();
        Path path = directory.resolve("state.json");
        MonitorStateFile file = new MonitorStateFile(path);
        file.write(monitor.state());
        String kept = Files.readString(path);
        String newestRoot = monitor.state().recentRoots().get(3L).base64();
        String olderRoot = monitor.state().recentRoots().get(2L).base64();

        // then
        for (String edited : List.of(
                kept.replace(newestRoot, olderRoot),
                kept.replaceAll("\"recentRoots\":.*?}", "\"recentRoots\":{}"),
                kept.replace("\"ledgerSize\":\"3\"", "\"ledgerSize\":\"4\""),
                kept.replaceAll("\"heads\":.*?]", "\"heads\":[]"),
                kept.replaceAll("\"heads\":\\[(.*?),(.*?)]", "\"heads\":[$2,$1]"))) {
            assertThat(edited).isNotEqualTo(kept);
            Files.writeString(path, edited);
            assertThatThrownBy(file::read)
                    .as(edited)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("is not a monitor's state");
        }
    }

    @Test
    void aStateThatCannotBeReadIsNoNewBeginning(@TempDir Path directory) throws Exception {
        // given: something on the way to the file is no directory, so whether it exists cannot be said
        Path notADirectory = Files.createFile(directory.resolve("file"));

        // then
        assertThatThrownBy(new MonitorStateFile(notADirectory.resolve("state.json"))::read)
                .isInstanceOf(IOException.class);
    }

    @Test
    void aStateOfAnotherLedgerIsRefused() {
        // given
        NoteSigner other = NoteSigner.generate(FakeLedger.ORIGIN, new SecureRandom());

        // then
        assertThatThrownBy(() -> new Monitor(FakeLedger.ORIGIN, other.verifier(), ledger, monitor.state()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the state is that of");
    }

    @Test
    void verifiesALongLogInPieces() {
        // given
        for (int i = 0; i <= Monitor.EPOCHS_MAX; i++) {
            ledger.add(0, "entry " + i);
            ledger.publish();
        }

        // then
        assertThat(monitor.check()).isEqualTo(new Ok(new TreeSize(Monitor.EPOCHS_MAX), Monitor.EPOCHS_MAX));
        assertThat(monitor.check()).isEqualTo(new Ok(new TreeSize(Monitor.EPOCHS_MAX + 1), 1));
    }

    @Test
    void aSourceThatDoesNotAnswerIsBehindAndNoViolation() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.down = true;

        // then
        assertThat(monitor.check()).isInstanceOf(Behind.class);
        ledger.down = false;
        assertThat(monitor.check()).isInstanceOf(Ok.class);
    }

    @Test
    void anOlderCheckpointShownAgainIsBehind() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.add(0, "b");
        ledger.publish();
        monitor.check();

        // when
        ledger.show(1);

        // then
        assertThat(monitor.check()).isInstanceOf(Behind.class);
        assertThat(monitor.state().ledgerSize()).isEqualTo(new TreeSize(2));
    }

    // ---- lying ledgers

    @Test
    void findsAForkedShardInsideAConsistentLedgerLog() {
        // given
        ledger.add(1, "a");
        ledger.publish();
        assertThat(monitor.check()).isInstanceOf(Ok.class);

        // when: shard 1 is rewritten and grows; epochs and notes stay perfectly consistent
        ledger.rewrite(1, 0, "A");
        ledger.add(1, "b");
        ledger.publish();

        // then
        violates(ViolationKind.SHARD_FORKED, "shard 1 in epoch 1");
        assertThat(monitor.state().ledgerSize()).isEqualTo(new TreeSize(1));
    }

    @Test
    void findsAShardRewrittenWithoutGrowing() {
        // given
        ledger.add(1, "a");
        ledger.publish();
        ledger.rewrite(1, 0, "A");
        ledger.publish();

        // then
        violates(ViolationKind.SHARD_FORKED, "shard 1 in epoch 1 has size 1");
    }

    @Test
    void findsAShardThatShrinks() {
        // given
        ledger.add(0, "a");
        ledger.add(0, "b");
        ledger.publish();
        ledger.remove(0);
        ledger.publish();

        // then
        violates(ViolationKind.SHARD_SHRANK, "shard 0 in epoch 1");
    }

    @Test
    void findsAnInputPositionThatGoesBack() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.nextOffset = 0;
        ledger.publish();

        // then
        violates(ViolationKind.SHARD_SHRANK, "shard 0 in epoch 1");
    }

    @Test
    void findsAnInputPositionThatGoesBackInAShardWithoutLeaves() {
        // given
        ledger.publish();
        monitor.check();

        // when
        ledger.nextOffset = 5;
        ledger.publish();

        // then
        violates(ViolationKind.SHARD_SHRANK, "shard 0 in epoch 1 went from");
    }

    @Test
    void findsASecondCheckpointOfOneSize() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        monitor.check();

        // when
        ledger.checkpoint = ledger.sign(1, new byte[32]);

        // then
        violates(ViolationKind.LEDGER_FORKED, "the ledger log of size 1 was signed with root");
    }

    @Test
    void findsAnOlderCheckpointThatIsNotTheOneSeenBefore() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.add(0, "b");
        ledger.publish();
        monitor.check();

        // when
        ledger.checkpoint = ledger.sign(1, new byte[32]);

        // then
        violates(ViolationKind.LEDGER_FORKED, "the ledger log of size 1");
    }

    @Test
    void findsAShorterLogBegunAnewUnderTheSameKey() {
        // given: of ten sizes the roots of the powers of two and of the last are still known
        for (int i = 0; i < 10; i++) {
            ledger.add(0, "entry " + i);
            ledger.publish();
        }
        monitor.check();
        MonitorState all = monitor.state();
        TreeMap<Long, Hash> roots = new TreeMap<>(all.recentRoots());
        roots.keySet().retainAll(List.of(1L, 2L, 4L, 8L, 10L));
        monitor = new Monitor(
                FakeLedger.ORIGIN,
                ledger.key.verifier(),
                ledger,
                new MonitorState(all.origin(), all.keys(), all.ledgerSize(), all.ledgerHashes(), all.heads(), roots));
        ledger.show(7);
        assertThat(monitor.check()).isInstanceOf(Behind.class);

        // when
        FakeLedger anew = new FakeLedger(2, ledger.key);
        for (int i = 0; i < 7; i++) {
            anew.add(0, "other " + i);
            anew.publish();
        }
        ledger.become(anew);

        // then
        violates(ViolationKind.LEDGER_FORKED, "the ledger log of size 4 was signed with root");
    }

    @Test
    void keepsTheRootsOfPowersOfTwoAndOfTheLastSizes() {
        // given
        MonitorState state = monitor.state();
        List<ShardHead> heads = List.of(new ShardHead(0, new TreeSize(0), Rfc6962.EMPTY_ROOT, 0));
        CompactRange range = CompactRange.empty();

        // when
        for (int i = 0; i < 1_200; i++) {
            range.append(Rfc6962.EMPTY_ROOT);
            state = state.with(range, heads, state.keys());
        }

        // then
        assertThat(state.recentRoots()).hasSize(MonitorState.RECENT_ROOTS_MAX);
        assertThat(state.recentRoots().keySet()).contains(1L, 2L, 4L, 128L, 1_024L, 200L, 1_200L);
        assertThat(state.recentRoots().keySet()).doesNotContain(3L, 127L);
    }

    @Test
    void findsALedgerLogThatWasRewritten() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        monitor.check();

        // when: another ledger log under the same key, longer by one
        FakeLedger other = new FakeLedger(2, ledger.key);
        other.add(0, "x");
        other.publish();
        other.add(0, "y");
        other.publish();
        ledger.become(other);

        // then
        violates(ViolationKind.LEDGER_FORKED, "the ledger log of size 2");
    }

    @Test
    void findsACheckpointThatItsEpochsDoNotGive() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.checkpoint = ledger.sign(1, new byte[32]);

        // then
        violates(ViolationKind.LEDGER_FORKED, "the ledger log of size 1");
    }

    @Test
    void findsANoteSignedByAnotherKey() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        FakeLedger other = new FakeLedger(2);
        other.add(0, "a");
        other.publish();
        ledger.checkpoint = other.checkpoint;

        // then
        violates(ViolationKind.NOT_SIGNED, "is not signed by");
    }

    @Test
    void findsASignatureThatDoesNotVerify() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.checkpoint = ledger.checkpoint.replaceFirst("\n1\n", "\n2\n");

        // then
        violates(ViolationKind.NOT_SIGNED, "does not verify");
    }

    @Test
    void findsACheckpointOfAnotherOrigin() {
        // given: the same key and key name sign for another log
        ledger.add(0, "a");
        ledger.publish();
        ledger.checkpoint = ledger.sign("other.example", 1, new byte[32]);

        // then
        violates(ViolationKind.NOT_SIGNED, "the checkpoint is of other.example");
    }

    @Test
    void findsHeadsTheEpochLeafDoesNotCommitTo() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        FakeLedger other = new FakeLedger(2, ledger.key);
        other.add(0, "b");
        other.publish();
        ledger.served.set(0, ledger.served.get(0).withHeads(other.served.get(0).heads()));

        // then
        violates(ViolationKind.EPOCH_MISMATCH, "commits to vector root");
    }

    @Test
    void findsAnEpochServedUnderAnotherNumber() {
        // given
        ledger.leafEpochShift = 1;
        ledger.add(0, "a");
        ledger.publish();

        // then
        violates(ViolationKind.EPOCH_MISMATCH, "the leaf of epoch 0 names epoch 1");
    }

    @Test
    void findsANoteOfAnotherSizeInAnEpoch() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.add(0, "b");
        ledger.publish();
        ledger.served.set(0, ledger.served.get(0).withNote(ledger.served.get(1).note()));

        // then
        violates(ViolationKind.EPOCH_MISMATCH, "the note of epoch 0 is of size 2, expected 1");
    }

    @Test
    void findsAnotherNumberOfShards() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.addShard();
        ledger.publish();

        // then
        violates(ViolationKind.EPOCH_MISMATCH, "has 3 shards, the epoch before 2");
    }

    @Test
    void findsAnswersThatAreNotInTheFormat() {
        ledger.add(0, "a");
        ledger.publish();
        FakeLedger.Served honest = ledger.served.get(0);
        for (String answer : List.of(
                "",
                "[]",
                "not json",
                "{}",
                "{\"epochLeaf\":1}",
                "{\"epochLeaf\":\"!!\",\"heads\":[],\"note\":\"\"}",
                "{\"epochLeaf\":\"AAAA\",\"heads\":[\"AAAA\"],\"note\":\"\"}",
                "{\"epochLeaf\":\"AAAA\",\"heads\":7,\"note\":\"\"}",
                "{\"epochLeaf\":\"AAAA\",\"heads\":[],\"note\":\"x\"}")) {
            ledger.served.set(0, honest.withEpoch(answer.getBytes(StandardCharsets.UTF_8)));
            violates(ViolationKind.MALFORMED, "");
        }
        ledger.checkpoint = "no note";
        violates(ViolationKind.MALFORMED, "");
    }

    @Test
    void findsAConsistencyProofThatIsNoProof() {
        // given
        ledger.add(0, "a");
        ledger.publish();
        ledger.add(0, "b");
        ledger.publish();

        // then
        ledger.proof = "{\"path\":[]}";
        violates(ViolationKind.SHARD_FORKED, "does not hold");
        ledger.proof = "{\"path\":[\"AAAA\"]}";
        monitor = ledger.monitor();
        violates(ViolationKind.MALFORMED, "hash of 3 bytes");
        ledger.proof = null;
        assertThat(monitor.check()).isInstanceOf(Ok.class);
    }

    private void violates(ViolationKind kind, String detail) {
        MonitorResult result = monitor.check();
        assertThat(result).isInstanceOf(Violation.class);
        Violation violation = (Violation) result;
        assertThat(violation.detail()).contains(detail);
        assertThat(violation.kind()).isEqualTo(kind);
    }
}
