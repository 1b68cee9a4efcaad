// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import java.io.IOException;
import java.util.Optional;

/** Fetches tiles of one log. */
@FunctionalInterface
public interface TileSource {
    /** Exactly {@code width · 32} bytes; empty if there is no such tile. */
    Optional<byte[]> tile(TilePath.HashTile tile) throws IOException;
}
