// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.json.JcsWriter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The texts of a valid event, as its entry and its identity have them. Each method writes one JSON value in canonical form, so
 * that who holds the bytes of a record need not make strings of them.
 */
public interface EventTexts {
    void writeTenant(JcsWriter out);

    void writeActor(JcsWriter out);

    /** The object of all attributes, in canonical order. */
    void writeAttributes(JcsWriter out);

    void writeSource(JcsWriter out);

    /** A string, or {@code null} for an event without one. */
    void writePartitionKey(JcsWriter out);

    void writeId(JcsWriter out);

    /** Of strings that have passed {@link CanonicalEntry#requireValid}. */
    static EventTexts of(Map<String, String> attributes, String tenant, String actor) {
        return new OfStrings(attributes, tenant, actor);
    }

    /** See {@link #of}. */
    record OfStrings(Map<String, String> attributes, String tenant, String actor) implements EventTexts {
        @Override
        public void writeTenant(JcsWriter out) {
            out.string(tenant);
        }

        @Override
        public void writeActor(JcsWriter out) {
            out.string(actor);
        }

        @Override
        public void writeAttributes(JcsWriter out) {
            CanonicalEntry.writeAttributes(attributes, out);
        }

        @Override
        public void writeSource(JcsWriter out) {
            write("source", out);
        }

        @Override
        public void writePartitionKey(JcsWriter out) {
            write("partitionkey", out);
        }

        @Override
        public void writeId(JcsWriter out) {
            write("id", out);
        }

        private void write(String name, JcsWriter out) {
            @Nullable String value = attributes.get(name);
            if (value == null) {
                out.raw("null");
            } else {
                out.string(value);
            }
        }
    }
}
