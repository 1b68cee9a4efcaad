// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.tree.Hash;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** What is read under a name of its own digest has one form. */
public final class WindowBlockFuzz {
    private static final int LEAVES = 3;

    private WindowBlockFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            WindowBlock block = WindowBlock.parse(new WindowName(0, 0, LEAVES, sha256(input)), input);
            WindowBlock.Builder again = new WindowBlock.Builder(0, 0);
            for (long index = 0; index < LEAVES; index++) {
                again.add(block.row(index));
            }
            Holds.sameBytes(input, again.build());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static Hash sha256(byte[] bytes) {
        try {
            return Hash.of(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
