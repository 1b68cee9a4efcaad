// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.envelope;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryView;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * The event by which a ledger says that the key of a subject was destroyed, and with it every payload that was stored under it.
 * Only a door writes it: what producers send of this {@link #TYPE}
 * or {@link #SOURCE} is refused.
 */
public final class Erasure {
    public static final String TYPE = "io.attestream.payload.erased";

    private static final byte[] TYPE_BYTES = TYPE.getBytes(StandardCharsets.US_ASCII);

    public static final String SOURCE = "urn:attestream:erasure";

    private Erasure() {}

    /** Attributes of the event about one key. Its id is that of the key: said twice it is a duplicate. */
    public static Map<String, String> attributes(String keyId) {
        return Map.of("specversion", "1.0", "id", keyId, "source", SOURCE, "type", TYPE, "subject", keyId);
    }

    /**
     * What an entry says.
     *
     * @param tenant whose payloads were encrypted under the key
     */
    public record Logged(String keyId, String tenant) {}

    /** Empty if the entry says nothing of the kind. */
    public static Optional<Logged> of(EntryView entry) {
        return entry instanceof EntryView.Event event
                        && TYPE.equals(event.attributes().get("type"))
                ? Optional.ofNullable(event.attributes().get("subject")).map(keyId -> new Logged(keyId, event.tenant()))
                : Optional.empty();
    }

    /** As {@link #of(EntryView)}; of an entry that does not have the type anywhere no more is read. */
    public static Optional<Logged> of(byte[] entry) throws InvalidFormat {
        return has(entry, TYPE_BYTES) ? of(CanonicalEntry.parse(entry)) : Optional.empty();
    }

    private static boolean has(byte[] entry, byte[] text) {
        for (int from = 0; from <= entry.length - text.length; from++) {
            if (Arrays.equals(entry, from, from + text.length, text, 0, text.length)) {
                return true;
            }
        }
        return false;
    }
}
