// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.StoredKeys;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.ledger.PublishedKeys;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The history of a ledger's keys out of the object store, verified step by step. A step that was verified never changes and is not
 * read again: a look asks for the one behind it. One look at a time, on which nobody waits who can do with what was known before.
 */
final class ArchivedKeys {
    private static final Logger LOG = Logger.getLogger(ArchivedKeys.class);
    private static final long KEPT_NANOS = Duration.ofSeconds(1).toNanos();
    private static final Duration WAIT_MAX = Duration.ofSeconds(10);

    private final ObjectStore store;
    private final LongSupplier nanos;
    private final ReentrantLock looking = new ReentrantLock();
    private volatile @Nullable Look last;

    /** @param begunNanos what was published before it is in it */
    private record Look(Archive.Keys keys, List<KeyStep> steps, long begunNanos) {}

    ArchivedKeys(ObjectStore store, LongSupplier nanos) {
        this.store = store;
        this.nanos = nanos;
    }

    /** As it was a second before, or longer while the store cannot be read. */
    Archive.Keys recent(NoteVerifier first) throws Archive.Broken, Unavailable {
        Look before = last;
        if (before == null) {
            return newest(first);
        }
        if (nanos.getAsLong() - before.begunNanos() < KEPT_NANOS || !looking.tryLock()) {
            return before.keys();
        }
        try {
            return look(first);
        } catch (Archive.Broken | Unavailable e) {
            LOG.errorf("the key history goes on as it was: %s", e.getMessage());
            return before.keys();
        } finally {
            looking.unlock();
        }
    }

    /** As it is now. */
    Archive.Keys newest(NoteVerifier first) throws Archive.Broken, Unavailable {
        long asked = nanos.getAsLong();
        lock();
        try {
            Look meanwhile = last;
            return meanwhile != null && meanwhile.begunNanos() - asked > 0 ? meanwhile.keys() : look(first);
        } finally {
            looking.unlock();
        }
    }

    private void lock() throws Unavailable {
        try {
            if (looking.tryLock(WAIT_MAX.toNanos(), TimeUnit.NANOSECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new Unavailable("the key history is being read for " + WAIT_MAX.toSeconds() + " s already");
    }

    private Archive.Keys look(NoteVerifier first) throws Archive.Broken, Unavailable {
        long begun = nanos.getAsLong();
        Look before = last;
        return before == null ? all(first, begun) : more(first, before, begun);
    }

    /** One that is missing before the last is not taken for the end. */
    private Archive.Keys all(NoteVerifier first, long begun) throws Archive.Broken, Unavailable {
        try {
            PublishedKeys published = StoredKeys.read(store, first);
            return known(published, published.verify(first), begun);
        } catch (IOException e) {
            throw new Unavailable("the key history cannot be read: " + e);
        } catch (InvalidFormat e) {
            throw new Archive.Broken("the key history is damaged: " + e.getMessage());
        }
    }

    private Archive.Keys known(PublishedKeys published, KeyHistory history, long begun) {
        Archive.Keys keys = new Archive.Keys(new String(published.encode(), StandardCharsets.UTF_8), history);
        last = new Look(keys, published.steps(), begun);
        return keys;
    }

    private Archive.Keys more(NoteVerifier first, Look before, long begun) throws Archive.Broken, Unavailable {
        KeyHistory history = before.keys().history();
        List<KeyStep> steps = new ArrayList<>(before.steps());
        String name = "";
        try {
            while (steps.size() < KeyChange.CHANGES_MAX) {
                name = KeyStep.name(steps.size() + 1);
                Optional<byte[]> object = store.get(name);
                if (object.isEmpty()) {
                    break;
                }
                KeyStep step = KeyStep.parse(object.get());
                history = step.extend(history);
                steps.add(step);
            }
        } catch (IOException e) {
            throw new Unavailable("object " + name + " cannot be read: " + e);
        } catch (InvalidFormat e) {
            throw new Archive.Broken("object " + name + " is damaged: " + e.getMessage());
        }
        if (steps.size() == before.steps().size()) {
            last = new Look(before.keys(), before.steps(), begun);
            return before.keys();
        }
        return known(new PublishedKeys(first.vkey(), steps), history, begun);
    }
}
