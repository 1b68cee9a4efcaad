// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ledger;

import java.util.Optional;

/** Where the ledger is to be had, once it is open. */
public interface LedgerSource {
    /** Empty until every genesis record was read back; nothing may be appended before. */
    Optional<OpenLedger> current();

    /** For the health check: what is still missing, or that nothing is. */
    String state();

    /** Whether events that were acknowledged are gone from the log: starting this instance again must not hide it. */
    boolean isFenced();
}
