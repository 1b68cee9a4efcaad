// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.quota;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.http.Problem;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Quotas by a clock that moves only when it is told to. */
class QuotasTest {
    private static final long OFF = 0;

    private final AtomicLong nanos = new AtomicLong(System.nanoTime());
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();

    private record Settings(
            long tenantEventsPerSecond,
            long tenantBytesPerSecond,
            long subjectEventsPerSecond,
            long subjectBytesPerSecond,
            Duration burst,
            int maxRemembered)
            implements GatewayConfig.Quota {}

    private Quotas quotas(
            long tenantEvents, long tenantBytes, long subjectEvents, long subjectBytes, int burstSeconds) {
        return quotas(new Settings(
                tenantEvents, tenantBytes, subjectEvents, subjectBytes, Duration.ofSeconds(burstSeconds), 100));
    }

    private Quotas quotas(Settings settings) {
        return new Quotas(settings, metrics, nanos::get);
    }

    private void advance(Duration duration) {
        nanos.addAndGet(duration.toNanos());
    }

    /** How many events of so many bytes are granted in a row. */
    private static int granted(Quotas.Account account, long bytes) {
        int granted = 0;
        while (granted < 100_000 && account.take(bytes).isEmpty()) {
            granted++;
        }
        return granted;
    }

    private static Problem refusal(Quotas.Account account, long bytes) {
        Optional<Problem> problem = account.take(bytes);
        assertThat(problem).isPresent();
        return problem.orElseThrow();
    }

    @Test
    void aBurstIsGrantedAndThenAsManyASecondAsSet() {
        // given
        Quotas.Account account = quotas(10, OFF, OFF, OFF, 3).account("acme", "a");

        // when, then
        assertThat(granted(account, 1)).isEqualTo(30);
        advance(Duration.ofMillis(99));
        assertThat(granted(account, 1)).isZero();
        advance(Duration.ofMillis(1));
        assertThat(granted(account, 1)).isEqualTo(1);
        advance(Duration.ofSeconds(1));
        assertThat(granted(account, 1)).isEqualTo(10);
        advance(Duration.ofDays(365));
        assertThat(granted(account, 1)).isEqualTo(30);
    }

    @Test
    void bytesCountToTheByte() {
        // given
        Quotas.Account account = quotas(OFF, 1_000, OFF, OFF, 1).account("acme", "a");

        // when, then
        assertThat(account.take(999)).isEmpty();
        assertThat(account.take(2)).isPresent();
        assertThat(account.take(1)).isEmpty();
        assertThat(account.take(1)).isPresent();
        advance(Duration.ofMillis(1));
        assertThat(account.take(1)).isEmpty();
        assertThat(account.take(1)).isPresent();
    }

    @Test
    void aRefusalNamesTheSettingAndWhenToComeBack() {
        // given
        Quotas.Account account = quotas(OFF, OFF, 10, 100, 2).account("acme", "a");
        assertThat(account.take(200)).isEmpty();

        // when
        Problem problem = refusal(account, 150);

        // then
        assertThat(problem.status()).isEqualTo(429);
        assertThat(problem.code()).isEqualTo("quota-exceeded");
        assertThat(problem.field()).isEqualTo("attestream.quota.subject-bytes-per-second");
        assertThat(problem.limit()).isEqualTo(100);
        assertThat(problem.retryAfterSeconds()).isEqualTo(2);
        assertThat(problem.detail()).contains("100 bytes a second").contains("in 2 s");

        // and whoever comes back then is served, and nobody a moment before
        advance(Duration.ofMillis(1_499));
        assertThat(account.take(150)).isPresent();
        advance(Duration.ofMillis(1));
        assertThat(account.take(150)).isEmpty();
    }

    @Test
    void whatIsGivenBackIsGrantedAgainAndNoMore() {
        // given
        Quotas.Account account = quotas(2, 100, OFF, OFF, 1).account("acme", "a");
        assertThat(account.take(60)).isEmpty();
        assertThat(account.take(60)).isPresent();

        // when
        account.giveBack(60);
        account.giveBack(60);

        // then
        assertThat(account.take(60)).isEmpty();
        assertThat(account.take(40)).isEmpty();
        assertThat(account.take(1)).isPresent();
    }

    @Test
    void ofTwoLimitsTheOneThatTakesLongerIsNamed() {
        // given
        Quotas.Account account = quotas(1, OFF, OFF, 10, 2).account("acme", "a");
        assertThat(account.take(1)).isEmpty();
        assertThat(account.take(19)).isEmpty();

        // when, then: an event in 1 s, and 20 bytes in 2 s
        Problem problem = refusal(account, 20);
        assertThat(problem.field()).isEqualTo("attestream.quota.subject-bytes-per-second");
        assertThat(problem.retryAfterSeconds()).isEqualTo(2);
    }

    @Test
    void oneTenantDoesNotDisturbAnother() {
        // given
        Quotas quotas = quotas(10, 1_000, 5, 500, 1);

        // when
        granted(quotas.account("acme", "a"), 1);
        granted(quotas.account("acme", "b"), 1);

        // then
        assertThat(granted(quotas.account("other", "a"), 1)).isEqualTo(5);
        assertThat(granted(quotas.account("other", "b"), 1)).isEqualTo(5);
        assertThat(granted(quotas.account("other", "c"), 1)).isZero();
    }

    /** What a limit refuses takes from no other limit. */
    @Test
    void aSubjectThatFloodsLeavesTheRestToItsTenant() {
        // given
        Quotas quotas = quotas(100, OFF, 30, OFF, 1);

        // when
        Quotas.Account flooding = quotas.account("acme", "a");
        for (int i = 0; i < 10_000; i++) {
            flooding.take(1);
        }

        // then
        assertThat(granted(quotas.account("acme", "b"), 1)).isEqualTo(30);
        assertThat(granted(quotas.account("acme", "c"), 1)).isEqualTo(30);
        assertThat(granted(quotas.account("acme", "d"), 1)).isEqualTo(10);
    }

    @Test
    void aTenantThatIsUsedUpTakesNothingFromItsSubjects() {
        // given
        Quotas quotas = quotas(10, OFF, 10, OFF, 1);
        assertThat(granted(quotas.account("acme", "a"), 1)).isEqualTo(10);
        for (int i = 0; i < 100; i++) {
            assertThat(refusal(quotas.account("acme", "b"), 1).field())
                    .isEqualTo("attestream.quota.tenant-events-per-second");
        }

        // when
        advance(Duration.ofSeconds(1));

        // then
        assertThat(granted(quotas.account("acme", "b"), 1)).isEqualTo(10);
    }

    @Test
    void aClockThatGoesBackNeitherGrantsMoreNorLocksOut() {
        // given
        Quotas.Account account = quotas(10, OFF, OFF, OFF, 1).account("acme", "a");
        assertThat(granted(account, 1)).isEqualTo(10);

        // when
        advance(Duration.ofHours(-1));

        // then
        assertThat(granted(account, 1)).isZero();
        advance(Duration.ofMillis(500));
        assertThat(granted(account, 1)).isEqualTo(5);
    }

    @Test
    void anEventLargerThanABurstIsGrantedToWhomUsedNothingAndIsPaidBack() {
        // given
        Quotas.Account account = quotas(OFF, 100, OFF, OFF, 1).account("acme", "a");

        // when
        assertThat(account.take(1_000)).isEmpty();

        // then
        assertThat(refusal(account, 1).retryAfterSeconds()).isEqualTo(10);
        advance(Duration.ofSeconds(9));
        assertThat(account.take(1)).isPresent();
        advance(Duration.ofMillis(10));
        assertThat(account.take(1)).isEmpty();
    }

    @Test
    void zeroIsNoLimit() {
        Quotas.Account account = quotas(OFF, OFF, OFF, OFF, 1).account("acme", "a");
        assertThat(granted(account, Long.MAX_VALUE / 2)).isEqualTo(100_000);
    }

    @Test
    void theLargestQuotasDoNotOverflow() {
        // given
        Quotas.Account account = quotas(OFF, Quotas.MAX_PER_SECOND, OFF, OFF, (int) Quotas.MAX_BURST_SECONDS)
                .account("acme", "a");

        // when, then
        assertThat(granted(account, Quotas.MAX_PER_SECOND)).isEqualTo((int) Quotas.MAX_BURST_SECONDS);
        advance(Duration.ofDays(36_500));
        assertThat(granted(account, Quotas.MAX_PER_SECOND)).isEqualTo((int) Quotas.MAX_BURST_SECONDS);
    }

    /** A subject that floods is never the one that is forgotten, however many others come. */
    @Test
    void whatIsRememberedIsBoundedAndWhoFloodsIsRemembered() {
        // given
        Quotas quotas = quotas(new Settings(OFF, OFF, 10, OFF, Duration.ofSeconds(1), 50));
        assertThat(granted(quotas.account("acme", "flood"), 1)).isEqualTo(10);

        // when, then
        for (int i = 0; i < 10_000; i++) {
            assertThat(quotas.account("acme", "s" + i).take(1)).isEmpty();
            assertThat(quotas.account("acme", "flood").take(1)).isPresent();
        }
        assertThat(quotas.remembered()).isEqualTo(50);
    }

    /** Whatever the order and the pauses: never more than the burst and what came since. */
    @Test
    void noOrderOfEventsGetsMoreThanTheQuota() {
        long seed = System.nanoTime();
        System.out.println("QuotasTest seed " + seed);
        Random random = new Random(seed);
        Quotas.Account account = quotas(7, 1_000, OFF, OFF, 2).account("acme", "a");
        long begun = nanos.get();
        long events = 0;
        long bytes = 0;
        for (int i = 0; i < 20_000; i++) {
            long size = 1L + random.nextInt(400);
            if (account.take(size).isEmpty()) {
                events++;
                bytes += size;
            }
            advance(Duration.ofNanos(random.nextInt(300_000_000)));
            double seconds = (nanos.get() - begun) / 1e9;
            assertThat((double) events).as("seed %d", seed).isLessThanOrEqualTo(14 + 7 * seconds);
            assertThat((double) bytes).as("seed %d", seed).isLessThanOrEqualTo(2_000 + 1_000 * seconds);
        }
        // and not less either: events of 200 bytes at 150 ms on average want more than is granted
        assertThat((double) bytes).isGreaterThan(0.9 * 1_000 * (nanos.get() - begun) / 1e9);
    }

    @Test
    void manyThreadsTogetherGetTheBurstAndNoMore() throws Exception {
        // given
        Quotas quotas = quotas(1_000, OFF, OFF, OFF, 1);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        AtomicInteger granted = new AtomicInteger();
        try {
            // when
            for (int thread = 0; thread < 4; thread++) {
                String subject = "s" + thread;
                threads.execute(() -> granted.addAndGet(granted(quotas.account("acme", subject), 1)));
            }
        } finally {
            threads.shutdown();
            assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        }

        // then
        assertThat(granted).hasValue(1_000);
    }

    @Test
    void refusalsAreCountedByLimitAndAllSeriesAreThereFromTheStart() {
        // given
        Quotas.Account account = quotas(1, OFF, OFF, OFF, 1).account("acme", "a");
        assertThat(metrics.find("attestream.quota.refusals").counters()).hasSize(4);

        // when
        account.take(1);
        account.take(1);

        // then
        assertThat(metrics.get("attestream.quota.refusals")
                        .tag("limit", "tenant_events")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(metrics.find("attestream.quota.refusals").counters()).hasSize(4);
    }
}
