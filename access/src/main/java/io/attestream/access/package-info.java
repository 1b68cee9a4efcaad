// SPDX-License-Identifier: Apache-2.0
/** The policy gate: what an environment has to say before any service of a ledger may start. */
@NullMarked
package io.attestream.access;

import org.jspecify.annotations.NullMarked;
