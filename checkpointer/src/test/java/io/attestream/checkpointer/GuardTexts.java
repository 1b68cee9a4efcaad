// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.ObjectNames;
import java.nio.charset.StandardCharsets;

/** Guards as who has no key restores them. */
final class GuardTexts {
    private GuardTexts() {}

    /** An object as it is; a guard without the note behind its text. */
    static byte[] without(String name, byte[] object) {
        if (!name.startsWith(ObjectNames.GUARDS)) {
            return object;
        }
        String guard = new String(object, StandardCharsets.UTF_8);
        int end = guard.indexOf("\n\n");
        return end < 0 ? object : guard.substring(0, end + 1).getBytes(StandardCharsets.UTF_8);
    }
}
