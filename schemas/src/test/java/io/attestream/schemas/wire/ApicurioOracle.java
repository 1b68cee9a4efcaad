// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import io.apicurio.registry.resolver.ParsedSchemaImpl;
import io.apicurio.registry.resolver.SchemaLookupResult;
import io.apicurio.registry.resolver.SchemaParser;
import io.apicurio.registry.resolver.SchemaResolver;
import io.apicurio.registry.resolver.client.RegistryClientFacade;
import io.apicurio.registry.resolver.data.Record;
import io.apicurio.registry.resolver.strategy.ArtifactReference;
import io.apicurio.registry.resolver.strategy.ArtifactReferenceResolverStrategy;
import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import io.apicurio.registry.serde.avro.AvroKafkaSerializer;
import io.apicurio.registry.serde.avro.AvroSchemaParser;
import io.apicurio.registry.serde.avro.DefaultAvroDatumProvider;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecord;

/** Apicurio's serde with one schema under one id instead of a registry: the writer and reader our bytes are compared with. */
final class ApicurioOracle {
    private static final String TOPIC = "any";

    private final Schema schema;
    private final int id;

    ApicurioOracle(Schema schema, int id) {
        this.schema = schema;
        this.id = id;
    }

    byte[] encode(SpecificRecord value) {
        try (AvroKafkaSerializer<SpecificRecord> serializer = new AvroKafkaSerializer<>(new OneSchema<>())) {
            serializer.configure(Map.of("apicurio.registry.url", "http://none.invalid"), false);
            return serializer.serialize(TOPIC, value);
        }
    }

    SpecificRecord decode(byte[] value) {
        try (AvroKafkaDeserializer<SpecificRecord> deserializer = new AvroKafkaDeserializer<>(new OneSchema<>())) {
            deserializer.configure(
                    Map.of(
                            "apicurio.registry.url",
                            "http://none.invalid",
                            "apicurio.registry.use-specific-avro-reader",
                            true),
                    false);
            return deserializer.deserialize(TOPIC, value);
        }
    }

    private final class OneSchema<T> implements SchemaResolver<Schema, T> {
        @Override
        public void setClientFacade(RegistryClientFacade facade) {
            // No registry is asked.
        }

        @Override
        public void setArtifactResolverStrategy(ArtifactReferenceResolverStrategy<Schema, T> strategy) {
            // There is one schema.
        }

        @Override
        public SchemaParser<Schema, T> getSchemaParser() {
            return new AvroSchemaParser<>(new DefaultAvroDatumProvider<>());
        }

        @Override
        public SchemaLookupResult<Schema> resolveSchema(Record<T> data) {
            return result();
        }

        @Override
        public SchemaLookupResult<Schema> resolveSchemaByArtifactReference(ArtifactReference reference) {
            if (reference.getContentId() != id) {
                throw new IllegalArgumentException("asked for id " + reference.getContentId());
            }
            return result();
        }

        private SchemaLookupResult<Schema> result() {
            return SchemaLookupResult.<Schema>builder()
                    .contentId(id)
                    .globalId(id)
                    .parsedSchema(new ParsedSchemaImpl<Schema>()
                            .setParsedSchema(schema)
                            .setRawSchema(schema.toString().getBytes(StandardCharsets.UTF_8)))
                    .build();
        }

        @Override
        public void reset() {
            // Nothing is kept.
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }
}
