// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.List;

/** A record of topic {@code checkpoints}. */
sealed interface LogRecord {
    long epoch();

    /** These exact bytes are about to be signed. */
    record Intent(EpochIntent intent) implements LogRecord {
        @Override
        public long epoch() {
            return intent.epoch();
        }
    }

    /**
     * The intent of this epoch was signed; {@code note} is its text with the signature lines.
     */
    record Published(EpochIntent intent, String note) implements LogRecord {
        @Override
        public long epoch() {
            return intent.epoch();
        }
    }

    /** Checkpoints of single shards, for tlog-tiles clients; every one names a head of the published epoch. */
    record ShardNotes(long epoch, List<ShardNote> notes) implements LogRecord {
        public ShardNotes {
            notes = List.copyOf(notes);
        }
    }

    /** One shard's signed note. */
    record ShardNote(int shard, long size, String note) {}
}
