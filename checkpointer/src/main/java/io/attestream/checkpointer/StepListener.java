// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

/** Told of each step of the publish path after it was taken; called on the publishing thread. */
@FunctionalInterface
interface StepListener {
    StepListener NONE = (step, epoch) -> {};

    void reached(PublishStep step, long epoch);

    /** These exact bytes were signed; whether they are ever published is not known yet. */
    default void signed(long epoch, String note) {}
}
