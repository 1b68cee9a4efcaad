// SPDX-License-Identifier: Apache-2.0
/** From published state to proofs, bundles, tiles and entries. */
@NullMarked
package io.attestream.gateway.read;

import org.jspecify.annotations.NullMarked;
