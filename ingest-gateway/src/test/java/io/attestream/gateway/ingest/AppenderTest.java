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
import java.util.concurrent.atomic.AtomicLong;
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
    void behindAnEventWithoutItsKeyNoneIsSent() {
        // given
        FakeEventLog log = new FakeEventLog();

        // when
        List<ResultItem> items = new Appender(log, 1, Quotas.Account.UNLIMITED)
                .appendAll(List.of(ready("a"), new Intake.KeyUnavailable("b", false), ready("c"))).stream()
                        .map(CompletableFuture::join)
                        .toList();

        // then
        assertThat(items)
                .extracting(ResultItem::status)
                .containsExactly(
                        ResultItem.Status.ACCEPTED, ResultItem.Status.UNAVAILABLE, ResultItem.Status.UNAVAILABLE);
        assertThat(items.get(1).id()).isEqualTo("b");
        assertThat(items.get(1).retryable()).isTrue();
        assertThat(log.records()).hasSize(1);
    }

    @Test
    void behindAnEventWhoseSubjectsKeyIsDamagedOthersAreSent() {
        // given
        AtomicInteger asked = new AtomicInteger();
        FakeEventLog log = new FakeEventLog();

        // when
        List<ResultItem> items = new Appender(log, 1, Quotas.Account.UNLIMITED)
                        .appendAll(List.of(
                                keyed("a", asked, new Intake.KeyUnavailable("a", true)), keyed("b", asked, ready("b"))))
                        .stream()
                        .map(CompletableFuture::join)
                        .toList();

        // then
        assertThat(items)
                .extracting(ResultItem::status)
                .containsExactly(ResultItem.Status.UNAVAILABLE, ResultItem.Status.ACCEPTED);
        assertThat(log.records()).hasSize(1);
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

    /** A quota is there so that nobody can have keys made without limit. */
    @Test
    void noKeyIsAskedForWhatNoQuotaGrants() {
        // given
        AtomicInteger asked = new AtomicInteger();
        AtomicLong left = new AtomicLong(250);
        Quotas.Account account = new Quotas.Account() {
            @Override
            public Optional<Problem> take(long bytes) {
                if (bytes > left.get()) {
                    return Optional.of(Problem.of(ProblemCode.QUOTA_EXCEEDED, "used up", "tenant"));
                }
                left.addAndGet(-bytes);
                return Optional.empty();
            }

            @Override
            public void giveBack(long bytes) {
                left.addAndGet(bytes);
            }
        };
        FakeEventLog log = new FakeEventLog();
        Appender appender = new Appender(log, 1, account);

        // when
        List<ResultItem.Status> granted = List.of(
                appender.append(0, keyed("a", asked, ready("a"))).join().status(),
                appender.append(1, keyed("b", asked, new Intake.KeyUnavailable("b", false)))
                        .join()
                        .status(),
                appender.append(2, keyed("c", asked, ready("c"))).join().status());
        ResultItem refused = appender.append(3, keyed("d", asked, ready("d"))).join();

        // then
        assertThat(granted)
                .containsExactly(ResultItem.Status.ACCEPTED, ResultItem.Status.UNAVAILABLE, ResultItem.Status.ACCEPTED);
        assertThat(refused.status()).isEqualTo(ResultItem.Status.THROTTLED);
        assertThat(refused.id()).isEqualTo("d");
        assertThat(asked).hasValue(3);
        assertThat(log.records()).hasSize(2);
    }

    /** Each of a batch about thousands of subjects may have to be asked for. */
    @Test
    void aRequestDoesNotAskForKeysForEver() {
        // given
        AtomicInteger asked = new AtomicInteger();
        long[] nanos = {0};
        FakeEventLog log = new FakeEventLog();
        Appender appender = new Appender(log, 1, Quotas.Account.UNLIMITED, () -> nanos[0] += 3_000_000_000L);

        // when
        List<ResultItem> items = appender
                .appendAll(List.of(
                        keyed("a", asked, ready("a")),
                        keyed("b", asked, ready("b")),
                        keyed("c", asked, ready("c")),
                        keyed("d", asked, ready("d")),
                        keyed("e", asked, ready("e"))))
                .stream()
                .map(CompletableFuture::join)
                .toList();

        // then
        assertThat(items)
                .extracting(ResultItem::status)
                .containsExactly(
                        ResultItem.Status.ACCEPTED,
                        ResultItem.Status.ACCEPTED,
                        ResultItem.Status.ACCEPTED,
                        ResultItem.Status.UNAVAILABLE,
                        ResultItem.Status.UNAVAILABLE);
        assertThat(items.get(3).retryable()).isTrue();
        assertThat(asked).hasValue(3);
    }

    private static Intake keyed(String id, AtomicInteger asked, Intake made) {
        return new Intake.Keyed(id, 100, () -> {
            asked.incrementAndGet();
            return made;
        });
    }

    private static Intake ready(String id) {
        return new Intake.Ready(id, new LogRecord(0, new byte[0], new byte[0]));
    }
}
