// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.entry.IdentityDigest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes a full window block again that was lost or has rotted, out of the packs its leaves are in. The digest in its name says
 * whether every row is the same, so the packs need not be trusted.
 */
final class WindowRepair {
    private final ObjectStore store;
    private final ZstdBlocks codec = new ZstdBlocks();

    WindowRepair(ObjectStore store) {
        this.store = store;
    }

    /**
     * Puts the block in the place of what is there.
     *
     * @return whether the packs gave it
     */
    boolean repair(WindowName lost) throws IOException {
        try {
            Optional<byte[]> made = make(lost);
            if (made.isPresent()) {
                store.replace(lost.name(), made.get());
            }
            return made.isPresent();
        } catch (InvalidFormat e) {
            return false; // a pack has rotted too
        }
    }

    private Optional<byte[]> make(WindowName lost) throws IOException, InvalidFormat {
        List<PackName> packs = packs(lost.shard());
        WindowBlock.Builder rows = new WindowBlock.Builder(lost.shard(), lost.first());
        long next = lost.first();
        while (next < lost.end()) {
            long wanted = next;
            Optional<PackName> name =
                    packs.stream().filter(pack -> pack.has(wanted)).findFirst();
            if (name.isEmpty()
                    || !add(
                            rows,
                            name.get(),
                            next,
                            Math.min(lost.end(), name.get().end()))) {
                return Optional.empty();
            }
            next = Math.min(lost.end(), name.get().end());
        }
        byte[] made = rows.build();
        return rows.name(made).equals(lost) ? Optional.of(made) : Optional.empty();
    }

    private List<PackName> packs(int shard) throws IOException, InvalidFormat {
        List<PackName> packs = new ArrayList<>();
        for (String name : store.list(PackName.PACKS)) {
            PackName pack = PackName.parse(name);
            if (pack.shard() == shard) {
                packs.add(pack);
            }
        }
        return packs;
    }

    private boolean add(WindowBlock.Builder rows, PackName name, long from, long to) throws IOException, InvalidFormat {
        Optional<Pack> pack = Pack.open(store, name);
        Optional<PayloadPack> payloads = PayloadPack.open(store, name, codec);
        if (pack.isEmpty() || payloads.isEmpty()) {
            return false;
        }
        PayloadPack.Rows contents = payloads.get().block(from);
        for (long index = from; index < to; ) {
            for (LeafRecord leaf : pack.get().block(index)) {
                if (!contents.has(index)) {
                    contents = payloads.get().block(index);
                }
                rows.add(new WindowBlock.Row(
                        leaf.kind(), leaf.offset(), identity(leaf), Payload.contentTag(contents.payload(index))));
                index++;
            }
        }
        return true;
    }

    private static byte[] identity(LeafRecord leaf) throws InvalidFormat {
        return CanonicalEntry.parse(leaf.entry()) instanceof EntryView.Event event
                ? ArchivedShard.identity(event)
                : new byte[IdentityDigest.SIZE_BYTES];
    }
}
