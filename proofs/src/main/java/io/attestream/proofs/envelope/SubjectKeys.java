// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.envelope;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Gives a door the key of a subject. Thread-safe. */
public interface SubjectKeys {
    /** The keys of one subject cannot be used; those of others can. Erasing the subject is the way out. */
    final class UnusableKeyException extends IOException {
        private static final long serialVersionUID = 1L;

        public UnusableKeyException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * The key under which payloads about this subject are stored now; made if there is none.
     *
     * @throws IOException if the keys cannot be had: then nothing about the subject may be accepted, least of all in the clear;
     *     {@link UnusableKeyException} if that is so of this subject alone
     */
    SubjectKey current(String tenant, String subject) throws IOException;
}
