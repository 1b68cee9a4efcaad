// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.ledger.EpochLeaf;
import java.util.List;

/** Who answers for the objects whose digests an epoch leaf logs. */
interface LoggedObjects {
    /** Nothing may be logged. */
    LoggedObjects NONE = logged -> {
        if (!logged.isEmpty()) {
            throw new FatalDoubtException(
                    "object " + logged.get(0).name() + " is to be logged, which nobody here has verified");
        }
    };

    /**
     * Returns if each object is in the store, whole, with this digest, and holds what was published.
     *
     * @throws FatalDoubtException if not
     */
    void requireVerified(List<EpochLeaf.Logged> logged);
}
