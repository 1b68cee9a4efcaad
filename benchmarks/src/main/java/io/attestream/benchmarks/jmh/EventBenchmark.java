// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks.jmh;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.IdentityDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.attestream.schemas.cloudevents.EventLimits;
import io.attestream.schemas.cloudevents.EventResult;
import io.attestream.schemas.door.EventFactory;
import io.attestream.schemas.ledger.SchemaRegistrar;
import io.attestream.schemas.wire.ConfluentWire;
import io.attestream.schemas.wire.SchemaBook;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The steps of one event, each alone: at a door (read, make, encode), then in sequencer and checkpointer. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class EventBenchmark {
    /** Of the payload. */
    @Param({"512", "4096"})
    public int payloadSizeBytes;

    private final SchemaBook schemas = new SchemaBook(SchemaRegistrar.withoutRegistry());
    private final CloudEventReader reader = new CloudEventReader(EventLimits.DEFAULT);
    private final EventFactory factory =
            new EventFactory(new ContentTag(new byte[ContentTag.KEY_SIZE_BYTES]), new SecureRandom(), 4);
    private final ConfluentWire<Event> wire = new ConfluentWire<>(Event.class, SchemaTexts.EVENT, schemas);
    private final WireDecoder<Event> decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, schemas);
    private final byte[] hash = new byte[Hash.SIZE_BYTES];

    private byte[] json = new byte[0];
    private CloudEvent event = new CloudEvent(Map.of(), new byte[0]);
    private Event record = new Event();
    private byte[] value = new byte[0];
    private Map<String, String> attributes = Map.of();
    private byte[] digest = new byte[0];
    private byte[] entry = new byte[0];

    /** One event in all its forms. */
    @Setup(Level.Trial)
    public void prepare() {
        json = ("{\"specversion\":\"1.0\",\"id\":\"0d9f7c3e-5b1a-4c8e-9a6f-000000000001\","
                        + "\"source\":\"https://github.com/octo-org/repo-17\",\"type\":\"com.github.push\","
                        + "\"subject\":\"Codertocat\",\"time\":\"2026-01-05T09:00:00Z\","
                        + "\"datacontenttype\":\"application/json\",\"data\":\"" + "x".repeat(payloadSizeBytes - 2)
                        + "\"}")
                .getBytes(StandardCharsets.UTF_8);
        event = ((EventResult.Accepted) read()).event();
        record = ((EventFactory.Result.Made) make()).event().event();
        value = encode();
        Event decoded = ((WireResult.Decoded<Event>) decode()).value();
        attributes = decoded.getAttributes();
        digest = decoded.getDataDigest().bytes();
        entry = entry();
    }

    @Benchmark
    public EventResult read() {
        return reader.structured(json);
    }

    /** Salt, digest, content tag and all checks. */
    @Benchmark
    public EventFactory.Result make() {
        return factory.make("demo", "bench", event);
    }

    @Benchmark
    public byte[] encode() {
        return wire.encode(record);
    }

    @Benchmark
    public WireResult<Event> decode() {
        return decoder.decode(value);
    }

    @Benchmark
    public int validateAndRoute() throws InvalidFormat {
        CanonicalEntry.requireValid(attributes, "demo", "bench", digest, payloadSizeBytes);
        return Routing.shard("demo", event.source(), null, 4);
    }

    @Benchmark
    public byte[] identity() {
        return IdentityDigest.compute("demo", event.source(), null, event.id());
    }

    @Benchmark
    public byte[] entry() {
        return CanonicalEntry.event(attributes, "demo", "bench", 1_780_000_000_000L, digest, payloadSizeBytes);
    }

    @Benchmark
    public byte[] leafHash() {
        Rfc6962.leafHash(entry, 0, entry.length, hash, 0);
        return hash;
    }
}
