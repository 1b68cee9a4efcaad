// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.checkpointer.monitor.CheckpointSource;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorState;
import io.attestream.proofs.note.NoteVerifier;
import java.util.Optional;
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
        public Optional<byte[]> shardConsistency(int shard, long from, long to) {
            return Optional.empty();
        }
    };

    /** No alert fires for a value that is not there, or is no number. */
    @Test
    void aLedgerThatStoodStillBeforeTheMonitorBeganGetsOldAllTheSame() throws Exception {
        // given
        NoteVerifier key = NoteVerifier.parse(KEY);
        Monitor monitor = new Monitor(key.keyName(), key, SILENT, MonitorState.initial(key.keyName(), key.vkey()));
        AtomicLong nowMillis = new AtomicLong(1_000_000);
        MonitorMetrics metrics = new MonitorMetrics(monitor, nowMillis::get);
        metrics.looked(monitor.check());
        assertThat(metrics.scrape()).contains("\nattestream_monitor_checkpoint_age_seconds 0.0\n");

        // when
        nowMillis.addAndGet(901_000);

        // then
        assertThat(metrics.scrape())
                .contains("\nattestream_monitor_checkpoint_age_seconds 901.0\n")
                .contains("\nattestream_monitor_looks_total{outcome=\"behind\"} 1.0\n");
    }
}
