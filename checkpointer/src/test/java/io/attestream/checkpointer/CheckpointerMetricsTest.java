// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.ledger.ShardHead;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
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
