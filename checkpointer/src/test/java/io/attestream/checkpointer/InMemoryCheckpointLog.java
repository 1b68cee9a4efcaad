// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Topic {@code checkpoints} as a list with the promises of a Kafka transaction: owners, staging, fencing. */
final class InMemoryCheckpointLog {
    final List<LogRecord> committed = new ArrayList<>();
    /** Whatever any owner tried to write, also one that had lost the log: what a paused process signed is seen here. */
    final List<LogRecord> attempted = new ArrayList<>();

    private @Nullable Owner owner;

    /** Takes the log over; every earlier owner fails from now on. */
    Owner open() {
        owner = new Owner();
        return owner;
    }

    final class Owner implements CheckpointLog {
        private @Nullable LogRecord staged;
        boolean commitFails;

        @Override
        public void readToEnd(Consumer<LogRecord> reader) {
            requireOwner();
            List.copyOf(committed).forEach(reader);
        }

        @Override
        public void stage(LogRecord record) {
            attempted.add(record);
            requireOwner();
            staged = record;
        }

        @Override
        public void commit() {
            requireOwner();
            if (commitFails) {
                throw new FatalDoubtException("the result of a commit is unknown");
            }
            if (staged == null) {
                throw new IllegalStateException("nothing staged");
            }
            committed.add(staged);
            staged = null;
        }

        private void requireOwner() {
            if (owner != this) {
                throw new FatalDoubtException("another checkpointer took over");
            }
        }

        @Override
        public void close() {}
    }
}
