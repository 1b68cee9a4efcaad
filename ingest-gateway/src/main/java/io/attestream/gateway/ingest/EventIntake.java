// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.auth.Caller;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.http.ProblemException;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.envelope.SubjectKeys;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.attestream.schemas.cloudevents.EventLimits;
import io.attestream.schemas.cloudevents.EventProblem;
import io.attestream.schemas.cloudevents.EventResult;
import io.attestream.schemas.door.EventFactory;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.ConfluentWire;
import java.security.SecureRandom;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From the bytes of a body to records for the log, by way of the code both doors share. Thread-safe. */
public final class EventIntake {
    /** {@code {"id":"i","source":"s","specversion":"1.0","type":"t"}}: no valid event is shorter. */
    private static final int SHORTEST_EVENT_BYTES = 54;

    /** What a record has beside attributes and payload. */
    private static final long RECORD_OVERHEAD_BYTES = 256;

    private static final Logger LOG = LoggerFactory.getLogger(EventIntake.class);

    private final CloudEventReader reader;
    private final EventFactory factory;
    private final ThreadLocal<ConfluentWire<Event>> wire;

    /** @param schemaId id under which the ledger knows the schema of events */
    public EventIntake(EventFactory factory, EventLimits limits, int schemaId) {
        this.reader = new CloudEventReader(limits);
        this.factory = factory;
        this.wire = ThreadLocal.withInitial(() -> new ConfluentWire<>(Event.class, schemaId));
    }

    /**
     * @param keys of subjects; empty if payloads are stored in the clear
     * @param maxPayloadBytes as the ledger's rules say
     */
    public static EventIntake of(
            LedgerDefinition ledger,
            ContentTag contentTag,
            Optional<SubjectKeys> keys,
            long maxPayloadBytes,
            int maxBatchEvents) {
        EventLimits defaults = EventLimits.DEFAULT;
        EventLimits limits = new EventLimits(
                Math.toIntExact(maxPayloadBytes),
                defaults.maxAttributes(),
                defaults.maxAttributeBytes(),
                defaults.maxIdBytes(),
                maxBatchEvents);
        EventFactory factory = EventFactory.of(ledger, contentTag, new SecureRandom(), keys);
        return new EventIntake(factory, limits, ledger.schemas().currentId(SchemaTexts.EVENT));
    }

    Intake binary(
            String tenant,
            Caller caller,
            Collection<Map.Entry<String, String>> headers,
            @Nullable String contentType,
            byte[] body) {
        return intake(tenant, caller, reader.httpBinary(headers, contentType, body));
    }

    /** One JSON event; also a line of NDJSON. */
    Intake structured(String tenant, Caller caller, byte[] body) {
        return intake(tenant, caller, reader.structured(body));
    }

    /** @throws ProblemException if it is no batch; then nothing of it was taken */
    List<Intake> batch(String tenant, Caller caller, byte[] body) {
        CloudEventReader.BatchResult result = reader.batch(body);
        if (result instanceof CloudEventReader.BatchResult.Malformed malformed) {
            throw new ProblemException(problem(malformed.problem()));
        }
        return ((CloudEventReader.BatchResult.Batch) result)
                .results().stream().map(each -> intake(tenant, caller, each)).toList();
    }

    /** How many valid events a batch of this length can hold at most; known before it is parsed. */
    static int mostEventsIn(int batchBytes, int maxBatchEvents) {
        return Math.min(maxBatchEvents, 1 + batchBytes / SHORTEST_EVENT_BYTES);
    }

    private Intake intake(String tenant, Caller caller, EventResult result) {
        if (result instanceof EventResult.Refused refused) {
            return new Intake.Refused(refused.id(), problem(refused.problem()));
        }
        CloudEvent event = ((EventResult.Accepted) result).event();
        return factory.needsKey(event)
                ? new Intake.Keyed(event.id(), sizeBytes(event), () -> make(tenant, caller, event))
                : make(tenant, caller, event);
    }

    private static long sizeBytes(CloudEvent event) {
        long size = RECORD_OVERHEAD_BYTES + event.payload().length;
        for (Map.Entry<String, String> attribute : event.attributes().entrySet()) {
            size += attribute.getKey().length() + (long) attribute.getValue().length();
        }
        return size;
    }

    private Intake make(String tenant, Caller caller, CloudEvent event) {
        EventFactory.Result made = factory.make(tenant, caller.actor(), event);
        if (made instanceof EventFactory.Result.Refused refused) {
            return new Intake.Refused(event.id(), problem(refused.problem()));
        }
        if (made instanceof EventFactory.Result.KeyUnavailable unavailable) {
            LOG.warn("an event of tenant {} was not accepted: {}", tenant, unavailable.reason());
            return new Intake.KeyUnavailable(event.id(), unavailable.isOfSubjectAlone());
        }
        return new Intake.Ready(event.id(), record(made));
    }

    /** The record by which the ledger says that a key of a subject of this tenant was destroyed. */
    public LogRecord erasure(String tenant, String actor, String keyId) {
        return record(factory.makeErasure(tenant, actor, keyId));
    }

    private LogRecord record(EventFactory.Result made) {
        if (!(made instanceof EventFactory.Result.Made door)) {
            throw new IllegalStateException("not made: " + made);
        }
        byte[] value = wire.get().encode(door.event().event());
        return new LogRecord(door.event().shard(), door.event().key(), value);
    }

    private static Problem problem(EventProblem problem) {
        ProblemCode code = switch (problem.code()) {
            case "malformed" -> ProblemCode.MALFORMED_BODY;
            case "too-large" -> ProblemCode.TOO_LARGE;
            case "too-many" -> problem.field().equals("body") ? ProblemCode.TOO_LARGE : ProblemCode.INVALID_EVENT;
            default -> ProblemCode.INVALID_EVENT;
        };
        String field = problem.field();
        return Problem.of(code, problem.detail(), field.startsWith("attribute ") ? field.substring(10) : field);
    }
}
