// SPDX-License-Identifier: Apache-2.0
/** What those who run the ledger look at, on the management port. */
@NullMarked
package io.attestream.gateway.operations;

import org.jspecify.annotations.NullMarked;
