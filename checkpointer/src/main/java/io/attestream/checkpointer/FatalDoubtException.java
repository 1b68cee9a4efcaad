// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import org.jspecify.annotations.Nullable;

/**
 * A doubt about state, keys or the fate of a write. It stops the process with exit code 1 and is never caught to go on:
 * a checkpoint that was signed in doubt cannot be taken back (design §3.7).
 */
final class FatalDoubtException extends RuntimeException {
    FatalDoubtException(String message) {
        super(message);
    }

    FatalDoubtException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
