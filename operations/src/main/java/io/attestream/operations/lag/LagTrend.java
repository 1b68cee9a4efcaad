// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

/**
 * Where the lag of a group on a partition goes, over the last minute.
 *
 * @param producedPerSecond offsets that came to the end of the partition
 * @param processedPerSecond offsets the group committed
 * @param drainSeconds until nothing is left, if both go on so; infinite if the lag does not shrink
 */
public record LagTrend(double producedPerSecond, double processedPerSecond, double drainSeconds) {
    /** Records a second; above 0 the lag grows. */
    public double growthPerSecond() {
        return producedPerSecond - processedPerSecond;
    }

    static LagTrend of(PartitionLag now, double producedPerSecond, double processedPerSecond) {
        double shrinking = processedPerSecond - producedPerSecond;
        double drainSeconds =
                now.records() == 0 ? 0 : shrinking > 0 ? now.records() / shrinking : Double.POSITIVE_INFINITY;
        return new LagTrend(producedPerSecond, processedPerSecond, drainSeconds);
    }
}
