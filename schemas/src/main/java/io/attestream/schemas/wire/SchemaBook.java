// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import io.attestream.proofs.control.SchemaText;
import io.attestream.schemas.SchemaTexts;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Schema ids as the ledger's control records define them. No registry is asked: what a record means must not depend on
 * anything outside the log. Immutable.
 */
public final class SchemaBook {
    private final Map<Integer, SchemaText> byId = new HashMap<>();
    private final Map<Integer, Schema> parsed = new HashMap<>();
    private final List<SchemaText> texts;

    /**
     * @throws IllegalArgumentException if two schemas share an id, a text is no schema, or a fingerprint is not its text's
     */
    public SchemaBook(List<SchemaText> schemas) {
        this.texts = List.copyOf(schemas);
        for (SchemaText text : schemas) {
            parsed.put(text.id(), parse(text));
            if (byId.put(text.id(), text) != null) {
                throw new IllegalArgumentException("schema id " + text.id() + " is used twice");
            }
        }
    }

    private static Schema parse(SchemaText text) {
        Schema schema;
        String fingerprint;
        try {
            schema = new Schema.Parser().parse(text.text());
            fingerprint = SchemaTexts.fingerprint(schema);
        } catch (RuntimeException e) {
            // Avro finds a type that is named and nowhere defined only later, and then with a NullPointerException.
            throw new IllegalArgumentException("schema " + text.name() + " is no Avro schema: " + e.getMessage(), e);
        }
        if (!fingerprint.equals(text.fingerprint())) {
            throw new IllegalArgumentException("schema " + text.name() + " has fingerprint " + fingerprint
                    + ", the record says " + text.fingerprint());
        }
        return schema;
    }

    /** All schemas, as the control record lists them. */
    public List<SchemaText> texts() {
        return texts;
    }

    /** The schema with this id; null if the ledger does not know it. */
    public @Nullable SchemaText text(int id) {
        return byId.get(id);
    }

    /** The schema with this id; null if the ledger does not know it. */
    @Nullable Schema schema(int id) {
        return parsed.get(id);
    }

    /**
     * The id under which this program's current schema of that name is written.
     *
     * @throws IllegalArgumentException if the ledger does not have that very schema: a rules record must add it first
     */
    public int currentId(String name) {
        Schema current = SchemaTexts.current().get(name);
        if (current == null) {
            throw new IllegalArgumentException("there is no record named " + name);
        }
        String fingerprint = SchemaTexts.fingerprint(current);
        for (SchemaText text : texts) {
            if (text.name().equals(name) && text.fingerprint().equals(fingerprint)) {
                return text.id();
            }
        }
        throw new IllegalArgumentException("the ledger does not know this program's schema of " + name
                + " (fingerprint " + fingerprint + "): add it with a rules record, or run the version that fits");
    }
}
