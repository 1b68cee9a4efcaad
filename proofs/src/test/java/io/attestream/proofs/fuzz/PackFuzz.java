// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.InMemoryObjectStore;
import java.io.IOException;

/** Any bytes under the names of packs: what is read is a pack, or refused. */
public final class PackFuzz {
    private static final PayloadPack.BlockCodec NOTHING_FITS = new PayloadPack.BlockCodec() {
        @Override
        public String name() {
            return "zstd";
        }

        @Override
        public byte[] compress(byte[] raw) {
            return raw;
        }

        @Override
        public byte[] decompress(byte[] compressed, int rawSizeBytes) throws InvalidFormat {
            throw new InvalidFormat("block", "is not decompressed here");
        }
    };

    private PackFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        InMemoryObjectStore store = new InMemoryObjectStore();
        try {
            PackName name = PackName.parse(Golden.lines("pack-names-v1.txt").get(0));
            store.replace(name.name(), input);
            store.replace(name.payloads(), input);
            try {
                PayloadPack.open(store, name, NOTHING_FITS).orElseThrow().block(name.first());
            } catch (InvalidFormat | IOException e) {
                // refused, as it may be
            }
            Pack pack = Pack.open(store, name).orElseThrow();
            Holds.equal(pack.frontier().size().value(), name.first());
            Holds.equal(pack.rangeAtEnd().size().value(), name.end());
            pack.block(name.first());
            pack.tile(name.first() / 256);
            pack.outcomes(0, Long.MAX_VALUE);
            pack.leafAt(2 * name.first() + 1);
        } catch (InvalidFormat | IOException e) {
            // refused, as it may be
        }
    }
}
