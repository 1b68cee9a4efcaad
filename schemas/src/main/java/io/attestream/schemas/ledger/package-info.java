// SPDX-License-Identifier: Apache-2.0
/** Making a ledger, and reading back from its genesis records what it is. */
@NullMarked
package io.attestream.schemas.ledger;

import org.jspecify.annotations.NullMarked;
