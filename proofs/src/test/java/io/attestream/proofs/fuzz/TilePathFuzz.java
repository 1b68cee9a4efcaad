// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tile.TilePath;
import java.nio.charset.StandardCharsets;

/** A tile has one path only. */
public final class TilePathFuzz {
    private TilePathFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            Holds.equal(text, TilePath.parse(text).path());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
