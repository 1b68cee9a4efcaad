// SPDX-License-Identifier: Apache-2.0
/** C2SP tlog-tiles: tiles, entry bundles and their paths. */
@NullMarked
package io.attestream.proofs.tile;

import org.jspecify.annotations.NullMarked;
