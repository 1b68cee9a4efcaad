// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.StoredKeys;
import io.attestream.proofs.note.SignedNote;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The published epochs as the object store has them, read as if they were topic {@code checkpoints}. */
final class StoredEpochs {
    private static final Logger LOG = LoggerFactory.getLogger(StoredEpochs.class);

    private final ObjectStore store;

    StoredEpochs(ObjectStore store) {
        this.store = store;
    }

    /** The first epoch; empty if the store has none. */
    Optional<LogRecord.Published> first() throws IOException {
        return get(0);
    }

    /**
     * One epoch; empty if the store does not have it.
     *
     * @throws FatalDoubtException if it cannot be read
     */
    Optional<LogRecord.Published> get(long epoch) throws IOException {
        String name = ObjectNames.epoch(epoch);
        Optional<byte[]> object = store.get(name);
        return object.isEmpty() ? Optional.empty() : Optional.of(parse(name, object.get()));
    }

    /**
     * Hands every epoch over as an intent and its publication, in order.
     *
     * @throws FatalDoubtException if one cannot be read, or is missing before the last
     * @throws UncheckedIOException if the store does not answer
     */
    void readAll(Consumer<LogRecord> reader) {
        try {
            List<String> names = store.list(ObjectNames.EPOCHS).stream()
                    .filter(ObjectNames::isEpoch)
                    .toList();
            for (int epoch = 0; epoch < names.size(); epoch++) {
                String name = ObjectNames.epoch(epoch);
                byte[] object = store.get(name)
                        .orElseThrow(() -> new FatalDoubtException("object " + name + " is missing, although there are "
                                + names.size() + " epoch objects up to " + names.get(names.size() - 1)));
                LogRecord.Published published = parse(name, object);
                reader.accept(new LogRecord.Intent(published.intent()));
                reader.accept(published);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Makes what proves the changes of keys that these epochs log, where it was lost or its checkpointer died before it made it: it
     * follows from the epochs alone. What does not hold is left to who verifies them.
     *
     * @throws UncheckedIOException if the store does not answer
     */
    void healKeySteps(Ledger ledger) throws IOException {
        healKeySteps(ledger, 0);
    }

    /** @param known how many changes the operator knows of */
    void healKeySteps(Ledger ledger, int known) throws IOException {
        if (!StoredKeys.lacksSteps(store, known)) {
            return;
        }
        EpochArchive archive = new EpochArchive(store);
        CheckpointHistory history = new CheckpointHistory(ledger);
        try {
            readAll(record -> archive.acceptWithKeySteps(history, record));
        } catch (FatalDoubtException e) {
            LOG.warn("not all proofs of changes of keys could be made again: {}", e.getMessage());
        }
    }

    private static LogRecord.Published parse(String name, byte[] bytes) {
        try {
            EpochObject object = EpochObject.parse(bytes);
            String text = SignedNote.parse(object.note()).text();
            return new LogRecord.Published(EpochObjects.intent(object, text), object.note());
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("object " + name + " is no epoch object: " + e.getMessage(), e);
        }
    }
}
