// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.auth.Caller;
import io.attestream.gateway.auth.Roles;
import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.http.ProblemException;
import io.attestream.gateway.keys.PayloadKeys;
import io.attestream.gateway.ledger.LedgerSource;
import io.attestream.gateway.ledger.OpenLedger;
import io.attestream.objects.keys.Eraser;
import io.attestream.objects.keys.ErasureReceipt;
import io.attestream.objects.keys.SubjectKeyStore;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Erases the payloads about a subject: their key is destroyed, and the ledger says so. The answer takes as long as doors may
 * still encrypt under the key. What a client that gave up does not learn, the same request tells it later.
 */
@Path("/v1/erasures")
@Tag(name = "erase")
public class ErasuresResource {
    private static final int MAX_BODY_BYTES = 64 << 10;
    private static final int RUNNING_MAX = 4;
    private static final Logger LOG = LoggerFactory.getLogger(ErasuresResource.class);

    private final LedgerSource ledgers;
    private final PayloadKeys keys;
    private final Admission admission;
    private final GatewayConfig config;
    private final ObjectMapper json;
    private final Draining draining;
    private final Eraser.Waiting waiting;

    /** Each holds a worker while it waits; of one tenant one at a time, so that none is in the way of the others. */
    private final Semaphore running = new Semaphore(RUNNING_MAX);

    private final Set<String> tenants = ConcurrentHashMap.newKeySet();

    ErasuresResource(
            LedgerSource ledgers,
            PayloadKeys keys,
            Admission admission,
            GatewayConfig config,
            ObjectMapper json,
            Draining draining,
            Eraser.Waiting waiting) {
        this.ledgers = ledgers;
        this.keys = keys;
        this.admission = admission;
        this.config = config;
        this.json = json;
        this.draining = draining;
        this.waiting = waiting;
    }

    /** A key that is gone, and where the ledger says so. */
    public record Erased(String keyId, Receipt receipt) {}

    /** All keys the subject ever had, oldest first. */
    public record Erasures(List<Erased> erased) {
        public Erasures {
            erased = List.copyOf(erased);
        }
    }

    /** @param subject as events about it have it in the attribute {@code subject} */
    public record Request(String tenant, String subject) {}

    @POST
    @RolesAllowed(Roles.ADMIN)
    @NonBlocking
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "erase",
            summary = "Erase the payloads of all events of a tenant with this subject",
            description =
                    "Destroys the key they are encrypted under and appends an event that says so. Takes some half a"
                            + " minute. Asked again, it goes on where it ended, and answers the same. Events without a"
                            + " subject, and those accepted before payloads were encrypted, are not erased.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(type = SchemaType.OBJECT, implementation = Request.class)))
    @APIResponse(
            responseCode = "200",
            description = "Erased; each receipt leads to a proof",
            content =
                    @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Erasures.class)))
    @APIResponse(
            responseCode = "404",
            description = "No payload about this subject was ever encrypted",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Uni<Response> erase(@Context RoutingContext context, @Context SecurityIdentity identity) {
        Caller caller = identity.getAttribute(Caller.ATTRIBUTE);
        OpenLedger ledger = ledgers.current()
                .orElseThrow(
                        () -> new ProblemException(ProblemCode.NOT_READY, "The ledger is not open yet; try again"));
        Admission.Permit permit = admission.open();
        CompletableFuture<Response> answer = BodyReader.read(
                        context, permit, MAX_BODY_BYTES, config.ingest().bodyTimeout(), draining)
                .thenApplyAsync(body -> erase(ledger, caller, body), Infrastructure.getDefaultWorkerPool());
        var unused = answer.whenComplete((done, error) -> permit.close());
        return Uni.createFrom().completionStage(answer);
    }

    /** Runs on the worker pool. */
    private Response erase(OpenLedger ledger, Caller caller, byte[] body) {
        Request request = request(caller, body);
        if (!running.tryAcquire()) {
            throw new ProblemException(ProblemCode.OVERLOADED, "Other erasures are under way here; ask again later");
        }
        if (!tenants.add(request.tenant())) {
            running.release();
            throw new ProblemException(
                    ProblemCode.OVERLOADED, "Another erasure of this tenant is under way here; ask again later");
        }
        try {
            SubjectKeyStore store = keys.store()
                    .orElseThrow(() -> new ProblemException(
                            ProblemCode.NOT_FOUND,
                            "Payloads are stored in the clear here (attestream.payload-keys.location is not set), and"
                                    + " cannot be erased"));
            List<Eraser.Erased> erased = ErasureBooks.eraser(store, config.producer(), waiting)
                    .erase(
                            new Eraser.Request(request.tenant(), request.subject(), caller.actor()),
                            ledger.incarnation(),
                            new ErasureBooks(ledger.intake(), ledger.log(), ledger.incarnation()));
            if (erased.isEmpty()) {
                throw new ProblemException(
                        ProblemCode.NOT_FOUND, "No payload of this tenant about this subject was ever encrypted");
            }
            LOG.info("erased the payloads under {} keys of a subject of tenant {}", erased.size(), request.tenant());
            return Response.ok(new Erasures(erased.stream()
                            .map(each -> new Erased(each.keyId(), receipt(each.receipt())))
                            .toList()))
                    .header("Cache-Control", "no-store")
                    .build();
        } catch (IOException e) {
            LOG.error("an erasure was not finished: {}", e.getMessage());
            throw new ProblemException(
                    ProblemCode.UNAVAILABLE, "It was not finished; ask again: it goes on where it ended");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProblemException(ProblemCode.NOT_READY, "This instance is stopping; ask another one");
        } finally {
            tenants.remove(request.tenant());
            running.release();
        }
    }

    private static Receipt receipt(ErasureReceipt receipt) {
        return new Receipt(receipt.incarnation(), receipt.shard(), receipt.offset());
    }

    private Request request(Caller caller, byte[] body) {
        JsonNode root;
        try {
            root = json.readTree(body);
        } catch (IOException e) {
            throw malformed("The body must be a JSON object", "body");
        }
        if (root == null || !root.isObject()) {
            throw malformed("The body must be a JSON object", "body");
        }
        for (Iterator<String> names = root.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!name.equals("tenant") && !name.equals("subject")) {
                throw malformed("The body has tenant and subject, nothing else", "body");
            }
        }
        String subject = text(root, "subject")
                .orElseThrow(() -> malformed("The subject whose payloads are to be erased is required", "subject"));
        Optional<String> named = text(root, "tenant");
        if (named.isPresent() && caller.tenant().isPresent() && !named.equals(caller.tenant())) {
            throw new ProblemException(ProblemCode.FOREIGN_TENANT, "The token is that of another tenant", "tenant");
        }
        String tenant = named.or(caller::tenant)
                .orElseThrow(() -> malformed("The tenant is required: the token names none", "tenant"));
        return new Request(tenant, subject);
    }

    private static Optional<String> text(JsonNode root, String name) {
        JsonNode value = root.get(name);
        if (value != null && (!value.isTextual() || value.textValue().isEmpty())) {
            throw malformed(name + " must be a text that is not empty", name);
        }
        if (value != null && !StandardCharsets.UTF_8.newEncoder().canEncode(value.textValue())) {
            throw malformed(name + " must be text that has a form in UTF-8: it has a lone surrogate", name);
        }
        return Optional.ofNullable(value).map(JsonNode::textValue);
    }

    private static ProblemException malformed(String detail, String field) {
        return new ProblemException(ProblemCode.MALFORMED_BODY, detail, field);
    }
}
