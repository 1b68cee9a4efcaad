// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

/**
 * Offsets of a shard's records through all lives of topic {@code events}. Kafka begins at 0 again in a topic that replaces a lost
 * one; whatever the ledger keeps (heads, archive, receipts) must go on ascending. So there an offset is {@code (incarnation − 1) ·
 * 2^48 + Kafka's offset}: in the first incarnation simply Kafka's. With at most {@value #INCARNATIONS_MAX} incarnations it stays an
 * exact number of JSON.
 */
public final class LedgerOffset {
    public static final int INCARNATIONS_MAX = 32;

    private static final int KAFKA_BITS = 48;
    private static final long KAFKA_MASK = (1L << KAFKA_BITS) - 1;

    private LedgerOffset() {}

    /**
     * @param incarnation from 1 to {@value #INCARNATIONS_MAX}
     * @param kafkaOffset from 0 to 2^48 - 1
     * @throws IllegalArgumentException if one is out of these bounds
     */
    public static long of(int incarnation, long kafkaOffset) {
        if (incarnation < 1 || incarnation > INCARNATIONS_MAX || kafkaOffset < 0 || kafkaOffset > KAFKA_MASK) {
            throw new IllegalArgumentException("there is no offset " + kafkaOffset + " in incarnation " + incarnation
                    + ": offsets are below 2^48, incarnations from 1 to " + INCARNATIONS_MAX);
        }
        return (long) (incarnation - 1) << KAFKA_BITS | kafkaOffset;
    }

    /** Of an incarnation's first record, its genesis. */
    public static long first(int incarnation) {
        return of(incarnation, 0);
    }

    /** The life of the topic it is of. */
    public static int incarnation(long ledgerOffset) {
        return (int) (ledgerOffset >>> KAFKA_BITS) + 1;
    }

    /** What Kafka calls it in that life. */
    public static long kafka(long ledgerOffset) {
        return ledgerOffset & KAFKA_MASK;
    }
}
