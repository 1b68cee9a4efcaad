// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.keys;

import io.attestream.proofs.ledger.LedgerOffset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a ledger says that a key was destroyed.
 *
 * @param offset of the record in topic {@code events}
 */
public record ErasureReceipt(int incarnation, int shard, long offset) {
    private static final Pattern TEXT = Pattern.compile("([0-9]{1,9})/([0-9]{1,9})/([0-9]{1,18})");

    byte[] encode() {
        return (incarnation + "/" + shard + "/" + offset).getBytes(StandardCharsets.US_ASCII);
    }

    /** Empty if it is damaged. */
    static Optional<ErasureReceipt> parse(byte[] object) {
        Matcher matcher = TEXT.matcher(new String(object, StandardCharsets.US_ASCII));
        if (!matcher.matches()) {
            return Optional.empty();
        }
        ErasureReceipt receipt = new ErasureReceipt(
                Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                Long.parseLong(matcher.group(3)));
        return receipt.isPossible() ? Optional.of(receipt) : Optional.empty();
    }

    private boolean isPossible() {
        try {
            return LedgerOffset.of(incarnation, offset) >= 0;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
