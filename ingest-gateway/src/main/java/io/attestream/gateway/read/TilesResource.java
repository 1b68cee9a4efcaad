// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import io.attestream.gateway.auth.Roles;
import io.attestream.gateway.http.ProblemException;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.tile.EntryBundle;
import io.attestream.proofs.tile.TilePath;
import io.smallrye.common.annotation.Blocking;
import jakarta.annotation.security.PermitAll;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/**
 * The logs as C2SP tlog-tiles: {@code /log} is the ledger log, {@code /shard/{s}} a shard. Hash tiles and checkpoints are
 * public. The ledger log's entries are the epochs, public as well; a shard's entries mix tenants and are for auditors.
 */
@Path("/")
@Tag(name = "tlog-tiles")
public class TilesResource {
    private static final String IMMUTABLE = "max-age=31536000, immutable";

    private final Reads reads;
    private final ProofsClient proofs;
    private final StoredLeaves leaves;

    TilesResource(Reads reads, ProofsClient proofs, StoredLeaves leaves) {
        this.reads = reads;
        this.proofs = proofs;
        this.leaves = leaves;
    }

    @GET
    @Path("log/checkpoint")
    @PermitAll
    @Blocking
    @Operation(operationId = "logCheckpoint", summary = "Checkpoint of the ledger log")
    @APIResponse(
            responseCode = "200",
            description = "A signed note",
            content = @Content(mediaType = MediaType.TEXT_PLAIN))
    public Response ledgerCheckpoint() {
        return checkpoint(new LogName.Ledger());
    }

    @GET
    @Path("shard/{shard}/checkpoint")
    @PermitAll
    @Blocking
    @Operation(
            operationId = "shardCheckpoint",
            summary = "Checkpoint of a shard, for tlog-tiles clients; not witnessed")
    @APIResponse(
            responseCode = "200",
            description = "A signed note",
            content = @Content(mediaType = MediaType.TEXT_PLAIN))
    public Response shardCheckpoint(@PathParam("shard") String shard) {
        return checkpoint(new LogName.Shard(reads.shard(shard)));
    }

    private Response checkpoint(LogName log) {
        byte[] note = reads.read(() -> proofs.checkpoint(log))
                .orElseThrow(() -> Reads.notFound("This log has no checkpoint yet"));
        return Response.ok(note, LedgerResource.NOTE_TYPE)
                .header("Cache-Control", "no-cache")
                .build();
    }

    @GET
    @Path("log/tile/{path: .+}")
    @PermitAll
    @Blocking
    @Operation(operationId = "logTile", summary = "Hash tile or entry bundle (the epochs) of the ledger log")
    @APIResponse(
            responseCode = "200",
            description = "As published, for ever",
            content = @Content(mediaType = MediaType.APPLICATION_OCTET_STREAM))
    public Response ledgerTile(@PathParam("path") String path) {
        TilePath tile = parse(path);
        return tile instanceof TilePath.HashTile hashes
                ? hashTile(new LogName.Ledger(), hashes)
                : reads.read(() -> epochBundle((TilePath.Entries) tile));
    }

    @GET
    @Path("shard/{shard}/tile/{path: .+}")
    @PermitAll
    @Blocking
    @Operation(operationId = "shardTile", summary = "Hash tile of a shard")
    @APIResponse(
            responseCode = "200",
            description = "As published, for ever",
            content = @Content(mediaType = MediaType.APPLICATION_OCTET_STREAM))
    public Response shardTile(@PathParam("shard") String shard, @PathParam("path") String path) {
        // Entry bundles have a method of their own, with a role; they must never be answered here.
        if (parse(path) instanceof TilePath.HashTile hashes) {
            return hashTile(new LogName.Shard(reads.shard(shard)), hashes);
        }
        throw Reads.notFound("There is nothing at this path");
    }

    @GET
    @Path("shard/{shard}/tile/entries/{path: .+}")
    @RolesAllowed({Roles.AUDITOR, Roles.ADMIN})
    @Blocking
    @Operation(operationId = "shardEntries", summary = "Entry bundle of a shard; for auditors of the whole ledger")
    @APIResponse(
            responseCode = "200",
            description = "As published, for ever",
            content = @Content(mediaType = MediaType.APPLICATION_OCTET_STREAM))
    public Response shardEntries(@PathParam("shard") String shard, @PathParam("path") String path) {
        if (parse("entries/" + path) instanceof TilePath.Entries entries) {
            int number = reads.shard(shard);
            return reads.read(() -> entryBundle(number, entries));
        }
        throw Reads.notFound("There is nothing at this path");
    }

    private static TilePath parse(String path) {
        try {
            return TilePath.parse("tile/" + path);
        } catch (InvalidFormat e) {
            throw Reads.notFound("There is nothing at this path: " + e.getMessage());
        }
    }

    private Response hashTile(LogName log, TilePath.HashTile tile) {
        byte[] hashes = reads.read(() -> proofs.tile(log, tile)).orElseThrow(TilesResource::notPublished);
        return immutable(hashes, "public");
    }

    private Response epochBundle(TilePath.Entries entries) throws Unavailable {
        List<byte[]> leaves = new ArrayList<>();
        for (long number = first(entries); number < first(entries) + entries.width(); number++) {
            Optional<Epoch> epoch = proofs.epoch(number);
            leaves.add(epoch.orElseThrow(TilesResource::notPublished).leaf());
        }
        return immutable(EntryBundle.encode(leaves), "public");
    }

    /** The entries of one bundle may have come with several epochs, and be in segments or a pack. */
    private Response entryBundle(int shard, TilePath.Entries entries)
            throws Unavailable, Archive.Broken, InvalidFormat {
        long next = first(entries);
        long end = next + entries.width();
        // Asked first, so that a request beyond the end costs one call.
        if (proofs.covering(shard, end - 1).isEmpty()) {
            throw notPublished();
        }
        List<byte[]> bundle = new ArrayList<>();
        while (next < end) {
            Epoch epoch = proofs.covering(shard, next).orElseThrow(TilesResource::notPublished);
            List<LeafRecord> stored = leaves.from(epoch, shard, next);
            stored.stream().limit(end - next).map(LeafRecord::entry).forEach(bundle::add);
            next += stored.size();
        }
        return immutable(EntryBundle.encode(bundle), "private");
    }

    private static long first(TilePath.Entries entries) {
        if (entries.index() > (Long.MAX_VALUE >> 9)) {
            throw notPublished();
        }
        return entries.index() * TilePath.FULL_WIDTH;
    }

    private static ProblemException notPublished() {
        return Reads.notFound("No published tree has this; ask for sizes of published checkpoints");
    }

    private static Response immutable(byte[] bytes, String who) {
        return Response.ok(bytes, MediaType.APPLICATION_OCTET_STREAM)
                .header("Cache-Control", who + ", " + IMMUTABLE)
                .build();
    }
}
