// SPDX-License-Identifier: Apache-2.0
/** The ledger this gateway is a door of, and how it is opened. */
@NullMarked
package io.attestream.gateway.ledger;

import org.jspecify.annotations.NullMarked;
