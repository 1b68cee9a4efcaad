// SPDX-License-Identifier: Apache-2.0
/** RFC 6962 Merkle trees: hashes, compact ranges, inclusion and consistency proofs. */
@NullMarked
package io.attestream.proofs.tree;

import org.jspecify.annotations.NullMarked;
