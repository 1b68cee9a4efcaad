// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import java.io.IOException;

/** Where the window blocks are that a {@link ShardSnapshot} names. */
public interface WindowBlocks {
    /**
     * @throws IOException if the store does not answer
     * @throws InvalidFormat if the block is missing, or is not what its name says
     */
    WindowBlock read(WindowName name) throws IOException, InvalidFormat;
}
