// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HistoryTest {
    private static final Identity IDENTITY = new Identity("acme", "/s", Optional.of(""), "id \ud83d\ude00");
    private static final Hash HASH = Hash.of(new byte[Hash.SIZE_BYTES]);
    private static final Receipt RECEIPT = new Receipt(1, 2, 3);

    @TempDir
    private Path scratch;

    private Path file() {
        return scratch.resolve("history.jsonl");
    }

    private List<HistoryEvent> read() throws IOException, InvalidHistory {
        List<HistoryEvent> events = new ArrayList<>();
        HistoryReader.read(file(), events::add);
        return events;
    }

    private static List<Result> results(List<HistoryEvent> events) {
        return events.stream()
                .flatMap(event -> event instanceof HistoryEvent.Ok ok ? Stream.of(ok.result()) : Stream.empty())
                .toList();
    }

    @Test
    void whatIsRecordedIsReadAgain() throws Exception {
        // given
        Leaf leaf = Leaf.conflict(2, 7, IDENTITY, "d1", HASH, RECEIPT);
        Result.Appended appended = new Result.Appended(RECEIPT, OptionalLong.of(7));
        Result.Resolved resolved = Result.Resolved.flawed(Result.Outcome.CONFLICT, leaf, "bad signature");
        Result.Resolved verified = Result.Resolved.verified(
                Result.Outcome.CONFLICT,
                leaf,
                new Result.Proven(new Result.ShardHead(2, 8, HASH), new Result.TreeHead(5, HASH)));
        Result.Heads heads = new Result.Heads(
                2,
                Optional.of(new Result.TreeHead(5, HASH)),
                OptionalLong.of(1_700_000_000_000L),
                List.of(new Result.ShardHead(2, 8, HASH)),
                "");
        Operation.Append append = new Operation.Append(IDENTITY, "d1");

        // when
        try (History history = History.create(file(), 100)) {
            history.invoke("a", append).ok(appended);
            history.invoke("a", append).fail("400");
            history.invoke("b", append).info("no answer");
            history.invoke("b", new Operation.ReadReceipt(RECEIPT)).ok(resolved);
            history.invoke("b", new Operation.ReadReceipt(RECEIPT)).ok(verified);
            history.invoke("b", new Operation.ReadReceipt(RECEIPT)).ok(Result.Resolved.without(Result.Outcome.PENDING));
            history.invoke("b", new Operation.ReadCheckpoint()).ok(heads);
            History.Call<Result.Heads> all = history.invoke("b", new Operation.ReadAll());
            all.leaf(leaf);
            all.leaf(Leaf.control(0, 0, HASH));
            all.ok(heads);
            history.invoke("b", append);
        }

        // then
        List<HistoryEvent> events = read();
        assertThat(results(events))
                .containsExactly(
                        appended, resolved, verified, Result.Resolved.without(Result.Outcome.PENDING), heads, heads);
        assertThat(events.get(0))
                .isInstanceOfSatisfying(
                        HistoryEvent.Begun.class,
                        begun -> assertThat(begun.windowLeaves()).isEqualTo(100));
        assertThat(events).hasSize(1 + 2 * 8 + 2 + 1);
        assertThat(events.get(4)).isInstanceOfSatisfying(HistoryEvent.Failed.class, failed -> {
            assertThat(failed.invoked().operation()).isEqualTo(append);
            assertThat(failed.invoked().process()).isEqualTo("a");
            assertThat(failed.reason()).isEqualTo("400");
        });
        assertThat(events.get(6)).isInstanceOf(HistoryEvent.Unknown.class);
        assertThat(events.get(16))
                .isInstanceOfSatisfying(
                        HistoryEvent.LeafRead.class,
                        read -> assertThat(read.leaf()).isEqualTo(leaf));
    }

    @Test
    void leavesOfWhoIsNotRecordedAreNoPhantomsAndOthersAre() throws Exception {
        // given
        Leaf canary = Leaf.event(0, 0, new Identity("acme", "/canary", "c1"), "d1", HASH, RECEIPT);
        Leaf unknown = Leaf.event(0, 1, new Identity("acme", "/canary/other", "c1"), "d1", HASH, RECEIPT);
        Leaf foreign = Leaf.event(0, 2, new Identity("other", "/canary", "c1"), "d1", HASH, RECEIPT);

        // when
        try (History history = History.create(file(), 100, Optional.of(new Others("acme", "/canary")))) {
            History.Call<Result.Heads> all = history.invoke("b", new Operation.ReadAll());
            all.leaf(canary);
            all.leaf(unknown);
            all.leaf(foreign);
            all.ok(new Result.Heads(
                    2, Optional.empty(), OptionalLong.empty(), List.of(new Result.ShardHead(0, 3, HASH)), ""));
        }

        // then
        assertThat(HistoryChecker.check(file()).anomalies().get(AnomalyKind.PHANTOM))
                .isNotNull()
                .extracting(Verdict.Anomalies::examples)
                .asString()
                .contains("acme /canary/other c1", "other /canary c1")
                .doesNotContain("acme /canary c1");
    }

    private static Result.Heads headsOf(int incarnation, Leaf... leaves) {
        CompactRange range = CompactRange.empty();
        Stream.of(leaves).map(Leaf::hash).forEach(range::append);
        return new Result.Heads(
                incarnation,
                Optional.empty(),
                OptionalLong.empty(),
                List.of(new Result.ShardHead(0, leaves.length, range.root())),
                "");
    }

    private static void readAll(History history, int incarnation, Leaf... leaves) {
        History.Call<Result.Heads> all = history.invoke("auditor", new Operation.ReadAll());
        Stream.of(leaves).forEach(all::leaf);
        all.ok(headsOf(incarnation, leaves));
    }

    private static void append(History history, Identity identity, Receipt receipt) {
        history.invoke("a", new Operation.Append(identity, "d1")).ok(new Result.Appended(receipt));
    }

    @Test
    void whatIsLostBehindTheLastReadThatEndedWellIsNoGoodHistory() throws Exception {
        // given
        try (History history = History.create(file())) {
            readAll(history, 1, Leaf.control(0, 0, HASH));
            for (int i = 0; i < 100; i++) {
                append(history, new Identity("acme", "/s", "lost-" + i), new Receipt(1, 0, i));
            }
            History.Call<Result.Heads> failed = history.invoke("auditor", new Operation.ReadAll());
            failed.leaf(Leaf.control(0, 0, HASH));
            failed.info("503");
        }

        // when
        Verdict verdict = HistoryChecker.check(file());

        // then
        assertThat(verdict.anomalies().keySet()).containsExactly(AnomalyKind.UNJUDGED);
        assertThat(verdict.anomalies().get(AnomalyKind.UNJUDGED).count()).isEqualTo(100);
        assertThat(HistoryChecker.check(file(), Set.of(Tolerated.LATE)).isValid())
                .isTrue();
    }

    @Test
    void whatIsSaidToBeLostWithItsTopicIsLostUnlessALossWasToBe() throws Exception {
        // given
        try (History history = History.create(file())) {
            append(history, IDENTITY, new Receipt(1, 0, 7));
            history.invoke("a", new Operation.ReadReceipt(new Receipt(1, 0, 7)))
                    .ok(Result.Resolved.without(Result.Outcome.LOST));
            readAll(history, 2, Leaf.control(0, 0, HASH));
        }

        // then
        assertThat(HistoryChecker.check(file()).anomalies().keySet()).containsExactly(AnomalyKind.LOST);
        Verdict tolerant = HistoryChecker.check(file(), Set.of(Tolerated.LOSS));
        assertThat(tolerant.isValid()).isTrue();
        assertThat(tolerant.statistics().toldLost()).isOne();
    }

    @Test
    void aLeafOfNobodyThatNamesTheRecordOfAnEventIsFound() throws Exception {
        // given
        try (History history = History.create(file())) {
            append(history, IDENTITY, new Receipt(1, 0, 7));
            Leaf nobodys = Leaf.event(0, 0, new Identity("acme", "/s", "nobody's"), "d1", HASH, new Receipt(1, 0, 7));
            readAll(history, 1, nobodys);
        }

        // then
        assertThat(HistoryChecker.check(file()).anomalies().keySet())
                .containsExactly(AnomalyKind.LOST, AnomalyKind.PHANTOM, AnomalyKind.MISRESOLVED);
    }

    @Test
    void timesThatWentBackAreToleratedWhereAClockWasSetAndNowhereElse() throws Exception {
        // given
        try (History history = History.create(file(), 100)) {
            for (int size = 1; size <= 2; size++) {
                history.invoke("b", new Operation.ReadCheckpoint())
                        .ok(new Result.Heads(
                                1,
                                Optional.of(new Result.TreeHead(size, HASH)),
                                OptionalLong.of(1_700_000_000_000L - size),
                                List.of(),
                                ""));
            }
        }

        // then
        assertThat(HistoryChecker.check(file(), Set.of()).anomalies()).containsKey(AnomalyKind.TIME_WENT_BACK);
        assertThat(HistoryChecker.check(file(), Set.of(Tolerated.CLOCK)).anomalies())
                .doesNotContainKey(AnomalyKind.TIME_WENT_BACK);
    }

    @Test
    void aHistoryWhoseRecorderWasKilledWhileItWroteIsReadToThatLineAndSaysSo() throws Exception {
        // given
        try (History history = History.create(file())) {
            history.invoke("a", new Operation.Append(IDENTITY, "d1")).ok(new Result.Appended(RECEIPT));
        }
        byte[] whole = Files.readAllBytes(file());
        int lastLine = new String(whole, StandardCharsets.ISO_8859_1).lastIndexOf('\n', whole.length - 2) + 1;

        for (int length = lastLine; length < whole.length; length++) {
            // when
            Files.write(file(), Arrays.copyOf(whole, length));
            List<HistoryEvent> events = new ArrayList<>();
            HistoryReader.End end = HistoryReader.read(file(), events::add);

            // then
            assertThat(events).hasSize(2);
            assertThat(end).isEqualTo(new HistoryReader.End(2, length > lastLine));
        }
    }

    @Test
    void everyLineIsWithTheOperatingSystemBeforeTheRecorderGoesOn() throws Exception {
        try (History history = History.create(file())) {
            history.invoke("a", new Operation.ReadCheckpoint());
            assertThat(read()).hasSize(2);
        }
    }

    @Test
    void manyThreadsRecordAtOnce() throws Exception {
        // given
        int threads = 8;
        int each = 200;
        ExecutorService clients = Executors.newFixedThreadPool(threads);

        // when
        try (History history = History.create(file())) {
            for (int thread = 0; thread < threads; thread++) {
                String process = "client-" + thread;
                clients.execute(() -> {
                    for (int i = 0; i < each; i++) {
                        history.invoke(process, new Operation.Append(IDENTITY, "d"))
                                .fail("400");
                    }
                });
            }
            clients.shutdown();
            assertThat(clients.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        }

        // then
        assertThat(read()).hasSize(1 + 2 * threads * each);
    }

    @Test
    void ofThreadsThatEndOneOperationOneDoes() throws Exception {
        // given
        int threads = 4;
        int operations = 500;
        ExecutorService clients = Executors.newFixedThreadPool(threads);

        // when
        try (History history = History.create(file())) {
            for (int i = 0; i < operations; i++) {
                History.Call<Result.Heads> call = history.invoke("a", new Operation.ReadCheckpoint());
                CyclicBarrier together = new CyclicBarrier(threads);
                List<Future<?>> ends = new ArrayList<>();
                for (int thread = 0; thread < threads; thread++) {
                    ends.add(clients.submit(() -> {
                        together.await(60, TimeUnit.SECONDS);
                        call.fail("400");
                        return null;
                    }));
                }
                int refused = 0;
                for (Future<?> end : ends) {
                    try {
                        end.get(60, TimeUnit.SECONDS);
                    } catch (ExecutionException e) {
                        refused++;
                    }
                }
                assertThat(refused).isEqualTo(threads - 1);
            }
        } finally {
            clients.shutdownNow();
        }

        // then
        assertThat(read()).hasSize(1 + 2 * operations);
    }

    @Test
    void aHistoryHasABound() {
        try (History history = History.create(file(), 100, Optional.empty(), 2)) {
            history.invoke("a", new Operation.ReadCheckpoint());
            history.invoke("a", new Operation.ReadCheckpoint());
            assertThatThrownBy(() -> history.invoke("a", new Operation.ReadCheckpoint()))
                    .hasMessageContaining("has its 2 operations");
        }
    }

    @Test
    void anOperationEndsOnceAndAFileIsNotWrittenOver() {
        try (History history = History.create(file())) {
            History.Call<Result.Heads> call = history.invoke("a", new Operation.ReadCheckpoint());
            call.info("timeout");
            assertThatThrownBy(() -> call.fail("400")).hasMessage("operation 0 has ended");
            assertThatThrownBy(() -> call.leaf(Leaf.control(0, 0, HASH))).hasMessage("operation 0 has ended");
        }
        assertThatThrownBy(() -> History.create(file())).isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void anyTextIsRecordedAndReasonsAreShortened() throws Exception {
        // when
        Identity strange = new Identity("\ud800", "\u0000\n", "i".repeat(5_000));
        try (History history = History.create(file())) {
            history.invoke("a", new Operation.Append(strange, "d")).fail("x".repeat(5_000));
        }

        // then
        assertThat(read().get(2)).isInstanceOfSatisfying(HistoryEvent.Failed.class, failed -> {
            assertThat(failed.reason()).hasSize(1_000);
            assertThat(failed.invoked().operation())
                    .isEqualTo(new Operation.Append(new Identity("?", "\u0000\n", "i".repeat(5_000)), "d"));
        });
    }

    @Test
    void aReceiptIsReadFromItsPath() {
        assertThat(Receipt.ofPath("/v1/receipts/1/2/3")).isEqualTo(RECEIPT);
        assertThatThrownBy(() -> Receipt.ofPath("3")).hasMessage("no path of a receipt: 3");
        assertThatThrownBy(() -> Receipt.ofPath("/v1/receipts/0/2/3")).hasMessage("no receipt: 0/2/3");
    }

    private static final String BEGUN = "{\"format\":\"attestream.history/v1\",\"wall\":1,\"windowLeaves\":4194304}\n";
    private static final String INVOKED =
            "{\"at\":5,\"call\":{\"kind\":\"read-receipt\",\"receipt\":[1,0,3]},\"op\":0,\"process\":\"a\",\"type\":\"invoke\",\"wall\":1}\n";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\":1} | line 1: format: is missing",
                "{\"format\":\"attestream.history/v2\"} | line 1: format: must be attestream.history/v1",
                "[] | line 1: json: must be an object",
                "HELLO | line 1: json: ",
                "{\"format\":\"attestream.history/v1\",\"others\":{\"tenant\":\"t\"},\"wall\":1,\"windowLeaves\":1} | line 1: source: is missing",
                "BEGUN{\"type\":\"went\"} | line 2: type: must be one of invoke, ok, fail, info, leaf",
                "BEGUN{\"at\":1,\"op\":0,\"reason\":\"\",\"type\":\"info\",\"wall\":1} | line 2: op: must be that of an operation that has begun",
                "BEGUNINVOKED{\"at\":6,\"op\":0,\"reason\":\"\",\"type\":\"info\",\"wall\":1}NEXT{\"at\":6,\"op\":0,\"reason\":\"\",\"type\":\"info\",\"wall\":1} | line 4: op: must be that of an operation that has begun",
                "BEGUNINVOKEDINVOKED | line 3: op: must be 1: operations are counted",
                "BEGUNINVOKED{\"at\":4,\"op\":0,\"reason\":\"\",\"type\":\"info\",\"wall\":1} | line 3: at: goes back from 5 to 4",
                "BEGUNINVOKED{\"at\":6,\"op\":0,\"reason\":\"\",\"type\":\"info\",\"wall\":1,\"more\":1} | line 3: more: is not a member",
                "BEGUNINVOKED{\"at\":6,\"op\":0,\"type\":\"ok\",\"wall\":1,\"result\":{\"kind\":\"heads\"}} | line 3: kind: must be resolved",
                "BEGUNINVOKED{\"at\":6,\"op\":0,\"type\":\"ok\",\"wall\":1,\"result\":{\"kind\":\"resolved\",\"outcome\":\"leaf\"}} | line 3: leaf: does not fit outcome leaf",
                "BEGUNINVOKED{\"op\":0,\"type\":\"leaf\",\"leaf\":{}} | line 3: op: must be that of a read of all leaves",
            })
    void whatIsNoHistoryIsRefusedWithItsLine(String text, String message) throws IOException {
        Files.writeString(
                file(), text.replace("BEGUN", BEGUN).replace("INVOKED", INVOKED).replace("NEXT", "\n") + "\n");
        assertThatThrownBy(this::read).isInstanceOf(InvalidHistory.class).hasMessageStartingWith(message);
    }

    @Test
    void anEmptyFileAndOneWithoutLinesAreNoHistory() throws IOException {
        Files.writeString(file(), "");
        assertThatThrownBy(this::read).hasMessageStartingWith("line 1: is missing");
        Files.write(file(), new byte[(1 << 20) + 1]);
        assertThatThrownBy(this::read).hasMessage("line 1: is longer than 1048576 bytes");
    }
}
