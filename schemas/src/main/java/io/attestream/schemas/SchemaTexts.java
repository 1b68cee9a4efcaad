// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas;

import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.Sealed;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;

/** The current schemas of the records, by name. */
public final class SchemaTexts {
    public static final String EVENT = "Event";
    public static final String SEALED = "Sealed";
    public static final String OUTCOME = "Outcome";
    public static final String CHECKPOINT_RECORD = "CheckpointRecord";

    private SchemaTexts() {}

    /** Name to schema, in the order they are registered. */
    public static Map<String, Schema> current() {
        Map<String, Schema> schemas = new LinkedHashMap<>();
        schemas.put(EVENT, Event.getClassSchema());
        schemas.put(SEALED, Sealed.getClassSchema());
        schemas.put(OUTCOME, Outcome.getClassSchema());
        schemas.put(CHECKPOINT_RECORD, CheckpointRecord.getClassSchema());
        return schemas;
    }

    /**
     * All versions of a schema, oldest first; the last is the current one. A record written with any of them can be read.
     *
     * @throws IllegalArgumentException if there is no record of that name
     */
    public static List<Schema> versions(String name) {
        List<Schema> versions = new ArrayList<>();
        for (int version = 1; ; version++) {
            String resource = "avro-history/" + name + "/v" + version + ".avsc";
            try (InputStream in = SchemaTexts.class.getResourceAsStream(resource)) {
                if (in == null) {
                    break;
                }
                versions.add(new Schema.Parser().parse(in));
            } catch (IOException e) {
                throw new UncheckedIOException(resource + " cannot be read", e);
            }
        }
        if (versions.isEmpty()) {
            throw new IllegalArgumentException("there is no record named " + name);
        }
        return versions;
    }

    /** Fingerprints of all versions of a schema. */
    public static Set<String> knownFingerprints(String name) {
        return versions(name).stream().map(SchemaTexts::fingerprint).collect(Collectors.toUnmodifiableSet());
    }

    /** Hex SHA-256 of the schema's parsing canonical form. */
    public static String fingerprint(Schema schema) {
        try {
            return HexFormat.of().formatHex(SchemaNormalization.parsingFingerprint("SHA-256", schema));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The topic whose values have this schema. */
    public static String topicOf(String name, Topics topics) {
        return switch (name) {
            case EVENT -> topics.events();
            case SEALED -> topics.sealed();
            case OUTCOME -> topics.outcomes();
            case CHECKPOINT_RECORD -> topics.checkpoints();
            default -> throw new IllegalArgumentException("no topic holds " + name);
        };
    }
}
