// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.attestream.gateway.auth.Roles;
import io.attestream.proofs.tree.Hash;
import io.smallrye.common.annotation.Blocking;
import jakarta.annotation.security.PermitAll;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;

/** Proofs, checkpoints and epochs. */
@Path("/v1")
@Tag(name = "read")
public class LedgerResource {
    static final String NOTE_TYPE = "text/plain; charset=utf-8";

    private final Reads reads;
    private final ProofsClient proofs;
    private final Archive archive;
    private final ObjectMapper json;

    LedgerResource(Reads reads, ProofsClient proofs, Archive archive, ObjectMapper json) {
        this.reads = reads;
        this.proofs = proofs;
        this.archive = archive;
        this.json = json;
    }

    @GET
    @Path("/proofs/inclusion")
    @RolesAllowed({Roles.INGESTER, Roles.AUDITOR, Roles.ADMIN})
    @Blocking
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "inclusionProof",
            summary = "RFC 6962 inclusion proof at a published size",
            description = "Of leaf `index` in shard `shard`, or without `shard` of epoch `index` in the ledger log.")
    public Response inclusion(
            @QueryParam("shard") @Nullable String shard,
            @QueryParam("index") @Nullable String index,
            @QueryParam("size") @Nullable String size) {
        long leafIndex = Reads.parameter("index", index);
        long treeSize = Reads.parameter("size", size);
        LogName log = log(shard);
        Optional<ProofsClient.Inclusion> proof = reads.read(() -> log instanceof LogName.Shard named
                ? proofs.shardInclusion(named.number(), leafIndex, treeSize)
                : proofs.ledgerInclusion(leafIndex, treeSize));
        ProofsClient.Inclusion found =
                proof.orElseThrow(() -> Reads.notFound("No leaf with this index is in a tree of this size"));
        ObjectNode body = json.createObjectNode();
        body.put("index", leafIndex).put("size", treeSize);
        found.leafHash().ifPresent(hash -> body.put("leafHash", hash.base64()));
        return proofAnswer(body, found.path());
    }

    @GET
    @Path("/proofs/consistency")
    @RolesAllowed({Roles.INGESTER, Roles.AUDITOR, Roles.ADMIN})
    @Blocking
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "consistencyProof",
            summary = "RFC 6962 consistency proof between two published sizes",
            description = "Of shard `shard`, or without it of the ledger log.")
    public Response consistency(
            @QueryParam("shard") @Nullable String shard,
            @QueryParam("first") @Nullable String first,
            @QueryParam("second") @Nullable String second) {
        long firstSize = Reads.parameter("first", first);
        long secondSize = Reads.parameter("second", second);
        LogName log = log(shard);
        List<Hash> path = reads.read(() -> proofs.consistency(log, firstSize, secondSize))
                .orElseThrow(() -> Reads.notFound("The log has not had these sizes"));
        return proofAnswer(json.createObjectNode().put("first", firstSize).put("second", secondSize), path);
    }

    private LogName log(@Nullable String shard) {
        return shard == null ? new LogName.Ledger() : new LogName.Shard(reads.shard(Reads.parameter("shard", shard)));
    }

    private static Response proofAnswer(ObjectNode body, List<Hash> path) {
        ArrayNode hashes = body.putArray("path");
        path.forEach(hash -> hashes.add(hash.base64()));
        // Between published sizes of an append-only log a proof never changes.
        return Response.ok(body)
                .header("Cache-Control", "private, max-age=3600")
                .build();
    }

    @GET
    @Path("/checkpoint")
    @PermitAll
    @Blocking
    @Produces(MediaType.TEXT_PLAIN)
    @Operation(operationId = "checkpoint", summary = "The newest ledger checkpoint, a C2SP signed note")
    public Response checkpoint() {
        byte[] note = reads.read(() -> proofs.checkpoint(new LogName.Ledger()))
                .orElseThrow(() -> Reads.notFound("Nothing is published yet"));
        return Response.ok(note, NOTE_TYPE).header("Cache-Control", "no-cache").build();
    }

    @GET
    @Path("/keys")
    @PermitAll
    @Blocking
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "keys",
            summary = "The history of the keys that sign the ledger's checkpoints",
            description =
                    "Each change with the proof that the ledger logged it; whoever trusts the first key verifies the rest.")
    public Response keys() {
        // A checkpoint that was just published is signed by whom the history says.
        Archive.Keys keys = reads.read(() -> archive.newestKeys(reads.ledger().key()));
        return Response.ok(keys.published()).header("Cache-Control", "no-cache").build();
    }

    @GET
    @Path("/epochs/{number}")
    @PermitAll
    @Blocking
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "epoch",
            summary = "An epoch with the heads of all shards and its signed checkpoint",
            description = "`latest` names the newest.")
    public Response epoch(@PathParam("number") String number) {
        boolean latest = number.equals("latest");
        Epoch epoch = reads.read(() -> latest ? proofs.latestEpoch() : proofs.epoch(Reads.pathNumber(number)))
                .orElseThrow(() -> Reads.notFound("No epoch with this number is published"));
        ObjectNode body = json.createObjectNode();
        body.put("epoch", epoch.number());
        body.putRawValue("leaf", new RawValue(new String(epoch.leaf(), StandardCharsets.UTF_8)));
        body.put("epochLeaf", epoch.leaf());
        ArrayNode heads = body.putArray("heads");
        epoch.heads().forEach(heads::add);
        body.put("note", epoch.note());
        return Response.ok(body)
                .header("Cache-Control", latest ? "no-cache" : "public, max-age=3600")
                .build();
    }
}
