// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.control.SchemaText;
import io.attestream.schemas.SchemaTexts;
import java.util.List;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;

class SchemaBookTest {
    private static final Schema EVENT = SchemaTexts.current().get(SchemaTexts.EVENT);
    private static final Schema OTHER =
            new Schema.Parser().parse("{\"type\":\"record\",\"name\":\"Event\",\"fields\":[]}");

    private static SchemaText text(String name, int id, Schema schema) {
        return new SchemaText(name, id, SchemaTexts.fingerprint(schema), schema.toString());
    }

    @Test
    void findsTheIdOfThisProgramsSchemaAmongOthers() {
        SchemaBook book = new SchemaBook(List.of(text("Event", 7, OTHER), text("Event", 9, EVENT)));
        assertThat(book.currentId(SchemaTexts.EVENT)).isEqualTo(9);
    }

    @Test
    void saysWhatToDoWhenTheLedgerDoesNotKnowThisProgramsSchema() {
        SchemaBook book = new SchemaBook(List.of(text("Event", 7, OTHER), text("Sealed", 8, EVENT)));
        assertThatThrownBy(() -> book.currentId(SchemaTexts.EVENT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(SchemaTexts.fingerprint(EVENT))
                .hasMessageContaining("rules record");
        assertThatThrownBy(() -> book.currentId("Unheard")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesAnIdUsedTwice() {
        assertThatThrownBy(() -> new SchemaBook(List.of(text("Event", 7, EVENT), text("Event", 7, OTHER))))
                .hasMessageContaining("7 is used twice");
    }

    @Test
    void refusesAFingerprintThatIsNotTheTexts() {
        SchemaText wrong = new SchemaText("Event", 7, SchemaTexts.fingerprint(OTHER), EVENT.toString());
        assertThatThrownBy(() -> new SchemaBook(List.of(wrong))).hasMessageContaining("fingerprint");
    }

    @Test
    void refusesATextThatIsNoSchema() {
        SchemaText wrong = new SchemaText("Event", 7, SchemaTexts.fingerprint(EVENT), "{\"type\":\"nothing\"}");
        assertThatThrownBy(() -> new SchemaBook(List.of(wrong)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no Avro schema");
    }
}
