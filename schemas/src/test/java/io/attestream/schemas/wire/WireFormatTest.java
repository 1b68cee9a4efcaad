// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.control.SchemaText;
import io.attestream.schemas.SchemaTexts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The bytes on the topics: pinned in files, and the same as another implementation writes. */
class WireFormatTest {
    static Stream<String> samples() {
        return WireSamples.all().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("samples")
    void writesTheGoldenBytes(String name) throws IOException {
        assertThat(HexFormat.of().formatHex(encode(sample(name)))).isEqualTo(golden(name));
    }

    @ParameterizedTest
    @MethodSource("samples")
    void readsTheGoldenBytes(String name) throws IOException {
        // given
        WireSamples.Sample sample = sample(name);
        WireDecoder<SpecificRecord> decoder = decoder(sample);

        // when
        WireResult<SpecificRecord> result = decoder.decode(HexFormat.of().parseHex(golden(name)));

        // then
        assertThat(result).isEqualTo(new WireResult.Decoded<>(sample.value()));
    }

    @ParameterizedTest
    @MethodSource("samples")
    void writesWhatAnotherImplementationWrites(String name) {
        WireSamples.Sample sample = sample(name);
        byte[] theirs = new ApicurioOracle(schema(sample), WireSamples.ID).encode(sample.value());
        assertThat(encode(sample)).isEqualTo(theirs);
    }

    @ParameterizedTest
    @MethodSource("samples")
    void isReadByAnotherImplementation(String name) {
        WireSamples.Sample sample = sample(name);
        SpecificRecord read = new ApicurioOracle(schema(sample), WireSamples.ID).decode(encode(sample));
        assertThat(read).isEqualTo(sample.value());
    }

    private static WireSamples.Sample sample(String name) {
        return WireSamples.all().get(name);
    }

    private static Schema schema(WireSamples.Sample sample) {
        return SchemaTexts.current().get(sample.schema());
    }

    @SuppressWarnings("unchecked")
    private static byte[] encode(WireSamples.Sample sample) {
        Class<SpecificRecord> type = (Class<SpecificRecord>) sample.value().getClass();
        return new ConfluentWire<>(type, WireSamples.ID).encode(sample.value());
    }

    @SuppressWarnings("unchecked")
    private static WireDecoder<SpecificRecord> decoder(WireSamples.Sample sample) {
        Class<SpecificRecord> type = (Class<SpecificRecord>) sample.value().getClass();
        Schema schema = schema(sample);
        SchemaText text =
                new SchemaText(sample.schema(), WireSamples.ID, SchemaTexts.fingerprint(schema), schema.toString());
        return new WireDecoder<>(type, sample.schema(), new SchemaBook(List.of(text)));
    }

    private static String golden(String name) throws IOException {
        try (InputStream in = WireFormatTest.class.getResourceAsStream(name + ".hex")) {
            assertThat(in).as("golden file " + name + ".hex").isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII).replaceAll("\\s", "");
        }
    }
}
