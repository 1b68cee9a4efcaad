// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.checkpointer.monitor.MonitorResult.Behind;
import io.attestream.checkpointer.monitor.MonitorResult.Ok;
import io.attestream.checkpointer.monitor.MonitorResult.Violation;
import io.attestream.checkpointer.monitor.MonitorResult.ViolationKind;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.PublishedKeys;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.TreeSize;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A monitor that trusts a ledger's first key, while others follow it, and while a thief has it. */
class MonitorOfKeysTest {
    private final FakeLedger ledger = new FakeLedger(1);
    private final NoteSigner first = ledger.key;
    private final NoteSigner second = NoteSigner.generate(FakeLedger.ORIGIN, new SecureRandom());
    private final NoteSigner third = NoteSigner.generate(FakeLedger.ORIGIN, new SecureRandom());
    private Monitor monitor = ledger.monitor();

    @TempDir
    Path directory;

    private void publish() {
        ledger.add(0, "entry " + ledger.served.size());
        ledger.publish();
    }

    private void announce() throws InvalidFormat {
        ledger.publish(ledger.keys.announce(first, second));
        ledger.signers = List.of(first, second);
    }

    private void retire() throws InvalidFormat {
        ledger.publish(ledger.keys.retire(second, first.verifier()));
        ledger.signers = List.of(second);
    }

    /** Epoch 1 announces the second key, 3 retires the first; the last is 4. */
    private void rotate() throws InvalidFormat {
        publish();
        announce();
        publish();
        retire();
        publish();
    }

    private void isOk(long size) {
        assertThat(monitor.check())
                .isInstanceOfSatisfying(Ok.class, ok -> assertThat(ok.size()).isEqualTo(new TreeSize(size)));
    }

    private void violates(ViolationKind kind, String why) {
        assertThat(monitor.check()).isInstanceOfSatisfying(Violation.class, violation -> {
            assertThat(violation.kind()).isEqualTo(kind);
            assertThat(violation.detail()).contains(why);
        });
    }

    @Test
    void followsTheKeysFromOneToTheNextEpochByEpoch() throws Exception {
        publish();
        isOk(1);
        announce();
        isOk(2);
        publish();
        isOk(3);
        retire();
        isOk(4);
        publish();
        isOk(5);
        assertThat(monitor.state().keys()).isEqualTo(ledger.keys);
    }

    @Test
    void oneThatBeginsLateFindsTheKeysOfTheNewestCheckpointFromTheFirstOn() throws Exception {
        // given
        rotate();

        // then
        isOk(5);
        assertThat(monitor.state().keys().active()).containsExactly(second.verifier());
    }

    @Test
    void whatIsKnownOfTheKeysIsKept() throws Exception {
        // given
        rotate();
        isOk(5);
        MonitorStateFile file = new MonitorStateFile(directory.resolve("monitor.json"));
        file.write(monitor.state());

        // when
        MonitorState read = file.read().orElseThrow();

        // then
        assertThat(read).isEqualTo(monitor.state());
        monitor = new Monitor(FakeLedger.ORIGIN, first.verifier(), ledger, read);
        publish();
        isOk(6);
    }

    @Test
    void aStateOfBeforeTheFirstChangeIsRead() throws Exception {
        // given
        publish();
        isOk(1);
        MonitorStateFile file = new MonitorStateFile(directory.resolve("monitor.json"));
        file.write(monitor.state());

        // then
        assertThat(Files.readString(directory.resolve("monitor.json"))).doesNotContain("keyChanges");
        assertThat(file.read()).contains(monitor.state());
    }

    // ---- a thief has the first key

    @Test
    void aForgedCheckpointIsRefusedAfterTheRetirement() throws Exception {
        // given
        rotate();
        isOk(5);

        // when: the thief goes on with a log of his own
        ledger.signers = List.of(first);
        publish();

        // then
        violates(ViolationKind.NOT_SIGNED, "is retired from epoch 4 on");
        assertThat(monitor.state().ledgerSize()).isEqualTo(new TreeSize(5));
    }

    @Test
    void aForgedCheckpointIsRefusedAfterTheRetirementByOneThatBeginsLate() throws Exception {
        // given
        rotate();
        ledger.signers = List.of(first);
        publish();

        // then
        violates(ViolationKind.NOT_SIGNED, "is retired from epoch 4 on");
    }

    @Test
    void aForgedCheckpointIsRefusedFromTheEpochBehindTheAnnouncementOn() throws Exception {
        // given
        publish();
        announce();
        isOk(2);

        // when
        ledger.signers = List.of(first);
        publish();

        // then
        violates(ViolationKind.NOT_SIGNED, "signed by an older key only");
    }

    @Test
    void aForgedCheckpointIsAForkBeforeTheAnnouncement() throws Exception {
        // given
        publish();
        publish();
        isOk(2);

        // when: the thief shows another log of that size, and one that is longer
        FakeLedger forged = new FakeLedger(1, first);
        forged.add(0, "forged");
        forged.publish();
        forged.publish();
        ledger.become(forged);

        // then
        violates(ViolationKind.LEDGER_FORKED, "was signed with root");
        publish();
        violates(ViolationKind.LEDGER_FORKED, "was signed with root");
    }

    @Test
    void aHistoryInWhichTheThiefAnnouncesAKeyOfHisOwnIsAFork() throws Exception {
        // given: the monitor has seen the real announcement
        publish();
        announce();
        publish();
        isOk(3);

        // when: the thief signs another one, in a log of his own that is as long
        FakeLedger forged = new FakeLedger(1, first);
        forged.publish();
        forged.publish(KeyHistory.of(first.verifier()).announce(first, third));
        forged.signers = List.of(first, third);
        forged.publish();
        forged.publish();
        ledger.become(forged);

        // then
        violates(ViolationKind.KEYS_FORKED, "does not go on from the one verified");
    }

    @Test
    void aChangeThatIsLoggedAndNotPublishedIsWaitedFor() throws Exception {
        // given
        publish();
        announce();
        ledger.steps.clear();

        // then
        assertThat(monitor.check())
                .isInstanceOfSatisfying(
                        Behind.class,
                        behind -> assertThat(behind.reason()).contains("the source has no keys/0000000001-"));
        assertThat(monitor.state().ledgerSize()).isEqualTo(new TreeSize(1));
    }

    @Test
    void aChangeThatIsPublishedAndAnotherThanTheLoggedIsAFork() throws Exception {
        // given: two announcements of the first key, one logged here, one elsewhere
        publish();
        FakeLedger elsewhere = new FakeLedger(1, first);
        elsewhere.publish();
        elsewhere.publish(KeyHistory.of(first.verifier()).announce(first, third));
        announce();
        ledger.steps = new ArrayList<>(elsewhere.steps);

        // then
        violates(ViolationKind.KEYS_FORKED, "epoch 1 logs keys/0000000001-");
    }

    @Test
    void anEpochThatLogsNoChangeBringsNone() throws Exception {
        // given: what is told of the keys is proved by a log the monitor does not follow
        publish();
        FakeLedger elsewhere = new FakeLedger(1, first);
        elsewhere.publish();
        elsewhere.publish(KeyHistory.of(first.verifier()).announce(first, third));
        ledger.steps = new ArrayList<>(elsewhere.steps);
        publish();
        ledger.signers = List.of(third);
        publish();

        // then: the epoch itself is not signed
        violates(ViolationKind.NOT_SIGNED, "the checkpoint is not signed by the ledger");
    }

    @Test
    void aHistoryThatDoesNotHoldIsRefused() throws Exception {
        // given
        rotate();
        ledger.steps.remove(0);

        // then
        violates(ViolationKind.KEYS_FORKED, "does not follow");
    }

    @Test
    void aSourceThatTellsNothingOfKeysIsBelievedNothing() throws Exception {
        // given
        rotate();
        ledger.knowsNoKeys = true;

        // then
        violates(ViolationKind.NOT_SIGNED, "no signature by a known key");
    }

    @Test
    void aKeySignsNothingInTheEpochThatAnnouncesIt() throws Exception {
        // given
        publish();
        KeyChange change = ledger.keys.announce(first, second);
        ledger.signers = List.of(second);
        ledger.publish(change);

        // then
        assertThat(monitor.check()).isInstanceOf(Violation.class);
    }

    @Test
    void aSourceThatIsBehindTellsOfNoFork() throws Exception {
        // given
        rotate();
        isOk(5);

        // when: another gateway has not read the retirement yet, and the newest checkpoint is not signed by those it
        // tells of
        ledger.steps.remove(1);
        ledger.signers = List.of(first);
        publish();

        // then
        assertThat(monitor.check())
                .isInstanceOfSatisfying(
                        Behind.class, behind -> assertThat(behind.reason()).contains("it is an older one"));
    }

    // ---- what somebody kept of the keys

    private Monitor monitorOf(KeyHistory kept) {
        return new Monitor(FakeLedger.ORIGIN, kept, ledger, MonitorState.initial(FakeLedger.ORIGIN, first.verifier()));
    }

    @Test
    void aLedgerThatHadTheKeptKeysIsFollowed() throws Exception {
        // given
        publish();
        announce();
        monitor = monitorOf(ledger.keys);
        isOk(2);

        // when
        publish();
        retire();
        publish();

        // then
        isOk(5);
    }

    /** A thief who has the first key, and the gateway, goes on from the epoch before the announcement. */
    @Test
    void aLedgerWithoutTheKeptAnnouncementIsAnother() throws Exception {
        // given
        publish();
        announce();
        KeyHistory kept = ledger.keys;
        FakeLedger forged = new FakeLedger(1, first);
        forged.add(0, "entry 0");
        forged.publish();
        forged.publish();
        forged.publish();
        ledger.become(forged);
        ledger.steps.clear();

        // then: without what was kept there is nothing to see
        isOk(3);
        monitor = monitorOf(kept);
        violates(ViolationKind.KEYS_FORKED, "epoch 1 does not log keys/0000000001-");
    }

    @Test
    void aStateThatWasKeptOfAnotherLedgerIsSeen() throws Exception {
        // given: a state of a log without the announcement
        publish();
        publish();
        isOk(2);
        FakeLedger real = new FakeLedger(1, first);
        real.publish();
        real.publish(real.keys.announce(first, second));

        // when
        monitor = new Monitor(FakeLedger.ORIGIN, real.keys, ledger, monitor.state());

        // then
        violates(ViolationKind.KEYS_FORKED, "epoch 1 does not log keys/0000000001-");
    }

    /** The thief logs the genuine announcement in a log of his own, in an epoch of the same number. */
    @Test
    void aLedgerThatLogsTheKeptAnnouncementInAnotherLogIsAnother() throws Exception {
        // given
        publish();
        announce();
        KeyHistory kept = new PublishedKeys(first.verifier().vkey(), ledger.steps).verify(first.verifier());
        FakeLedger forged = new FakeLedger(1, first);
        forged.add(0, "forged");
        forged.publish();
        forged.publish(kept.changes().get(0).change());
        ledger.become(forged);

        // then: without what was kept there is nothing to see
        isOk(2);
        monitor = monitorOf(kept);
        violates(ViolationKind.KEYS_FORKED, "was logged in another log");
    }
}
