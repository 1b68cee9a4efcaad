// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.quota;

/**
 * A token bucket, full at first. Exact: counted in millionths of a token, so that nothing is lost or won by rounding.
 *
 * <p>More than it holds at most is granted when it is full, and paid back before anything else is: otherwise an event larger
 * than the bucket could never be sent. A clock that goes back refills nothing, and refilling goes on from there. Not
 * thread-safe.
 */
final class TokenBucket {
    /** Bounds that keep every product within a long. */
    static final long MAX_PER_SECOND = 1_000_000_000;

    static final long MAX_BURST_SECONDS = 600;
    private static final long PARTS = 1_000_000;

    private final long perSecond;
    private final long capacityParts;
    private long levelParts;
    private long atMicros;

    TokenBucket(long perSecond, long burstSeconds, long nowMicros) {
        this.perSecond = perSecond;
        this.capacityParts = perSecond * burstSeconds * PARTS;
        this.levelParts = capacityParts;
        this.atMicros = nowMicros;
    }

    /** How long until so many tokens are granted, if nobody takes any; 0 if they are granted now. */
    long waitMicros(long tokens, long nowMicros) {
        refill(nowMicros);
        long missingParts = Math.min(tokens * PARTS, capacityParts) - levelParts;
        return missingParts <= 0 ? 0 : ceilDiv(missingParts, perSecond);
    }

    /** Only behind a {@link #waitMicros} of 0. */
    void take(long tokens) {
        levelParts -= tokens * PARTS;
    }

    /** What was taken and not used; never more than a burst. */
    void giveBack(long tokens) {
        levelParts = Math.min(capacityParts, levelParts + tokens * PARTS);
    }

    private void refill(long nowMicros) {
        long elapsedMicros = nowMicros - atMicros;
        atMicros = nowMicros;
        if (elapsedMicros >= ceilDiv(capacityParts - levelParts, perSecond)) {
            levelParts = capacityParts;
        } else if (elapsedMicros > 0) {
            levelParts += elapsedMicros * perSecond;
        }
    }

    private static long ceilDiv(long dividend, long divisor) {
        return -Math.floorDiv(-dividend, divisor);
    }
}
