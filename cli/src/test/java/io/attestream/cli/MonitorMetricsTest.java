// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.checkpointer.monitor.CheckpointSource;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorResult;
import io.attestream.checkpointer.monitor.MonitorState;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.TreeSize;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class MonitorMetricsTest {
    // of the public examples of signed notes
    private static final String KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    private static final CheckpointSource SILENT = new CheckpointSource() {
        @Override
        public Optional<byte[]> checkpoint() {
            return Optional.empty();
        }

        @Override
        public Optional<byte[]> epoch(long number) {
            return Optional.empty();
        }

        @Override
        public Optional<byte[]> keys() {
            return Optional.empty();
        }

        @Override
        public Optional<byte[]> shardConsistency(int shard, long from, long to) {
            return Optional.empty();
        }
    };

    /** No alert fires for a value that is not there, or is no number. */
    @Test
    void aLedgerThatStoodStillBeforeTheMonitorBeganGetsOldAllTheSame() throws Exception {
        // given
        NoteVerifier key = NoteVerifier.parse(KEY);
        Monitor monitor = new Monitor(key.keyName(), key, SILENT, MonitorState.initial(key.keyName(), key));
        AtomicLong nowMillis = new AtomicLong(1_000_000);
        MonitorMetrics metrics = new MonitorMetrics(monitor, nowMillis::get, () -> nowMillis.get() * 1_000_000);
        metrics.looked(monitor.check());
        assertThat(metrics.scrape()).contains("\nattestream_monitor_checkpoint_age_seconds 0.0\n");

        // when
        nowMillis.addAndGet(901_000);

        // then
        assertThat(metrics.scrape())
                .contains("\nattestream_monitor_checkpoint_age_seconds 901.0\n")
                .contains("\nattestream_monitor_looks_total{outcome=\"behind\"} 1.0\n");
    }

    /** Else a monitor that is begun anew on an old ledger pages for what was published long ago. */
    @Test
    void theAgeOfEpochsOnTheWayToTheNewestIsNotThatOfTheNewest() {
        // given
        AtomicLong newestMillis = new AtomicLong(1_000);
        AtomicLong nowMillis = new AtomicLong(9_000_000);
        MonitorMetrics metrics =
                new MonitorMetrics(() -> 7, () -> OptionalLong.of(newestMillis.get()), nowMillis::get, () -> 0);

        // when more is waiting
        metrics.looked(new MonitorResult.Ok(new TreeSize(256), Monitor.EPOCHS_MAX));
        nowMillis.addAndGet(3_000);

        // then
        assertThat(metrics.scrape()).contains("\nattestream_monitor_checkpoint_age_seconds 3.0\n");

        // and when it has caught up
        metrics.looked(new MonitorResult.Ok(new TreeSize(300), 44));
        newestMillis.set(8_000_000);
        assertThat(metrics.scrape()).contains("\nattestream_monitor_checkpoint_age_seconds 1003.0\n");
        metrics.looked(new MonitorResult.Ok(new TreeSize(556), Monitor.EPOCHS_MAX));
        assertThat(metrics.scrape()).as("stays so").contains("\nattestream_monitor_checkpoint_age_seconds 1003.0\n");
    }

    /** Else a ledger that stands still looks fresh for as long as the clock of its checkpointer is ahead. */
    @Test
    void anEpochFromAClockThatIsAheadGetsOldFromItsVerificationOn() {
        // given: ten minutes ahead
        AtomicLong epochs = new AtomicLong(7);
        AtomicLong nowMillis = new AtomicLong(9_000_000);
        MonitorMetrics metrics = new MonitorMetrics(
                epochs::get, () -> OptionalLong.of(9_600_000), nowMillis::get, () -> nowMillis.get() * 1_000_000);
        nowMillis.addAndGet(50_000);

        // when
        epochs.set(8);
        metrics.looked(new MonitorResult.Ok(new TreeSize(8), 1));
        nowMillis.addAndGet(40_000);
        metrics.looked(new MonitorResult.Ok(new TreeSize(8), 0));

        // then
        assertThat(metrics.scrape()).contains("\nattestream_monitor_checkpoint_age_seconds 40.0\n");
    }
}
