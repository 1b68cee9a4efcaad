// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.gateway.auth.Roles;
import io.attestream.gateway.read.BundleAssembler.Published;
import io.attestream.proofs.archive.Payload;
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
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Published leaves. Its path is that of the class that appends, so that JAX-RS finds both. */
@Path("/v1/events")
@Tag(name = "read")
public class LeafResource {
    private final Reads reads;
    private final BundleAssembler bundles;
    private final StoredLeaves leaves;
    private final ObjectMapper json;

    LeafResource(Reads reads, BundleAssembler bundles, StoredLeaves leaves, ObjectMapper json) {
        this.reads = reads;
        this.bundles = bundles;
        this.leaves = leaves;
        this.json = json;
    }

    @GET
    @Path("/{shard}/{index}")
    @RolesAllowed({Roles.INGESTER, Roles.AUDITOR, Roles.ADMIN})
    @Blocking
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(operationId = "event", summary = "A published leaf: its entry and its payload")
    public Response event(
            @PathParam("shard") String shard, @PathParam("index") String index, @Context SecurityIdentity identity) {
        int shardNumber = reads.shard(shard);
        long leafIndex = Reads.pathNumber(index);
        return reads.read(() -> {
            Published leaf = bundles.assemble(reads.ledger(), shardNumber, leafIndex)
                    .orElseThrow(() -> Reads.notFound("No published leaf has this index"));
            Reads.requireMaySee(Reads.caller(identity), leaf.tenant());
            Payload payload = leaves.payload(leaf.epoch(), shardNumber, leafIndex);
            return Response.ok(eventBody(leaf, payload))
                    .header("Cache-Control", "private, no-cache")
                    .build();
        });
    }

    private ObjectNode eventBody(Published leaf, Payload payload) {
        ObjectNode body = json.createObjectNode();
        body.put("shard", leaf.shard());
        body.put("leafIndex", leaf.bundle().leafIndex().value());
        body.put("kind", leaf.leaf().kind().word());
        body.put("epoch", leaf.epoch().number());
        body.put("incarnation", LedgerOffset.incarnation(leaf.leaf().offset()));
        body.put("offset", LedgerOffset.kafka(leaf.leaf().offset()));
        body.put("time", LogTime.format(leaf.leaf().timestampMillis()));
        body.put("entry", leaf.leaf().entry());
        if (payload instanceof Payload.Plain plain) {
            body.put("payload", plain.data()).put("salt", plain.salt());
        } else if (payload instanceof Payload.Encrypted encrypted) {
            body.putObject("encryptedPayload")
                    .put("keyId", encrypted.keyId())
                    .put("nonce", encrypted.nonce())
                    .put("ciphertext", encrypted.ciphertext());
        }
        return body;
    }
}
