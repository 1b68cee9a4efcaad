// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.access.AuthSettings;
import io.attestream.access.Start;
import io.attestream.operations.doubt.Doubt;
import io.attestream.proofs.ledger.ShardHead;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where an epoch is stuck can be seen. */
class CheckpointerMetricsTest {
    @TempDir
    private Path directory;

    @Test
    void anEpochIsSeenToComeThroughItsStages() throws Exception {
        // given a ledger whose shards are sealed and were recomputed
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        CheckpointerMetrics metrics = new CheckpointerMetrics(process.backlog, Clock.systemUTC());
        List<ShardHead> heads = process.backlog
                .takeNewest(Long.MAX_VALUE, Long.MAX_VALUE)
                .orElseThrow()
                .shardHeads();
        assertThat(offset(metrics, 0, "sealed"))
                .isEqualTo(heads.get(0).nextOffset())
                .isPositive();
        assertThat(offset(metrics, 1, "archived")).isZero();

        // when
        metrics.begun(heads);
        metrics.reached(PublishStep.ASSEMBLED, 0);
        metrics.reached(PublishStep.ARCHIVE_READ_BACK, 0);

        // then
        for (ShardHead head : heads) {
            assertThat(offset(metrics, head.shard(), "archived")).isEqualTo(head.nextOffset());
            assertThat(offset(metrics, head.shard(), "signed")).isZero();
        }

        // and when
        metrics.reached(PublishStep.SIGNED, 0);

        // then
        for (ShardHead head : heads) {
            assertThat(offset(metrics, head.shard(), "signed")).isEqualTo(head.nextOffset());
            assertThat(offset(metrics, head.shard(), "published")).isZero();
        }

        // and when
        metrics.reached(PublishStep.PUBLISHED, 0);
        assertThat(offset(metrics, 1, "published")).isEqualTo(heads.get(1).nextOffset());
    }

    /** No objective is met by 0 of somebody who sees nothing. */
    @Test
    void nothingToPublishIsNotKnownWhileNoBrokerAnswers() {
        // given a ledger without events
        AtomicLong nanos = new AtomicLong();
        Backlog backlog = new Backlog(
                List.of(TestShard.withEveryOutcome(new TestLedger(1), 0).replica(1 << 30)), nanos::get);
        CheckpointerMetrics metrics = new CheckpointerMetrics(backlog, Clock.systemUTC());
        String series = "\nattestream_checkpointer_oldest_unpublished_age_seconds ";
        assertThat(metrics.scrape()).contains(series + "0.0\n");

        // when
        nanos.set(Duration.ofSeconds(11).toNanos());

        // then
        assertThat(metrics.scrape()).contains(series + "NaN\n");

        // and when they do again
        backlog.answered();
        assertThat(metrics.scrape()).contains(series + "0.0\n");
    }

    /** The clock of who stands by decides when its turn has come. */
    @Test
    void whoWaitsTellsItsClock() {
        Clock clock = Clock.fixed(Instant.ofEpochMilli(1_700_000_000_500L), ZoneOffset.UTC);
        assertThat(CheckpointerMetrics.scrapeWaiting(
                        clock, new Start.Policy(new AuthSettings.Dev(), "dev", List.of()), new Doubt()))
                .contains("\nattestream_clock_seconds 1.7000000005E9\n")
                .contains("attestream_access_policy{policy=\"dev\",profile=\"dev\"} 1.0")
                .contains("\nattestream_doubt 0.0\n")
                .doesNotContain("attestream_checkpointer");
    }

    private static long offset(CheckpointerMetrics metrics, int shard, String stage) {
        String series = "attestream_checkpointer_shard_stage_offset{shard=\"" + shard + "\",stage=\"" + stage + "\"} ";
        return metrics.scrape()
                .lines()
                .filter(line -> line.startsWith(series))
                .map(line -> Double.valueOf(line.substring(series.length())))
                .findFirst()
                .orElseThrow()
                .longValue();
    }
}
