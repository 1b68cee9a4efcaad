// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.ledger.EpochLeaf;

/** Who answers for the objects whose digests an epoch leaf logs. */
interface LoggedObjects {
    /** Nothing may be logged. */
    LoggedObjects NONE = logged -> {
        throw new FatalDoubtException("object " + logged.name() + " is to be logged, which nobody here has verified");
    };

    /**
     * Returns if the object is in the store, whole, with this digest, and holds what was published.
     *
     * @throws FatalDoubtException if not
     */
    void requireVerified(EpochLeaf.Logged logged);
}
