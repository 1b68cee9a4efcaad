// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.keys;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Destroys every key of a subject and has the ledger say so. The way: mark the keys, so that doors take others; wait until none
 * uses them any more, and what was encrypted under them is acknowledged or never will be; destroy them; log it; keep the receipt.
 * Whoever asks again after a crash goes on where it ended: each step is done at most once, and what was done stays done.
 *
 * <p>What is encrypted under a key that is gone is nothing but noise. It is taken out of payload packs later, by the
 * checkpointer, until when the mark stays.
 */
public final class Eraser {
    /** Longest wait of admission for metadata or buffer. */
    public static final Duration ADMISSION_MAX_BLOCK = Duration.ofSeconds(2);

    /** Longest wait of admission for an acknowledgement. */
    public static final Duration ADMISSION_DELIVERY_TIMEOUT = Duration.ofSeconds(12);

    /** For a door that is slow between encrypting and sending, and a broker that is slow to write what it was sent. */
    private static final Duration MARGIN = Duration.ofSeconds(5);

    private final SubjectKeyStore keys;
    private final Duration wait;
    private final Waiting waiting;

    /** Lets time pass. */
    @FunctionalInterface
    public interface Waiting {
        Waiting SLEEPING = time -> Thread.sleep(time.toMillis());

        void pass(Duration time) throws InterruptedException;
    }

    /** Has the ledger say that a key was destroyed; said twice, it may be a duplicate. */
    public interface Books {
        /**
         * @param actor who asked for it
         * @throws IOException if it is not known to be acknowledged
         */
        ErasureReceipt log(String tenant, String actor, String keyId) throws IOException;
    }

    /** @param actor pseudonym of who asks */
    public record Request(String tenant, String subject, String actor) {}

    /** A key that is gone, and where the ledger says so. */
    public record Erased(String keyId, ErasureReceipt receipt) {}

    /**
     * @param settling how long a gateway's producer may take to send an event, and until it is acknowledged or given up; admission's
     *     may take as long as the constants here say, whatever this is
     * @param waiting what lets that time pass, and that for which a door uses a key without looking
     */
    public Eraser(SubjectKeyStore keys, Duration settling, Waiting waiting) {
        this.keys = keys;
        Duration admission = ADMISSION_MAX_BLOCK.plus(ADMISSION_DELIVERY_TIMEOUT);
        Duration longest = settling.compareTo(admission) > 0 ? settling : admission;
        this.wait = SubjectKeyStore.USE_MAX.plus(longest).plus(MARGIN);
        this.waiting = waiting;
    }

    /**
     * Returns when all keys that the subject had are destroyed and the ledger has taken note of each.
     *
     * @param incarnation of the ledger; what an earlier one was told, it is told again: Kafka may have lost it
     * @return of every key the subject ever had, oldest first; empty if there never was one
     * @throws IOException if something could not be done; asked again it goes on from there
     */
    public List<Erased> erase(Request request, int incarnation, Books books) throws IOException, InterruptedException {
        SubjectKeyStore.Mark mark = new SubjectKeyStore.Mark(request.tenant(), request.actor());
        List<KeyId> all = keys.all(request.tenant(), request.subject());
        keys.requireSame();
        List<KeyId> open = new ArrayList<>();
        for (KeyId id : all) {
            if (!keys.isDestroyed(id)) {
                open.add(id);
            }
        }
        for (KeyId id : open) {
            keys.retire(id, mark);
        }
        if (!open.isEmpty()) {
            waiting.pass(wait);
        }
        for (KeyId id : open) {
            keys.destroy(id);
        }
        List<Erased> erased = new ArrayList<>();
        for (KeyId id : all) {
            erased.add(new Erased(id.text(), logged(id, mark, incarnation, books)));
        }
        return erased;
    }

    /**
     * Has the ledger say of every key that is destroyed and still marked that it is, if it does not yet: of those whose erasure
     * ended in between, and of those a lost Kafka was told about.
     *
     * @return how many
     * @throws IOException the first that went wrong, after all others were finished
     */
    public int finish(int incarnation, Books books) throws IOException {
        int finished = 0;
        Optional<IOException> failure = Optional.empty();
        for (String keyId : keys.erased().pending()) {
            try {
                finished += finish(KeyId.parse(keyId).orElseThrow(), incarnation, books) ? 1 : 0;
            } catch (IOException e) {
                failure = failure.or(() -> Optional.of(e));
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
        return finished;
    }

    private boolean finish(KeyId id, int incarnation, Books books) throws IOException {
        if (!keys.isDestroyed(id) || keys.erased().standing(id, incarnation).isPresent()) {
            return false;
        }
        Optional<SubjectKeyStore.Mark> mark = keys.mark(id);
        if (mark.isPresent()) {
            logged(id, mark.get(), incarnation, books);
        }
        return mark.isPresent();
    }

    private ErasureReceipt logged(KeyId id, SubjectKeyStore.Mark mark, int incarnation, Books books)
            throws IOException {
        Optional<ErasureReceipt> receipt = keys.erased().standing(id, incarnation);
        return receipt.isPresent()
                ? receipt.get()
                : keys.erased().keep(id, books.log(mark.tenant(), mark.actor(), id.text()));
    }
}
