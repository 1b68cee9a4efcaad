// SPDX-License-Identifier: Apache-2.0
/** Payloads under the key of the subject they are about, and what a ledger says when that key was destroyed. */
@NullMarked
package io.attestream.proofs.envelope;

import org.jspecify.annotations.NullMarked;
