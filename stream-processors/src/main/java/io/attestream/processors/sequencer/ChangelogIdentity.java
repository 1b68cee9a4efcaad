// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

/** Tells the changelog topics there are now from others that had the same names. */
@FunctionalInterface
public interface ChangelogIdentity {
    /** 32 bytes; different as soon as one of the topics was made anew. Called when tasks start, after the topics exist. */
    byte[] current();
}
