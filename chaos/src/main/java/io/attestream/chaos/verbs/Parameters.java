// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.time.Duration;
import java.util.Optional;

/**
 * How strong a fault is. Each verb reads what concerns it.
 *
 * @param delay of {@link Verb#DELAY}: 1 ms to 60 s
 * @param jitter by which a delay varies in either direction: up to {@code delay}
 * @param rateKilobytesPerSecond of {@link Verb#BANDWIDTH}: 1 to 1,000,000
 * @param percent of its processor time or memory that {@link Verb#CPU} and {@link Verb#MEMORY} take away: 1 to 95
 * @param skew of {@link Verb#CLOCK_SKEW}: up to a day forwards or backwards
 * @param directory of {@link Verb#DISK_FULL} in a container: a path there
 */
public record Parameters(
        Duration delay,
        Duration jitter,
        long rateKilobytesPerSecond,
        int percent,
        Duration skew,
        Optional<String> directory) {
    private static final Duration DELAY_MAX = Duration.ofSeconds(60);
    private static final Duration SKEW_MAX = Duration.ofDays(1);
    private static final long RATE_MAX = 1_000_000;
    private static final int PERCENT_MAX = 95;

    /** 500 ms without jitter, 64 KB/s, 80 %, 10 minutes ahead. */
    public static final Parameters DEFAULT =
            new Parameters(Duration.ofMillis(500), Duration.ZERO, 64, 80, Duration.ofMinutes(10), Optional.empty());

    /** @throws ChaosRefused if one is out of its limits */
    public Parameters {
        require(
                delay.toMillis() >= 1 && delay.compareTo(DELAY_MAX) <= 0,
                "a delay is 1 ms to 60 s, not " + delay.toMillis() + " ms");
        require(
                !jitter.isNegative() && jitter.compareTo(delay) <= 0,
                "a jitter is 0 to the delay, not " + jitter.toMillis() + " ms");
        require(
                rateKilobytesPerSecond >= 1 && rateKilobytesPerSecond <= RATE_MAX,
                "a rate is 1 to " + RATE_MAX + " KB/s, not " + rateKilobytesPerSecond);
        require(percent >= 1 && percent <= PERCENT_MAX, "percent are 1 to " + PERCENT_MAX + ", not " + percent);
        require(
                skew.toMillis() != 0 && skew.abs().compareTo(SKEW_MAX) <= 0,
                "a clock is wrong by up to a day, not by " + skew.toSeconds() + " s");
        require(
                directory.stream().allMatch(path -> path.startsWith("/") && path.indexOf('\0') < 0),
                "a directory in a container is an absolute path, not " + directory.orElse(""));
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new ChaosRefused(otherwise, "Run attestream chaos --help for what it takes.");
        }
    }

    public Parameters withDelay(Duration other, Duration otherJitter) {
        return new Parameters(other, otherJitter, rateKilobytesPerSecond, percent, skew, directory);
    }

    public Parameters withRate(long otherKilobytesPerSecond) {
        return new Parameters(delay, jitter, otherKilobytesPerSecond, percent, skew, directory);
    }

    public Parameters withPercent(int other) {
        return new Parameters(delay, jitter, rateKilobytesPerSecond, other, skew, directory);
    }

    public Parameters withSkew(Duration other) {
        return new Parameters(delay, jitter, rateKilobytesPerSecond, percent, other, directory);
    }

    public Parameters withDirectory(String other) {
        return new Parameters(delay, jitter, rateKilobytesPerSecond, percent, skew, Optional.of(other));
    }
}
