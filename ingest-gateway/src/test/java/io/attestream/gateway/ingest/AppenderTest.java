// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.quota.Quotas;
import io.attestream.gateway.support.FakeEventLog;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AppenderTest {
    @Test
    void behindAnEventThatCouldNotBeSentNoneWaitsForTheSameBrokers() {
        // given
        AtomicInteger sent = new AtomicInteger();
        FakeEventLog log = new FakeEventLog();
        log.behaving(record -> CompletableFuture.completedFuture(
                sent.incrementAndGet() == 1
                        ? new AppendResult.Appended(0, 7)
                        : new AppendResult.NotWritten("the brokers cannot be reached")));
        Intake bad = new Intake.Refused("bad", Problem.of(ProblemCode.INVALID_EVENT, "no type", "type"));

        // when
        List<ResultItem> items = new Appender(log, 1, Quotas.Account.UNLIMITED)
                .appendAll(List.of(ready("a"), ready("b"), ready("c"), bad, ready("d"))).stream()
                        .map(CompletableFuture::join)
                        .toList();

        // then
        assertThat(sent).hasValue(2);
        assertThat(items).extracting(ResultItem::index).containsExactly(0, 1, 2, 3, 4);
        assertThat(items).extracting(ResultItem::id).containsExactly("a", "b", "c", "bad", "d");
        assertThat(items)
                .extracting(ResultItem::status)
                .containsExactly(
                        ResultItem.Status.ACCEPTED,
                        ResultItem.Status.UNAVAILABLE,
                        ResultItem.Status.UNAVAILABLE,
                        ResultItem.Status.REJECTED,
                        ResultItem.Status.UNAVAILABLE);
        assertThat(items.get(4).retryable()).isTrue();
    }

    @Test
    void onlyWhatMayHaveBeenWrittenUsesUpAQuota() {
        // given
        AtomicInteger used = new AtomicInteger();
        Quotas.Account account = new Quotas.Account() {
            @Override
            public Optional<Problem> take(long bytes) {
                used.incrementAndGet();
                return Optional.empty();
            }

            @Override
            public void giveBack(long bytes) {
                used.decrementAndGet();
            }
        };
        FakeEventLog log = new FakeEventLog();
        Appender appender = new Appender(log, 1, account);

        // when, then
        for (AppendResult result : List.of(new AppendResult.NotWritten("down"), new AppendResult.TooLarge("4 MiB"))) {
            log.answering(result);
            appender.append(0, ready("a")).join();
            assertThat(used).as(result.toString()).hasValue(0);
        }
        log.answering(new AppendResult.Unknown("no answer"));
        appender.append(0, ready("a")).join();
        assertThat(used).hasValue(1);
    }

    private static Intake ready(String id) {
        return new Intake.Ready(id, new LogRecord(0, new byte[0], new byte[0]));
    }
}
