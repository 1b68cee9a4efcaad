// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** BACKWARD_TRANSITIVE: what was ever written stays readable. */
class SchemaHistoryTest {
    static Stream<String> names() {
        return SchemaTexts.current().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void currentSchemaReadsEveryVersion(String name) {
        Schema current = SchemaTexts.current().get(name);
        assertThat(unreadable(current, SchemaTexts.versions(name))).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("names")
    void currentSchemaIsTheNewestCommittedVersion(String name) {
        List<Schema> versions = SchemaTexts.versions(name);
        assertThat(withoutJavaHints(SchemaTexts.current().get(name)))
                .as("add src/main/avro-history/%s/v%d.avsc for a changed schema", name, versions.size() + 1)
                .isEqualTo(withoutJavaHints(versions.get(versions.size() - 1)));
    }

    /** The code generator notes its string type in the schema; that is none of the wire's business. */
    private static Schema withoutJavaHints(Schema schema) {
        return new Schema.Parser()
                .parse(schema.toString()
                        .replace("{\"type\":\"string\",\"avro.java.string\":\"String\"}", "\"string\"")
                        .replace(",\"avro.java.string\":\"String\"", ""));
    }

    @Test
    void anIncompatibleChangeIsFound() {
        // given
        Schema v1 = parse("{\"name\":\"a\",\"type\":\"long\"}");
        Schema fieldWithoutDefault = parse("{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":\"string\"}");
        Schema narrowed = parse("{\"name\":\"a\",\"type\":\"int\"}");
        Schema fieldWithDefault =
                parse("{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":\"string\",\"default\":\"\"}");

        // then
        assertThat(unreadable(fieldWithoutDefault, List.of(v1))).containsExactly(1);
        assertThat(unreadable(narrowed, List.of(v1))).containsExactly(1);
        assertThat(unreadable(fieldWithDefault, List.of(v1))).isEmpty();
    }

    /** A default that was there once hides an old version only from a check against the last one. */
    @Test
    void everyVersionIsLookedAtNotOnlyTheLast() {
        // given
        Schema v1 = parse("{\"name\":\"a\",\"type\":\"long\"}");
        Schema v2 = parse("{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":\"int\",\"default\":0}");
        Schema v3 = parse("{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":\"int\"}");

        // then
        assertThat(unreadable(v3, List.of(v2))).isEmpty();
        assertThat(unreadable(v3, List.of(v1, v2))).containsExactly(1);
    }

    @Test
    void fingerprintsOfAllVersionsAreKnown() {
        SchemaTexts.current()
                .forEach((name, schema) ->
                        assertThat(SchemaTexts.knownFingerprints(name)).contains(SchemaTexts.fingerprint(schema)));
    }

    /** Pinned: they are in genesis records for ever. A new version is added here too, or could be changed after it was released. */
    @Test
    void fingerprintsDoNotChange() {
        assertThat(fingerprints(SchemaTexts.EVENT))
                .containsExactly("ecc66e7a92ed7a590bc90e0842ccfc48bc0191228f5bef2c705b6c37cabeeb0e");
        assertThat(fingerprints(SchemaTexts.SEALED))
                .containsExactly("eef725eecf57ab305dbefd7a81aa46d5776eaf8fceb854364b00a948498f37b8");
        assertThat(fingerprints(SchemaTexts.OUTCOME))
                .containsExactly("82187183221faa2ce416b807e66efca48454edb17a9b270c6ec65f0ef60a9144");
        assertThat(fingerprints(SchemaTexts.CHECKPOINT_RECORD))
                .containsExactly("0bd00787f8915b9ffc98d5c57bee7004429b851f9913e1488d9b7694be3e586c");
    }

    private static List<String> fingerprints(String name) {
        return SchemaTexts.versions(name).stream().map(SchemaTexts::fingerprint).toList();
    }

    /** Numbers, from 1, of the versions the schema cannot read. */
    private static List<Integer> unreadable(Schema reader, List<Schema> versions) {
        return Stream.iterate(0, i -> i + 1)
                .limit(versions.size())
                .filter(i -> SchemaCompatibility.checkReaderWriterCompatibility(reader, versions.get(i))
                                .getType()
                        != SchemaCompatibilityType.COMPATIBLE)
                .map(i -> i + 1)
                .toList();
    }

    private static Schema parse(String fields) {
        return new Schema.Parser().parse("{\"type\":\"record\",\"name\":\"R\",\"fields\":[" + fields + "]}");
    }
}
