// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import java.time.Duration;
import java.util.stream.LongStream;

/** Buckets of the latencies that objectives and alerts speak of (runbooks/slo), so that each is counted exactly. */
public final class LatencyBounds {
    public static final Duration[] SECONDS = LongStream.of(
                    25, 50, 100, 200, 250, 350, 400, 500, 750, 850, 1_000, 2_500, 5_000, 10_000, 30_000)
            .mapToObj(Duration::ofMillis)
            .toArray(Duration[]::new);

    private LatencyBounds() {}
}
