// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.Decimal;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.TreeSize;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Base64, decimals, times, kinds and hashes have one text only; hexadecimal digits may be in upper case. */
public final class ScalarFuzz {
    private ScalarFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            Holds.equal(text, Base64Text.encode(Base64Text.decode(text, "field")));
            Holds.equal(text, Hash.ofBase64(text).base64());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, Long.toUnsignedString(Decimal.parseUnsigned(text, "field")));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, LeafIndex.parse(text).toString());
            Holds.equal(text, TreeSize.parse(text).toString());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text.toLowerCase(Locale.ROOT), Hash.ofHex(text).hex());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, EntryKind.ofWord(text).word());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, PackName.parse(text).name());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, SnapshotName.parse(text).name());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.holds(SnapshotName.epochOfShard(text) >= 0, "an epoch's number is not negative");
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, WindowName.parse(text).name());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, LogTime.format(LogTime.parse(text, "field")));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
