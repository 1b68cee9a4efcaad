// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.gateway.auth.Roles;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.http.ProblemException;
import io.attestream.gateway.ingest.Receipt;
import io.attestream.gateway.keys.PayloadKeys;
import io.attestream.gateway.read.BundleAssembler.Published;
import io.attestream.objects.keys.ErasureReceipt;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.ledger.LedgerOffset;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Published leaves. Its path is that of the class that appends, so that JAX-RS finds both. */
@Path("/v1/events")
@Tag(name = "read")
public class LeafResource {
    private static final Logger LOG = LoggerFactory.getLogger(LeafResource.class);

    private final Reads reads;
    private final BundleAssembler bundles;
    private final PayloadKeys keys;
    private final ProofsClient proofs;
    private final ObjectMapper json;

    LeafResource(Reads reads, BundleAssembler bundles, PayloadKeys keys, ProofsClient proofs, ObjectMapper json) {
        this.proofs = proofs;
        this.reads = reads;
        this.bundles = bundles;
        this.keys = keys;
        this.json = json;
    }

    @GET
    @Path("/{shard}/{index}")
    @RolesAllowed({Roles.INGESTER, Roles.AUDITOR, Roles.ADMIN})
    @Blocking
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(operationId = "event", summary = "A published leaf: its entry and its payload, or that it was erased")
    public Response event(
            @PathParam("shard") String shard, @PathParam("index") String index, @Context SecurityIdentity identity) {
        int shardNumber = reads.shard(shard);
        long leafIndex = Reads.pathNumber(index);
        return reads.read(() -> {
            Published leaf = bundles.assemble(reads.ledger(), shardNumber, leafIndex)
                    .orElseThrow(() -> Reads.notFound("No published leaf has this index"));
            Reads.requireMaySee(Reads.caller(identity), leaf.tenant());
            return Response.ok(eventBody(leaf))
                    .header("Cache-Control", "private, no-cache")
                    .build();
        });
    }

    /** A proof is served of a leaf whose payload this refuses. */
    private ObjectNode eventBody(Published leaf) throws Unavailable {
        ObjectNode body = json.createObjectNode();
        body.put("shard", leaf.shard());
        body.put("leafIndex", leaf.bundle().leafIndex().value());
        body.put("kind", leaf.leaf().kind().word());
        body.put("epoch", leaf.epoch().number());
        body.put("incarnation", LedgerOffset.incarnation(leaf.leaf().offset()));
        body.put("offset", LedgerOffset.kafka(leaf.leaf().offset()));
        body.put("time", LogTime.format(leaf.leaf().timestampMillis()));
        body.put("entry", leaf.leaf().entry());
        Payload payload = judged(leaf);
        if (payload instanceof Payload.Plain plain) {
            body.put("payload", plain.data()).put("salt", plain.salt());
        } else if (payload instanceof Payload.Encrypted encrypted) {
            body.putObject("encryptedPayload")
                    .put("keyId", encrypted.keyId())
                    .put("nonce", encrypted.nonce())
                    .put("ciphertext", encrypted.ciphertext());
        } else if (payload instanceof Payload.Erased erased) {
            ObjectNode said = body.putObject("erased").put("keyId", erased.keyId());
            Optional<Receipt> receipt = receipt(erased);
            said.put("logged", receipt.isPresent());
            receipt.ifPresent(where -> said.set("receipt", json.valueToTree(where)));
        }
        return body;
    }

    private Payload judged(Published leaf) throws Unavailable {
        try {
            return leaf.entry() instanceof EntryView.Event event ? keys.judged(leaf.payload(), event) : leaf.payload();
        } catch (IOException e) {
            throw new Unavailable("the payload keys cannot be had: " + e.getMessage());
        } catch (InvalidFormat e) {
            LOG.error(
                    "ALARM: the payload of leaf {} of shard {} is not served: {}",
                    leaf.bundle().leafIndex(),
                    leaf.shard(),
                    e.getMessage());
            throw new ProblemException(ProblemCode.INTERNAL, "Tell the operator: the log has the cause");
        }
    }

    /** What a Kafka that was lost was told and nobody published, the ledger does not know: the next gateway tells it again. */
    private boolean stands(ErasureReceipt receipt) throws Unavailable {
        if (receipt.incarnation() == reads.ledger().incarnation()) {
            return true;
        }
        Optional<OffsetState> state =
                proofs.offset(receipt.shard(), LedgerOffset.of(receipt.incarnation(), receipt.offset()));
        return state.isPresent()
                && (state.get() instanceof OffsetState.Leaf || state.get() instanceof OffsetState.Duplicate);
    }

    /** Where the ledger says so; for a moment it may not have been told yet. */
    private Optional<Receipt> receipt(Payload.Erased erased) throws Unavailable {
        try {
            Optional<ErasureReceipt> receipt = keys.receipt(erased.keyId());
            return receipt.isPresent() && stands(receipt.get())
                    ? receipt.map(at -> new Receipt(at.incarnation(), at.shard(), at.offset()))
                    : Optional.empty();
        } catch (IOException e) {
            throw new Unavailable("the payload keys cannot be had: " + e.getMessage());
        }
    }
}
