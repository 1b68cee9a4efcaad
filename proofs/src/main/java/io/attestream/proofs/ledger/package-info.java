// SPDX-License-Identifier: Apache-2.0
/** Shard heads, epoch leaves, proof bundles and their offline verification. */
@NullMarked
package io.attestream.proofs.ledger;

import org.jspecify.annotations.NullMarked;
