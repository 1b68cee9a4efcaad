// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.tree.Rfc6962;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A payload pack is written anew, because payloads were erased, while its leaves are read. */
class RewrittenPackTest {
    private static final PackName NAME = new PackName(0, 0, 256, Rfc6962.EMPTY_ROOT);
    private static final int PAYLOAD_SIZE_BYTES = 10_000;

    @TempDir
    private Path directory;

    private static Payload payload(long index) {
        byte[] data = new byte[PAYLOAD_SIZE_BYTES];
        new Random(index).nextBytes(data);
        return new Payload.Plain(new byte[16], new byte[16], data);
    }

    private static byte[] pack(int erasedTo) {
        PayloadPack.Builder builder = PayloadPack.builder(new ZstdBlocks());
        for (long index = 0; index < NAME.end(); index++) {
            builder.add(index < erasedTo ? new Payload.Erased(new byte[16], "key-1") : payload(index));
        }
        return builder.build(NAME);
    }

    /** Blocks have other bounds then: what is remembered of the old ones is of no use. */
    @Test
    void whatNobodyErasedIsReadAsBefore() throws Exception {
        // given
        ObjectStore store = new DirectoryObjectStore(directory);
        store.putIfAbsent(NAME.payloads(), pack(0));
        Archive archive = new Archive(store, 1 << 28);
        PayloadPack.Rows first = archive.payloadRows(NAME, 0);
        assertThat(first.has(200)).isFalse();

        // when the first blocks have more leaves than before
        store.replace(NAME.payloads(), pack(60));

        // then
        for (long index = NAME.end() - 1; index >= 60; index--) {
            PayloadPack.Rows rows = archive.payloadRows(NAME, index);
            assertThat(rows.has(index)).as("leaf " + index).isTrue();
            assertThat(Payload.isSame(rows.payload(index), payload(index)))
                    .as("leaf " + index)
                    .isTrue();
        }
        assertThat(archive.payloadRows(NAME, 0).payload(0)).isInstanceOf(Payload.Erased.class);
    }
}
