// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.chaos.history.AnomalyKind;
import io.attestream.chaos.history.History;
import io.attestream.chaos.history.HistoryChecker;
import io.attestream.chaos.history.Result.Outcome;
import io.attestream.chaos.history.Verdict;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.Hash;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a gateway answers wrongly is found in the history of a client that asked. */
@Timeout(60)
class RecordedClientTest {
    private static final Hash ANOTHER = Hash.of(new byte[Hash.SIZE_BYTES]);
    private static final NoteSigner STRANGER = NoteSigner.generate(StubLedger.ORIGIN, new SecureRandom());

    @TempDir
    private Path scratch;

    private StubLedger ledger;
    private History history;
    private RecordedClient client;

    @BeforeEach
    void begin() throws Exception {
        ledger = new StubLedger();
        history = History.create(scratch.resolve("history.jsonl"));
        client = new RecordedClient(
                history, "client", StubLedger.TENANT, ledger.signer.verifier(), 1, () -> ledger.api());
    }

    @AfterEach
    void end() {
        history.close();
        ledger.close();
    }

    /** Appends so many events, and reads what becomes of each. */
    private void use(int from, int to) {
        for (int number = from; number < to; number++) {
            append(number);
            client.checkpoint();
            assertThat(client.receipt(StubLedger.href(number), StubLedger.line(number)))
                    .satisfies(resolved -> assertThat(resolved.flaw()).isEmpty())
                    .satisfies(resolved -> assertThat(resolved.outcome()).isEqualTo(Outcome.LEAF));
        }
    }

    private void append(int number) {
        ledger.publish();
        client.append(List.of(StubLedger.line(number)), result -> {});
    }

    private Verdict judge() throws Exception {
        history.close();
        return HistoryChecker.check(history.file());
    }

    private String wrongNote(long size) {
        return StubLedger.note(ledger.signer, StubLedger.ORIGIN, size, ANOTHER);
    }

    @Test
    void aGoodLedgerShowsAGoodHistory() throws Exception {
        use(0, 5);
        client.all();
        Verdict verdict = judge();
        assertThat(verdict.anomalies()).isEmpty();
        assertThat(verdict.statistics().leaves()).isEqualTo(5);
    }

    /** As they are answered with status 200. */
    static Stream<Wrong> wrongCheckpoints() {
        return Stream.of(
                new Wrong(
                        "another key",
                        stub -> stub.epochJson(
                                2,
                                StubLedger.note(
                                        STRANGER,
                                        StubLedger.ORIGIN,
                                        3,
                                        stub.epoch(2).logRoot()))),
                new Wrong(
                        "another origin",
                        stub -> stub.epochJson(
                                2,
                                StubLedger.note(
                                        stub.signer.withName("other.example/log"),
                                        "other.example/log",
                                        3,
                                        stub.epoch(2).logRoot()))),
                new Wrong("no note", stub -> stub.epochJson(2, "")),
                new Wrong(
                        "another root",
                        stub -> stub.epochJson(2, StubLedger.note(stub.signer, StubLedger.ORIGIN, 3, ANOTHER))),
                new Wrong(
                        "a size beyond everything",
                        stub -> stub.epochJson(2, StubLedger.note(stub.signer, StubLedger.ORIGIN, 1L << 60, ANOTHER))),
                new Wrong("the leaf of another epoch", stub -> stub.epochJson(1, stub.goodNote(2))),
                new Wrong(
                        "no heads",
                        stub -> stub.epochJson(2, stub.goodNote(2))
                                .replaceAll("\"heads\":\\[[^]]*\\]", "\"heads\":[]")),
                new Wrong("nothing", stub -> "{}"),
                new Wrong("no JSON", stub -> "<html>"));
    }

    private interface Body {
        String of(StubLedger ledger);
    }

    private record Wrong(String what, Body body) {
        @Override
        public String toString() {
            return what;
        }
    }

    @ParameterizedTest
    @MethodSource("wrongCheckpoints")
    void aCheckpointThatDoesNotVerifyIsFoundThoughAllIsGoodAfterwards(Wrong wrong) throws Exception {
        // given
        use(0, 3);
        ledger.replace(StubLedger.LATEST, 200, wrong.body().of(ledger));

        // when
        assertThat(client.checkpoint().flaw()).isNotEmpty();
        ledger.mend();
        use(3, 5);
        client.all();

        // then
        assertThat(judge().anomalies()).containsKey(AnomalyKind.UNVERIFIED);
    }

    static Stream<Wrong> wrongReceipts() {
        return Stream.of(
                new Wrong(
                        "another key",
                        stub -> stub.receiptJson(
                                2,
                                StubLedger.note(
                                        STRANGER,
                                        StubLedger.ORIGIN,
                                        3,
                                        stub.epoch(2).logRoot()))),
                new Wrong("another event", stub -> stub.receiptJson(1, stub.goodNote(1))),
                new Wrong("no bundle", stub -> "{\"status\":\"leaf\"}"),
                new Wrong("half a bundle", stub -> "{\"status\":\"leaf\",\"bundle\":{\"v\":1}}"),
                new Wrong(
                        "a duplicate of nothing",
                        stub -> stub.receiptJson(2, stub.goodNote(2)).replace("\"leaf\"", "\"duplicate\"")),
                new Wrong("another status", stub -> "{\"status\":\"fine\"}"),
                new Wrong("nothing", stub -> ""),
                new Wrong("no JSON", stub -> "<html>"));
    }

    @ParameterizedTest
    @MethodSource("wrongReceipts")
    void aProofThatDoesNotVerifyIsFoundThoughAllIsGoodAfterwards(Wrong wrong) throws Exception {
        // given
        use(0, 3);
        ledger.replace(StubLedger.href(2), 200, wrong.body().of(ledger));

        // when
        assertThat(client.receipt(StubLedger.href(2), StubLedger.line(2)).flaw())
                .isNotEmpty();
        ledger.mend();
        use(3, 5);
        client.all();

        // then
        assertThat(judge().anomalies()).containsKey(AnomalyKind.UNVERIFIED);
    }

    @Test
    void ofWhatIsNotAnsweredNobodyKnowsAndThatIsNoAnomaly() throws Exception {
        // given
        use(0, 3);
        Map.of(StubLedger.LATEST, 503, StubLedger.href(2), 500, "/v1/events/0/1", 504)
                .forEach((path, status) -> ledger.replace(path, status, "{}"));

        // when
        assertThatThrownBy(client::checkpoint).isInstanceOf(CliException.class);
        assertThatThrownBy(() -> client.receipt(StubLedger.href(2), StubLedger.line(2)))
                .isInstanceOf(CliException.class);
        assertThatThrownBy(client::all).isInstanceOf(CliException.class);
        ledger.mend();
        client.all();

        // then
        Verdict verdict = judge();
        assertThat(verdict.anomalies()).isEmpty();
        assertThat(verdict.statistics().info()).isEqualTo(3);
    }

    @Test
    void aReadOfAllLeavesOfWhichOneCannotBeReadIsNone() throws Exception {
        // given
        use(0, 3);
        ledger.replace("/v1/events/0/1", 200, "{\"entry\":\"AA==\"}");

        // when
        client.all();

        // then
        assertThat(judge().anomalies()).containsOnlyKeys(AnomalyKind.UNREAD, AnomalyKind.UNVERIFIED);
    }

    @Test
    void aForkOfTheLogIsFoundThoughNoTwoReadsAreOfOneSize() throws Exception {
        // given
        use(0, 4);

        // when sizes 5, 6 and 7 have roots that have nothing to do with each other
        for (int number = 4; number < 7; number++) {
            append(number);
            ledger.replace(StubLedger.LATEST, 200, ledger.epochJson(number, wrongNote(number + 1)));
            client.checkpoint();
        }
        ledger.mend();
        use(7, 8);
        client.all();

        // then
        Verdict verdict = judge();
        assertThat(verdict.anomalies()).containsOnlyKeys(AnomalyKind.UNVERIFIED);
        assertThat(verdict.anomalies().get(AnomalyKind.UNVERIFIED).count()).isEqualTo(3);
    }

    @Test
    void aProofByAnotherRootOfTheLogThanACheckpointOfItsSizeHasIsAFork() throws Exception {
        // given
        use(0, 4);

        // when
        ledger.replace(StubLedger.href(2), 200, ledger.forkedReceiptJson(2));
        assertThat(client.receipt(StubLedger.href(2), StubLedger.line(2)).flaw())
                .contains("the ledger log of size 3 is signed with root");
        ledger.mend();
        client.all();

        // then
        assertThat(judge().anomalies()).containsOnlyKeys(AnomalyKind.FORKED, AnomalyKind.UNVERIFIED);
    }

    @Test
    void epochsThatWereNotSeenComeFromTheTilesOfTheLog() throws Exception {
        use(0, 1);
        for (int number = 1; number < 6; number++) {
            append(number);
        }
        client.checkpoint();
        use(6, 7);
        client.all();
        assertThat(judge().anomalies()).isEmpty();
    }

    @Test
    void tilesThatDoNotLeadToTheSignedRootAreFound() throws Exception {
        use(0, 1);
        for (int number = 1; number < 6; number++) {
            append(number);
        }
        ledger.replace("/log/tile/0/000.p/5", 200, "x".repeat(5 * Hash.SIZE_BYTES));
        assertThat(client.checkpoint().flaw()).contains("is signed with root");
        ledger.replace("/log/tile/0/000.p/5", 200, "x");
        assertThat(client.checkpoint().flaw()).contains("has 1 bytes");
    }

    @Test
    void aHeadIsHeldAgainstTheLogWhenItsTilesCanBeHadAgain() throws Exception {
        // given: of size 4 a wrong one, when nobody could tell
        use(0, 1);
        for (int number = 1; number < 4; number++) {
            append(number);
        }
        ledger.replace("/log/tile/0/000.p/3", 503, "");
        ledger.replace(StubLedger.LATEST, 200, ledger.epochJson(3, wrongNote(4)));
        assertThat(client.checkpoint().flaw()).isEmpty();
        assertThatThrownBy(client::all).hasMessageContaining("to size 4 cannot be had");

        // when
        ledger.mend();
        append(4);
        assertThat(client.checkpoint().flaw()).contains("the ledger log of size 4 is signed with root");
        client.all();

        // then
        assertThat(judge().anomalies()).containsOnlyKeys(AnomalyKind.UNVERIFIED);
    }
}
