// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.tile.TilePath;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Published leaves wherever they are: in a pack if an epoch logged one, else in the segment of the epoch that added them. */
@ApplicationScoped
public class StoredLeaves {
    private static final int REMEMBERED_MAX = 10_000;

    private final ProofsClient proofs;
    private final Archive archive;
    /** A pack has all leaves of a full tile or none, and stays. */
    private final Cache<TileOf, PackName> packs =
            Caffeine.newBuilder().maximumSize(REMEMBERED_MAX).build();

    private record TileOf(int shard, long index) {}

    StoredLeaves(ProofsClient proofs, Archive archive) {
        this.proofs = proofs;
        this.archive = archive;
    }

    /** @param epoch the first that covers the leaf */
    public LeafRecord leaf(Epoch epoch, int shard, long leafIndex) throws Unavailable, Archive.Broken, InvalidFormat {
        return from(epoch, shard, leafIndex).get(0);
    }

    /**
     * The leaf and some that follow it, as many as are stored with it.
     *
     * @param epoch the first that covers the leaf
     */
    public List<LeafRecord> from(Epoch epoch, int shard, long leafIndex)
            throws Unavailable, Archive.Broken, InvalidFormat {
        Optional<PackName> pack = packOf(shard, leafIndex);
        if (pack.isPresent()) {
            return packed(pack.get(), leafIndex);
        }
        Optional<Segment> segment = archive.segment(epoch.segment());
        if (segment.isPresent()) {
            return stored(epoch, segment.get(), shard, leafIndex);
        }
        return packed(packedMeanwhile(epoch.segment(), shard, leafIndex), leafIndex);
    }

    private List<LeafRecord> packed(PackName pack, long leafIndex) throws Unavailable, Archive.Broken {
        List<LeafRecord> block = archive.block(pack, leafIndex);
        return block.subList((int) (leafIndex % TilePath.FULL_WIDTH), block.size());
    }

    private static List<LeafRecord> stored(Epoch epoch, Segment segment, int shard, long leafIndex)
            throws Archive.Broken, InvalidFormat {
        if (!segment.has(shard, leafIndex)) {
            throw new Archive.Broken("segment " + epoch.segment() + " lacks leaf " + leafIndex + " of shard " + shard);
        }
        List<LeafRecord> leaves = new ArrayList<>();
        for (long index = leafIndex; leaves.size() < TilePath.FULL_WIDTH && segment.has(shard, index); index++) {
            leaves.add(segment.leaf(shard, index));
        }
        return leaves;
    }

    /** @param epoch the first that covers the leaf */
    public Payload payload(Epoch epoch, int shard, long leafIndex) throws Unavailable, Archive.Broken, InvalidFormat {
        Optional<PackName> pack = packOf(shard, leafIndex);
        if (pack.isEmpty()) {
            Optional<PayloadObject> object = archive.payloads(epoch.payloads());
            if (object.isPresent()) {
                return object.get().payload(shard, leafIndex);
            }
        }
        PackName name = pack.isPresent() ? pack.get() : packedMeanwhile(epoch.payloads(), shard, leafIndex);
        return archive.payloadRows(name, leafIndex).payload(leafIndex);
    }

    private Optional<PackName> packOf(int shard, long leafIndex) throws Unavailable {
        TileOf tile = new TileOf(shard, leafIndex / TilePath.FULL_WIDTH);
        PackName known = packs.getIfPresent(tile);
        if (known != null) {
            return Optional.of(known);
        }
        Optional<PackName> pack = proofs.pack(shard, leafIndex);
        pack.ifPresent(name -> packs.put(tile, name));
        return pack;
    }

    /** Between the two looks a pack may have been logged, and the object removed. */
    private PackName packedMeanwhile(String object, int shard, long leafIndex) throws Unavailable, Archive.Broken {
        return packOf(shard, leafIndex)
                .orElseThrow(() -> new Archive.Broken("object " + object + " is not in the store, and no pack has leaf "
                        + leafIndex + " of shard " + shard));
    }
}
