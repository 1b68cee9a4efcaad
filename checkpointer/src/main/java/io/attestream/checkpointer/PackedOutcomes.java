// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;

/** The outcomes in the logged packs of one shard as a check reads them: those of one pack in memory. Not thread-safe. */
final class PackedOutcomes {
    private final ArchiveReader reader;
    private final LongFunction<Optional<PackName>> packOf;
    private final Source source;

    private final Deque<OutcomeRecord> upcoming = new ArrayDeque<>();
    /** Input position up to which they were taken. */
    private long position;
    /** First leaf behind the packs that were read. */
    private long nextLeaf;
    /** False behind a pack that could not be used. */
    private boolean known = true;

    /** Opens packs. */
    interface Source {
        /** Empty if it is missing or of no use, which was noted then. */
        Optional<Pack> open(PackName name) throws IOException;
    }

    /** @param packOf the logged pack a leaf is in */
    PackedOutcomes(ArchiveReader reader, LongFunction<Optional<PackName>> packOf, Source source) {
        this.reader = reader;
        this.packOf = packOf;
        this.source = source;
    }

    /**
     * Those of records below an input position that were not taken yet.
     *
     * @param size of the shard at that position: what is behind its last leaf is in the pack of the next one
     * @return empty unless all of them are known
     */
    Optional<List<OutcomeRecord>> takeTo(long offset, long size) throws IOException {
        while (nextLeaf <= size && packOf.apply(nextLeaf).isPresent()) {
            PackName name = packOf.apply(nextLeaf).get();
            read(name);
            nextLeaf = name.end();
        }
        List<OutcomeRecord> taken = new ArrayList<>();
        while (!upcoming.isEmpty() && upcoming.element().offset() < offset) {
            taken.add(upcoming.remove());
        }
        position = offset;
        return known && nextLeaf > size ? Optional.of(taken) : Optional.empty();
    }

    private void read(PackName name) throws IOException {
        Optional<Pack> pack = source.open(name);
        Optional<List<OutcomeRecord>> outcomes = pack.isEmpty()
                ? Optional.empty()
                : reader.part(
                        name.name(),
                        store -> pack.get().outcomes(position, pack.get().nextOffset()));
        known &= outcomes.isPresent();
        outcomes.ifPresent(upcoming::addAll);
    }
}
