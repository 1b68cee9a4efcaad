// SPDX-License-Identifier: Apache-2.0
/** Tiles and lookups over what the sequencer committed, and the queries on them. */
@NullMarked
package io.attestream.processors.proofs;

import org.jspecify.annotations.NullMarked;
