// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

/**
 * What a client asks for.
 *
 * @param <R> what it is told if it goes well
 */
public sealed interface Operation<R extends Result> {
    /**
     * Sends an event. A retry is an append of its own, with the same identity and digest.
     *
     * @param digest of the content; of any function, if only equal content has an equal digest and leaves are read with the same
     *     one ({@link History#sha256} of the payload will do). Not empty
     */
    record Append(Identity identity, String digest) implements Operation<Result.Appended> {
        /** @throws IllegalArgumentException if the digest is empty */
        public Append {
            if (digest.isEmpty()) {
                throw new IllegalArgumentException("an event that is sent has a digest");
            }
        }
    }

    /**
     * Asks what became of an event, and verifies the proof that is given. Who asks once asks again until it is decided: a receipt whose
     * last answer is that it is pending is one that stays so.
     */
    record ReadReceipt(Receipt receipt) implements Operation<Result.Resolved> {}

    /** Reads the newest checkpoint and the heads of the shards it binds. */
    record ReadCheckpoint() implements Operation<Result.Heads> {}

    /**
     * Reads every leaf of every shard, at the end, when all that was acknowledged has been published: what was acknowledged before this
     * was asked has to be in it. The leaves are told by {@link History.Call#leaf}. The last one of a history that ended well, without a
     * flaw, is the one that counts.
     */
    record ReadAll() implements Operation<Result.Heads> {}
}
