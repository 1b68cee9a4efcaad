// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.admission;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.attestream.schemas.cloudevents.EventProblem;
import io.attestream.schemas.cloudevents.EventResult;
import io.attestream.schemas.door.DoorEvent;
import io.attestream.schemas.door.EventFactory;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.ConfluentWire;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.nio.ByteBuffer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * Does for the Kafka door what the gateway does for HTTP. Who wrote a record cannot be seen, so the tenant is that of the inbox
 * it lies in, and what a record says about tenant, actor, digest or tag is not looked at.
 */
final class AdmissionProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SHOWN_MAX = 256;
    /** Well within what a poll may take, and above a twentieth of the window in which threads may fail (Application). */
    private static final long KEY_RETRY_NANOS_MAX = 60_000_000_000L;

    private static final long KEY_RETRY_MILLIS = 1_500;

    private final Topics topics;
    private final CloudEventReader reader;
    private final EventFactory factory;
    private final AdmissionMetrics metrics;
    private final WireDecoder<Event> decoder;
    private final ConfluentWire<Event> wire;

    private @Nullable ProcessorContext<byte[], byte[]> context;

    AdmissionProcessor(
            Topics topics,
            LedgerDefinition ledger,
            CloudEventReader reader,
            EventFactory factory,
            AdmissionMetrics metrics) {
        this.topics = topics;
        this.reader = reader;
        this.factory = factory;
        this.metrics = metrics;
        this.decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, ledger.schemas());
        this.wire = new ConfluentWire<>(Event.class, SchemaTexts.EVENT, ledger.schemas());
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> newContext) {
        context = newContext;
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        RecordMetadata at = required(context)
                .recordMetadata()
                .orElseThrow(() -> new IllegalStateException("a record from a topic has metadata"));
        String tenant = at.topic().substring(topics.inboxPrefix().length());
        EventResult read = read(record.headers(), record.value());
        if (read instanceof EventResult.Refused refused) {
            refuse(at, refused.id(), refused.problem());
            return;
        }
        EventResult.Accepted accepted = (EventResult.Accepted) read;
        EventFactory.Result made = make(tenant, accepted.event());
        if (made instanceof EventFactory.Result.Refused refused) {
            refuse(at, accepted.event().id(), refused.problem());
        } else if (made instanceof EventFactory.Result.KeyUnavailable unavailable) {
            // The position stays: another thread reads the record again.
            throw new IllegalStateException("the record at " + at.topic() + "-" + at.partition() + " offset "
                    + at.offset() + " cannot be admitted: " + unavailable.reason());
        } else if (made instanceof EventFactory.Result.Made door) {
            forward(door.event());
        }
    }

    /** Tries for a while: keys that are away for a moment must not end the thread. */
    private EventFactory.Result make(String tenant, CloudEvent event) {
        long begin = System.nanoTime();
        while (true) {
            EventFactory.Result made = factory.make(tenant, "inbox:" + tenant, event);
            if (!(made instanceof EventFactory.Result.KeyUnavailable)
                    || System.nanoTime() - begin > KEY_RETRY_NANOS_MAX) {
                return made;
            }
            Utils.sleep(KEY_RETRY_MILLIS);
        }
    }

    private void forward(DoorEvent event) {
        metrics.accepted();
        ProcessorContext<byte[], byte[]> to = required(context);
        to.forward(
                new Record<>(event.key(), wire.encode(event.event()), to.currentSystemTimeMs()),
                AdmissionTopology.EVENTS_SINK);
    }

    private EventResult read(Headers headers, byte @Nullable [] value) {
        boolean avro = value != null && value.length > 0 && value[0] == ConfluentWire.MAGIC && !isCloudEvent(headers);
        return avro ? readAvro(value) : reader.kafka(headers, value);
    }

    private static boolean isCloudEvent(Headers headers) {
        for (Header header : headers) {
            if (header.key().startsWith("ce_") || header.key().equalsIgnoreCase("content-type")) {
                return true;
            }
        }
        return false;
    }

    private EventResult readAvro(byte @Nullable [] value) {
        WireResult<Event> decoded = decoder.decode(value);
        if (!(decoded instanceof WireResult.Decoded<Event> event)) {
            return new EventResult.Refused(
                    null,
                    new EventProblem("malformed", "value", "the value is no Avro Event of this ledger's schemas"));
        }
        if (!(event.value().getPayload() instanceof PlainPayload payload)) {
            return new EventResult.Refused(
                    event.value().getAttributes().get("id"),
                    new EventProblem("missing", "payload", "an Event in an inbox must carry a plain payload"));
        }
        return reader.attributes(event.value().getAttributes(), bytes(payload.getData()));
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    private void refuse(RecordMetadata at, @Nullable String id, EventProblem problem) {
        metrics.refused(problem.code());
        ObjectNode outcome = JSON.createObjectNode()
                .put("topic", at.topic())
                .put("partition", at.partition())
                .put("offset", at.offset())
                .put("status", "rejected")
                .put("code", problem.code())
                .put("field", shown(problem.field()))
                .put("detail", shown(problem.detail()));
        if (id != null) {
            outcome.put("id", shown(id));
        }
        ProcessorContext<byte[], byte[]> to = required(context);
        try {
            byte[] value = JSON.writeValueAsBytes(outcome);
            byte[] noKey = new byte[0];
            to.forward(new Record<>(noKey, value, to.currentSystemTimeMs()), AdmissionTopology.INBOX_OUTCOMES_SINK);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an object of strings and numbers can be written", e);
        }
    }

    /**
     * Bounded and printable: names and ids come from the record, and an outcome that cannot be written, or is larger than a
     * message may be, would stop the inbox at this record for ever.
     */
    private static String shown(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints()
                .limit(SHOWN_MAX)
                .map(c -> Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE ? '?' : c)
                .forEach(shown::appendCodePoint);
        return shown.toString();
    }

    private static <T> T required(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("init was not called");
        }
        return value;
    }
}
