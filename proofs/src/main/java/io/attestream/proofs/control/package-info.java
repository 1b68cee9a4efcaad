// SPDX-License-Identifier: Apache-2.0
/** Control records: genesis and rules changes, signed by the ledger key. */
@NullMarked
package io.attestream.proofs.control;

import org.jspecify.annotations.NullMarked;
