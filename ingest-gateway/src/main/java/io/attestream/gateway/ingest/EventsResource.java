// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.auth.Caller;
import io.attestream.gateway.auth.Roles;
import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.http.ErrorMapping;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.http.ProblemException;
import io.attestream.gateway.ledger.LedgerSource;
import io.attestream.gateway.ledger.OpenLedger;
import io.attestream.gateway.quota.Quotas;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestMulti;
import org.jspecify.annotations.Nullable;

/**
 * Appends events. The way of a request: role → ledger open → media type → permits → body → events → quotas → log →
 * results. Nothing
 * is answered with 2xx before the brokers acknowledged it.
 *
 * <p>Threads: the body is read on the event loop; decoding, hashing and sending run on the worker pool, for sending may
 * wait; results are put together on the log's answer threads or the worker pool, never on the producer's I/O thread.
 */
@Path("/v1/events")
@Tag(name = "ingest")
public class EventsResource {
    static final String NDJSON = "application/x-ndjson";
    private static final String BATCH = "application/cloudevents-batch";
    private static final String STRUCTURED = "application/cloudevents";

    private final LedgerSource ledgers;
    private final Admission admission;
    private final GatewayConfig config;
    private final IngestMetrics metrics;
    private final PublicationWaiter waiter;
    private final ObjectMapper json;
    private final Draining draining;
    private final Quotas quotas;

    EventsResource(
            LedgerSource ledgers,
            Admission admission,
            GatewayConfig config,
            IngestMetrics metrics,
            PublicationWaiter waiter,
            ObjectMapper json,
            Draining draining,
            Quotas quotas) {
        this.ledgers = ledgers;
        this.admission = admission;
        this.config = config;
        this.metrics = metrics;
        this.waiter = waiter;
        this.json = json;
        this.draining = draining;
        this.quotas = quotas;
    }

    /** Results of a request, in the order of its events. */
    public record Results(List<ResultItem> results) {
        public Results {
            results = List.copyOf(results);
        }
    }

    /** A request on its way: what every step needs. */
    private record Call(OpenLedger ledger, Caller caller, String tenant, HttpServerRequest request) {}

    @POST
    @RolesAllowed(Roles.INGESTER)
    @NonBlocking
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "appendEvents",
            summary = "Append one CloudEvent (binary or structured) or a JSON batch",
            description =
                    "A result for each event, in order. A stream of NDJSON is answered with 207 and one result a line,"
                            + " while it is still being sent.")
    @Parameter(
            name = "Prefer",
            in = ParameterIn.HEADER,
            schema = @Schema(type = SchemaType.STRING),
            example = "wait=10",
            description = "wait=N waits up to N seconds for publication, and can tell duplicates and conflicts."
                    + " Not for streams.")
    @RequestBody(
            required = true,
            content = {
                @Content(mediaType = STRUCTURED + "+json", schema = @Schema(type = SchemaType.OBJECT)),
                @Content(mediaType = BATCH + "+json", schema = @Schema(type = SchemaType.ARRAY)),
                @Content(mediaType = NDJSON, schema = @Schema(type = SchemaType.STRING)),
                @Content(
                        mediaType = "*/*",
                        schema =
                                @Schema(
                                        type = SchemaType.STRING,
                                        format = "binary",
                                        description = "Binary mode: attributes in headers ce-…, the payload as it is"))
            })
    @APIResponse(
            responseCode = "202",
            description = "Every event is acknowledged",
            content =
                    @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Results.class)))
    @APIResponse(
            responseCode = "207",
            description = "Some events are not, or a stream; see each result",
            content = {
                @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Results.class)),
                @Content(mediaType = NDJSON, schema = @Schema(implementation = ResultItem.class))
            })
    @APIResponse(
            responseCode = "400",
            description = "The event or the batch is malformed",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "413",
            description = "A size limit is exceeded",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "415",
            description = "The media type is not supported",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "429",
            description = "A quota of the tenant or of the subject is used up; see Retry-After",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "503",
            description = "Not now; see Retry-After",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "504",
            description = "Not acknowledged in time; safe to send again",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Uni<Response> append(@Context RoutingContext context, @Context SecurityIdentity identity) {
        return metrics.countingRefusals(() -> {
            HttpServerRequest request = context.request();
            Call call = call(request, identity);
            String contentType = request.getHeader("Content-Type");
            requireKnownForm(request, contentType);
            requireNoContentCoding(request);
            return Uni.createFrom().completionStage(append(call, contentType, context));
        });
    }

    private CompletableFuture<Response> append(Call call, @Nullable String contentType, RoutingContext context) {
        Duration wait = preferredWait(call.request());
        GatewayConfig.Ingest limits = config.ingest();
        Admission.Permit permit = admission.open();
        CompletableFuture<List<ResultItem>> appended = BodyReader.read(
                        context, permit, limits.maxBodyBytes(), limits.bodyTimeout(), draining)
                .thenComposeAsync(
                        body -> appendAll(call, contentType, body, permit), Infrastructure.getDefaultWorkerPool());
        // Before any wait for publication: what is acknowledged is in flight no more, and a ledger that publishes late
        // must not fill the door.
        var unused = appended.whenComplete((items, error) -> {
            permit.close();
            metrics.countRefusal(error);
        });
        return appended.thenComposeAsync(items -> waiter.await(items, wait), Infrastructure.getDefaultWorkerPool())
                .thenApply(outcome -> answer(outcome, wait, isSingle(contentType)));
    }

    @POST
    @RolesAllowed(Roles.INGESTER)
    @NonBlocking
    @Consumes({NDJSON, "application/ndjson", "application/jsonl"})
    @Produces(NDJSON)
    // Of one path and method there is one operation: it is described with the other forms.
    @Operation(hidden = true)
    public RestMulti<byte[]> stream(@Context HttpServerRequest request, @Context SecurityIdentity identity) {
        return metrics.countingRefusals(() -> {
            requireNoContentCoding(request);
            requireNotStopping();
            return stream(call(request, identity));
        });
    }

    private RestMulti<byte[]> stream(Call call) {
        GatewayConfig.Ingest limits = config.ingest();
        Admission.Permit permit = admission.open();
        if (!permit.takeBytes(NdjsonStream.windowBytes(limits.maxLineBytes()))
                || !permit.takeEvents(limits.maxStreamInFlightEvents())) {
            permit.close();
            throw new ProblemException(ProblemCode.OVERLOADED, "Too much is in flight; send the same again later");
        }
        NdjsonStream stream = new NdjsonStream(
                call.request(),
                permit,
                limits.maxLineBytes(),
                limits.maxStreamInFlightEvents(),
                line -> call.ledger().intake().structured(call.tenant(), call.caller(), line),
                appender(call),
                metrics,
                json,
                draining);
        BodyReader.inviteBody(call.request());
        Multi<byte[]> results = stream.start();
        return RestMulti.fromMultiData(results)
                .status(207)
                .header("Content-Type", NDJSON)
                .header("Cache-Control", "no-store")
                .build();
    }

    /** A single event or a batch is still taken: nothing is read behind a refusal, and a client that writes would not see it. */
    private void requireNotStopping() {
        if (draining.hasBegun()) {
            throw new ProblemException(ProblemCode.NOT_READY, "This instance is stopping; send the same again");
        }
    }

    private Call call(HttpServerRequest request, SecurityIdentity identity) {
        Caller caller = identity.getAttribute(Caller.ATTRIBUTE);
        String tenant = caller.tenant()
                .orElseThrow(() -> new ProblemException(
                        ProblemCode.TENANT_MISSING, "Appending needs a token with the claim that names the tenant"));
        OpenLedger ledger = ledgers.current()
                .orElseThrow(
                        () -> new ProblemException(ProblemCode.NOT_READY, "The ledger is not open yet; try again"));
        return new Call(ledger, caller, tenant, request);
    }

    private static void requireKnownForm(HttpServerRequest request, @Nullable String contentType) {
        String type = mediaType(contentType);
        boolean json = type.equals("application/cloudevents+json") || type.equals("application/cloudevents-batch+json");
        boolean binary = !type.startsWith(STRUCTURED)
                && request.headers().names().stream().anyMatch(name -> name.regionMatches(true, 0, "ce-", 0, 3));
        if (!json && !binary) {
            throw new ProblemException(
                    ProblemCode.UNSUPPORTED_MEDIA_TYPE,
                    "Send application/cloudevents+json, application/cloudevents-batch+json, " + NDJSON
                            + ", or any type with ce- headers",
                    "Content-Type");
        }
    }

    /** Decoded it would not be the payload as sent, and as it is nothing in the entry would say how to read it. */
    private static void requireNoContentCoding(HttpServerRequest request) {
        String coding = request.getHeader("Content-Encoding");
        if (coding != null && !coding.strip().equalsIgnoreCase("identity")) {
            throw new ProblemException(
                    ProblemCode.UNSUPPORTED_MEDIA_TYPE, "Send the body without a content coding", "Content-Encoding");
        }
    }

    private static String mediaType(@Nullable String contentType) {
        return contentType == null ? "" : CloudEventReader.mediaType(contentType);
    }

    private static boolean isSingle(@Nullable String contentType) {
        return !mediaType(contentType).startsWith(BATCH);
    }

    /** Runs on the worker pool. */
    private CompletableFuture<List<ResultItem>> appendAll(
            Call call, @Nullable String contentType, byte[] body, Admission.Permit permit) {
        int most = isSingle(contentType)
                ? 1
                : EventIntake.mostEventsIn(body.length, config.ingest().maxBatchEvents());
        // One is held since the request came.
        if (!permit.takeEvents(most - 1)) {
            throw new ProblemException(
                    ProblemCode.OVERLOADED, "Too many events are in flight; send the same again later");
        }
        List<Intake> intakes = intakes(call, contentType, body);
        long ready = intakes.stream().filter(Intake::isToBeSent).count();
        permit.giveBackEvents(most - ready);
        List<CompletableFuture<ResultItem>> results = appender(call).appendAll(intakes);
        return CompletableFuture.allOf(results.toArray(CompletableFuture[]::new))
                .thenApply(done -> results.stream().map(CompletableFuture::join).toList());
    }

    private Appender appender(Call call) {
        return new Appender(
                call.ledger().log(),
                call.ledger().incarnation(),
                quotas.account(call.tenant(), call.caller().actor()));
    }

    private List<Intake> intakes(Call call, @Nullable String contentType, byte[] body) {
        EventIntake intake = call.ledger().intake();
        String type = mediaType(contentType);
        if (type.startsWith(BATCH)) {
            return intake.batch(call.tenant(), call.caller(), body);
        }
        return List.of(
                type.startsWith(STRUCTURED)
                        ? intake.structured(call.tenant(), call.caller(), body)
                        : intake.binary(
                                call.tenant(),
                                call.caller(),
                                call.request().headers().entries(),
                                contentType,
                                body));
    }

    private Response answer(PublicationWaiter.Outcome outcome, Duration wait, boolean single) {
        List<ResultItem> items = outcome.items();
        items.forEach(metrics::count);
        Optional<Problem> refusal = single && items.get(0).receipt() == null
                ? Optional.ofNullable(items.get(0).problem())
                : Optional.empty();
        if (refusal.isPresent()) {
            return ErrorMapping.answer(refusal.get()).build();
        }
        boolean allGood = items.stream().allMatch(ResultItem::isGood);
        Response.ResponseBuilder answer = Response.status(allGood ? 202 : 207)
                .type(MediaType.APPLICATION_JSON)
                .header("Cache-Control", "no-store")
                .entity(new Results(items));
        items.stream()
                .filter(ResultItem::retryable)
                .mapToLong(EventsResource::retryAfterSeconds)
                .max()
                .ifPresent(seconds -> answer.header("Retry-After", seconds));
        if (outcome.waited()) {
            answer.header("Preference-Applied", "wait=" + wait.toSeconds());
        }
        return answer.build();
    }

    private static long retryAfterSeconds(ResultItem item) {
        Problem problem = item.problem();
        return problem == null || problem.retryAfterSeconds() == null ? 1 : problem.retryAfterSeconds();
    }

    /** RFC 7240 section 4.3; what is not a sensible number of seconds is ignored, as the RFC asks. */
    private Duration preferredWait(HttpServerRequest request) {
        for (String header : request.headers().getAll("Prefer")) {
            for (String preference : header.split(",", -1)) {
                String text = preference.strip();
                if (text.matches("(?i)wait\\s*=\\s*\\d{1,6}")) {
                    Duration wait = Duration.ofSeconds(Long.parseLong(text.replaceAll("\\D", "")));
                    Duration max = config.ingest().maxWait();
                    return wait.compareTo(max) > 0 ? max : wait;
                }
            }
        }
        return Duration.ZERO;
    }
}
