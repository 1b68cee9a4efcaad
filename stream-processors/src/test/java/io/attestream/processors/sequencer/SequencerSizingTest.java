// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequencerSizingTest {
    private static final long CACHE = 16 << 20;
    private static final List<Long> DEFAULT_SHARDS = Collections.nCopies(8, 1L << 22);

    @Test
    void saysNothingWhenAllShardsFit() {
        assertThat(SequencerSizing.warnings(DEFAULT_SHARDS, 2L << 30, CACHE)).isEmpty();
    }

    @Test
    void warnsOfAHeapThatFullDedupWindowsDoNotFitInto() {
        assertThat(SequencerSizing.warnings(DEFAULT_SHARDS, 1L << 30, CACHE))
                .singleElement()
                .asString()
                .contains("1312 MiB", "the heap is 1024 MiB", "-Xmx");
    }

    @Test
    void warnsOfACacheThatTheEdgeRecordsOfAllShardsDoNotFitInto() {
        List<Long> shards = Collections.nCopies(64, 256L);
        assertThat(SequencerSizing.warnings(shards, 1L << 30, 1 << 20))
                .singleElement()
                .asString()
                .contains("attestream.state.cache-size-bytes is 1048576", "64 shards");
    }
}
