// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HttpFigureTest {
    private static final String WINDOWS = """
            250000 records sent, 50000.0 records/sec (24.41 MB/sec), 612.0 ms avg latency, 1013.0 ms max latency.
            500000 records sent, 100000.0 records/sec (48.83 MB/sec), 322.0 ms avg latency, 400.0 ms max latency.
            450000 records sent, 90000.0 records/sec (43.95 MB/sec), 342.0 ms avg latency, 410.0 ms max latency.
            """;
    private static final String WHOLE =
            "1300000 records sent, 79000.0 records/sec (38.57 MB/sec), 402.21 ms avg latency, 1013.00 ms max latency.\n";

    @Test
    void theBaselineIsWhatTheToolReachesWhenWarm() {
        assertThat(HttpFigure.warmRate(WINDOWS + WHOLE)).isEqualTo(95_000);
    }

    @Test
    void ofARunTooShortForWindowsTheWholeIsTaken() {
        assertThat(HttpFigure.warmRate(WHOLE)).isEqualTo(79_000);
    }
}
