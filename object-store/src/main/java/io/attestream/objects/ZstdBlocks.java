// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PayloadPack;

/** Blocks of payload packs as Zstandard frames (RFC 8878). */
public final class ZstdBlocks implements PayloadPack.BlockCodec {
    /** The library's default. */
    private static final int LEVEL = 3;

    @Override
    public String name() {
        return "zstd";
    }

    @Override
    public byte[] compress(byte[] raw) {
        return Zstd.compress(raw, LEVEL);
    }

    @Override
    public byte[] decompress(byte[] compressed, int rawSizeBytes) throws InvalidFormat {
        try {
            // The frame says its size too: nothing is allocated on the word of the header alone.
            if (rawSizeBytes < 1 || Zstd.getFrameContentSize(compressed) != rawSizeBytes) {
                throw new InvalidFormat("block", "must be a frame of " + rawSizeBytes + " bytes");
            }
            byte[] raw = Zstd.decompress(compressed, rawSizeBytes);
            if (raw.length != rawSizeBytes) {
                throw new InvalidFormat("block", "gives " + raw.length + " bytes, not " + rawSizeBytes);
            }
            return raw;
        } catch (ZstdException e) {
            throw new InvalidFormat("block", "is no Zstandard frame: " + e.getMessage());
        }
    }
}
