// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.attestream.gateway.auth.Caller;
import io.attestream.gateway.auth.Roles;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.http.ProblemException;
import io.attestream.gateway.ingest.EventLog;
import io.attestream.gateway.ingest.Receipt;
import io.attestream.gateway.ledger.OpenLedger;
import io.attestream.gateway.read.BundleAssembler.Published;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.ledger.LedgerOffset;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What became of an appended event. */
@Path("/v1/receipts")
@Tag(name = "read")
public class ReceiptsResource {
    static final String BUNDLE_TYPE = "application/vnd.attestream.proof+json";
    private static final String RETRY_AFTER_SECONDS = "1";
    private static final Logger LOG = LoggerFactory.getLogger(ReceiptsResource.class);

    private final Reads reads;
    private final ProofsClient proofs;
    private final BundleAssembler bundles;
    private final ObjectMapper json;

    ReceiptsResource(Reads reads, ProofsClient proofs, BundleAssembler bundles, ObjectMapper json) {
        this.reads = reads;
        this.proofs = proofs;
        this.bundles = bundles;
        this.json = json;
    }

    @GET
    @Path("/{incarnation}/{shard}/{offset}")
    @RolesAllowed({Roles.INGESTER, Roles.AUDITOR, Roles.ADMIN})
    @Blocking
    @Operation(
            operationId = "receipt",
            summary = "What became of an appended event",
            description =
                    "The proof bundle of a published leaf, as " + BUNDLE_TYPE + " or, with Accept: application/json,"
                            + " inside an object that also says shard and leaf index; duplicates, conflicts and rejections always"
                            + " as such an object.")
    @APIResponse(
            responseCode = "200",
            description = "Final",
            content = {@Content(mediaType = BUNDLE_TYPE), @Content(mediaType = MediaType.APPLICATION_JSON)})
    @APIResponse(responseCode = "202", description = "Pending; see Retry-After")
    @APIResponse(responseCode = "403", description = "Another tenant's")
    @APIResponse(responseCode = "404", description = "Nothing was ever written there")
    public Response receipt(
            @PathParam("incarnation") String incarnation,
            @PathParam("shard") String shard,
            @PathParam("offset") String offset,
            @Context HttpHeaders headers,
            @Context SecurityIdentity identity) {
        OpenLedger ledger = reads.ledger();
        int shardNumber = reads.shard(shard);
        long recordOffset = ledgerOffset(ledger, Reads.pathNumber(incarnation), Reads.pathNumber(offset));
        boolean wantsJson = headers.getAcceptableMediaTypes().stream()
                .findFirst()
                .filter(MediaType.APPLICATION_JSON_TYPE::equals)
                .isPresent();
        Call call = new Call(ledger, shardNumber, recordOffset, Reads.caller(identity), wantsJson);
        return reads.read(() -> answer(call));
    }

    private static long ledgerOffset(OpenLedger ledger, long incarnation, long kafkaOffset) {
        if (incarnation < 1 || incarnation > ledger.incarnation()) {
            throw Reads.notFound("There is no such incarnation of this ledger");
        }
        try {
            return LedgerOffset.of((int) incarnation, kafkaOffset);
        } catch (IllegalArgumentException e) {
            throw Reads.notFound("No event was ever written at this offset");
        }
    }

    /** @param offset as the ledger keeps it, see {@link LedgerOffset} */
    private record Call(OpenLedger ledger, int shard, long offset, Caller caller, boolean wantsJson) {
        /** Of a topic that was lost since. */
        boolean isOfLostTopic() {
            return LedgerOffset.incarnation(offset) < ledger.incarnation();
        }
    }

    private Response answer(Call call) throws Unavailable, BundleAssembler.DoesNotVerify {
        OffsetState state = proofs.offset(call.shard(), call.offset())
                .orElseThrow(
                        () -> new ProblemException(ProblemCode.UNAVAILABLE, "The proofs service has no such shard"));
        if (state instanceof OffsetState.NeverThere) {
            throw neverThere(call);
        }
        if (state instanceof OffsetState.Pending) {
            return pendingOrNeverThere(call);
        }
        if (state instanceof OffsetState.Rejected rejected) {
            ObjectNode body = json.createObjectNode().put("status", "rejected").put("reason", rejected.reason());
            return ok(body);
        }
        if (state instanceof OffsetState.Duplicate duplicate) {
            return published(call, duplicate.reference())
                    .map(first -> duplicate(call, first))
                    .orElseGet(this::pending);
        }
        long leafIndex = ((OffsetState.Leaf) state).leafIndex();
        Optional<Published> leaf = published(call, leafIndex);
        if (leaf.isPresent() && leaf.get().leaf().offset() != call.offset()) {
            throw new BundleAssembler.DoesNotVerify("leaf " + leafIndex + " of shard " + call.shard()
                    + " is that of offset " + leaf.get().leaf().offset() + ", not " + call.offset());
        }
        return leaf.map(found -> leaf(call, found)).orElseGet(this::pending);
    }

    private Optional<Published> published(Call call, long leafIndex) throws Unavailable, BundleAssembler.DoesNotVerify {
        Optional<Published> published = bundles.assemble(call.ledger(), call.shard(), leafIndex);
        published.ifPresent(leaf -> Reads.requireMaySee(call.caller(), leaf.tenant()));
        return published;
    }

    /** The sequencer has not come to this offset: either it will, or there is no such record. */
    private Response pendingOrNeverThere(Call call) {
        if (call.isOfLostTopic()) {
            // What is known of a lost topic was there before this one's first record: this copy is not restored yet.
            throw new ProblemException(ProblemCode.UNAVAILABLE, "The proofs service is being restored; try again");
        }
        try {
            long offset = LedgerOffset.kafka(call.offset());
            if (call.ledger().log().endOffset(call.shard(), offset) > offset) {
                return pending();
            }
        } catch (EventLog.Unavailable e) {
            LOG.warn("receipt not decided: {}", e.getMessage());
            throw new ProblemException(ProblemCode.UNAVAILABLE, "The brokers cannot answer; try again");
        }
        throw neverThere(call);
    }

    private static ProblemException neverThere(Call call) {
        return Reads.notFound(
                call.isOfLostTopic()
                        ? "Nothing was published of this offset before the topic it is of was lost; send the event again"
                        : "No event was ever written at this offset");
    }

    private Response pending() {
        return Response.accepted(json.createObjectNode().put("status", "pending"))
                .type(MediaType.APPLICATION_JSON)
                .header("Retry-After", RETRY_AFTER_SECONDS)
                .header("Cache-Control", "no-store")
                .build();
    }

    private Response leaf(Call call, Published leaf) {
        if (leaf.entry() instanceof EntryView.Event event && event.ref().isPresent()) {
            ObjectNode body = withBundle("conflict", leaf);
            body.put("ref", event.ref().get().value());
            return ok(body);
        }
        if (call.wantsJson()) {
            return ok(withBundle("leaf", leaf));
        }
        return Response.ok(leaf.bundle().encode(), BUNDLE_TYPE)
                .header("Cache-Control", "private, no-cache")
                .build();
    }

    private Response duplicate(Call call, Published first) {
        ObjectNode body = withBundle("duplicate", first);
        body.set(
                "receipt",
                json.valueToTree(Receipt.at(call.shard(), first.leaf().offset())));
        return ok(body);
    }

    private ObjectNode withBundle(String status, Published leaf) {
        ObjectNode body = json.createObjectNode();
        body.put("status", status);
        body.put("shard", leaf.shard());
        body.put("leafIndex", leaf.bundle().leafIndex().value());
        body.putRawValue("bundle", new RawValue(new String(leaf.bundle().encode(), StandardCharsets.UTF_8)));
        return body;
    }

    private static Response ok(ObjectNode body) {
        return Response.ok(body, MediaType.APPLICATION_JSON)
                .header("Cache-Control", "private, no-cache")
                .build();
    }
}
