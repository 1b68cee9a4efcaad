// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.ZstdBlocks;
import io.attestream.objects.keys.ErasedKeys;
import io.attestream.objects.keys.ErasureReceipt;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.ledger.LedgerOffset;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Takes what is encrypted under destroyed keys out of payload packs. Proof packs are not touched. Begins with a key when it has
 * been published for a grace that it was destroyed, so that whoever finds a payload erased also finds the leaf that says so, in a
 * copy of the archive too that lags by less; is done with it when all leaves that were published then are in packs that were
 * looked at. Knows nothing across a start, and begins again.
 *
 * <p>Goes through all packs with some keys at a time; those then wait, for the leaves that are in no pack yet, in nobody's way. A
 * pack that cannot be read holds up neither the others nor other keys; none is done before it can.
 *
 * <p>On the thread that packs; not thread-safe but for {@link #owe}.
 */
final class PayloadSweep {
    /** Keys that are looked for at a time. */
    private static final int KEYS_MAX = 1_000;
    /** Keys that wait for packs; beyond, no others are begun. */
    private static final int WAITING_MAX = 100_000;
    /** Keys that wait for the store of the keys; beyond, no packs are made. */
    private static final int OWED_MAX = 1_000_000;
    /** In one round, between which packs are made. */
    private static final int PACKS_MAX = 4;

    private final ErasedKeys keys;
    private final ObjectStore store;
    private final Unpacked unpacked;
    private final int shards;
    private final int keysMax;
    private final Clock clock;
    private final ZstdBlocks codec = new ZstdBlocks();

    /** Since when it is known of a key that it is published that it was destroyed. */
    private final Map<String, Long> publishedMillis = new HashMap<>();

    /** The key up to which was looked for those; from the first one on again if it is empty. */
    private String learnedTo = "";

    /** What was wrong with a key when those were looked for. */
    private Optional<String> damaged = Optional.empty();

    /** Keys of payloads that were packed, and of which it is still to be asked whether they were swept before. */
    private final Set<String> owed = ConcurrentHashMap.newKeySet();

    private Group active;
    private Group waiting;
    private boolean waitedLast;

    /** Packs that could not be rewritten, and why. */
    private final Map<PackName, String> failed = new LinkedHashMap<>();

    /** Packs the active keys are still to be looked for in beside those behind where they are, because they failed before. */
    private final Deque<PackName> again = new ArrayDeque<>();

    /**
     * Keys that were looked for in the same packs.
     *
     * @param ends for each key, size of each shard when it was begun
     * @param to of each shard, the end of the last pack that was looked at
     */
    private record Group(Map<String, long[]> ends, long[] to) {
        boolean isDone(String key) {
            long[] end = ends.getOrDefault(key, new long[0]);
            for (int shard = 0; shard < end.length; shard++) {
                if (to[shard] < end[shard]) {
                    return false;
                }
            }
            return true;
        }
    }

    PayloadSweep(ErasedKeys keys, ObjectStore store, Unpacked unpacked, int shards, Clock clock) {
        this(keys, store, unpacked, shards, clock, KEYS_MAX);
    }

    PayloadSweep(ErasedKeys keys, ObjectStore store, Unpacked unpacked, int shards, Clock clock, int keysMax) {
        this.clock = clock;
        this.keys = keys;
        this.store = store;
        this.unpacked = unpacked;
        this.shards = shards;
        this.keysMax = keysMax;
        this.active = none();
        this.waiting = none();
    }

    private Group none() {
        return new Group(new HashMap<>(), new long[shards]);
    }

    /**
     * Looks for destroyed keys, and at some packs.
     *
     * @return whether there is no more to do just now
     * @throws IOException also if a pack could not be rewritten, or what a key has cannot be read, after all others were
     */
    boolean round() throws IOException {
        markAgain();
        Set<String> pending = new LinkedHashSet<>(keys.pending());
        active.ends().keySet().retainAll(pending);
        waiting.ends().keySet().retainAll(pending);
        if (active.ends().isEmpty()) {
            begin(pending);
        }
        if (!lookAtPacks()) {
            return false;
        }
        settle();
        if (!failed.isEmpty()) {
            throw new IOException(failed.values().iterator().next());
        }
        if (damaged.isPresent()) {
            throw new IOException(damaged.get());
        }
        return true;
    }

    /** Packs have something under these keys. May be called from another thread. */
    void owe(Set<String> keyIds) {
        owed.addAll(keyIds);
    }

    /**
     * Puts the mark back of keys that were published late: whoever swept what was published before may be done with them. As long
     * as the store of the keys does not answer, it is owed, and no key is done.
     */
    void markAgain() throws IOException {
        Set<String> asked = Set.copyOf(owed);
        keys.againPending(asked);
        owed.removeAll(asked);
    }

    /**
     * A pack is made, which no epoch logs yet, and has something under these keys.
     *
     * @throws IOException if of too many it is still to be asked whether they were swept before
     */
    void expect(PackName name, Set<String> keyIds) throws IOException {
        if (owed.size() > OWED_MAX) {
            throw new IOException("the payload keys were not asked about " + owed.size() + " keys of what is packed");
        }
        owe(keyIds);
        for (Group group : List.of(active, waiting)) {
            group.ends().replaceAll((key, ends) -> keyIds.contains(key) ? atLeast(ends, name) : ends);
        }
    }

    private static long[] atLeast(long[] ends, PackName name) {
        long[] more = ends.clone();
        more[name.shard()] = Math.max(more[name.shard()], name.end());
        return more;
    }

    /** Those that wait come first, for there is little to look at for them; but not twice before one that is due. */
    private void begin(Set<String> pending) {
        learnPublished(pending);
        boolean retry = !failed.isEmpty() && !waitedLast;
        boolean due = pending.stream().anyMatch(key -> !waiting.ends().containsKey(key) && isDue(key));
        boolean inTurn = !waitedLast || !due;
        if (!waiting.ends().isEmpty() && inTurn && (retry || hasNewPacks(waiting))) {
            active = waiting;
            waiting = none();
            again.addAll(failed.keySet());
            failed.clear();
            waitedLast = true;
            return;
        }
        waitedLast = false;
        active = none();
        long[] ends = new long[shards];
        Arrays.setAll(ends, unpacked::size);
        for (String key : pending) {
            if (active.ends().size() < keysMax
                    && waiting.ends().size() + active.ends().size() < WAITING_MAX
                    && !waiting.ends().containsKey(key)
                    && isDue(key)) {
                active.ends().put(key, ends);
            }
        }
    }

    /** Of no more keys in a round than are looked for at a time. What is wrong with one is in no other's way. */
    private void learnPublished(Set<String> pending) {
        publishedMillis.keySet().retainAll(pending);
        List<String> unknown = pending.stream()
                .filter(key -> !publishedMillis.containsKey(key) && key.compareTo(learnedTo) > 0)
                .sorted()
                .limit(keysMax)
                .toList();
        if (learnedTo.isEmpty()) {
            damaged = Optional.empty();
        }
        learnedTo = unknown.size() < keysMax ? "" : unknown.get(unknown.size() - 1);
        for (String key : unknown) {
            try {
                if (isLogged(key)) {
                    publishedMillis.put(key, clock.millis());
                }
            } catch (IOException e) {
                damaged = damaged.or(() -> Optional.of(String.valueOf(e.getMessage())));
            }
        }
    }

    private boolean isDue(String key) {
        Long since = publishedMillis.get(key);
        return since != null && since <= clock.millis() - unpacked.graceMillis();
    }

    private boolean hasNewPacks(Group group) {
        for (int shard = 0; shard < shards; shard++) {
            if (unpacked.packedTo(shard) > group.to()[shard]) {
                return true;
            }
        }
        return false;
    }

    /** Returns false if there is more to look at than belongs into one round. */
    private boolean lookAtPacks() {
        if (active.ends().isEmpty()) {
            return true;
        }
        int looked = 0;
        while (!again.isEmpty()) {
            if (looked++ == PACKS_MAX) {
                return false;
            }
            lookAt(again.remove());
        }
        for (int shard = 0; shard < shards; shard++) {
            for (PackName name : unpacked.packs(shard)) {
                if (active.to()[shard] > name.first()) {
                    continue;
                }
                if (looked++ == PACKS_MAX) {
                    return false;
                }
                lookAt(name);
                active.to()[shard] = name.end();
            }
        }
        return true;
    }

    private void lookAt(PackName name) {
        try {
            rewrite(name, active.ends().keySet());
        } catch (IOException | InvalidFormat e) {
            failed.put(name, String.valueOf(e.getMessage()));
        }
    }

    /** All packs were looked at: the keys wait for those that are still to be made, if they have to. */
    private void settle() throws IOException {
        for (int shard = 0;
                shard < shards && !waiting.ends().isEmpty() && !active.ends().isEmpty();
                shard++) {
            active.to()[shard] = Math.min(active.to()[shard], waiting.to()[shard]);
        }
        if (!active.ends().isEmpty()) {
            active.ends().putAll(waiting.ends());
            waiting = active;
            active = none();
        }
        if (failed.isEmpty()) {
            for (String key : List.copyOf(waiting.ends().keySet())) {
                if (waiting.isDone(key)) {
                    keys.done(key);
                    waiting.ends().remove(key);
                }
            }
        }
    }

    private boolean isLogged(String key) throws IOException {
        Optional<ErasureReceipt> receipt = keys.receipt(key);
        return receipt.isPresent()
                && keys.isDestroyed(key)
                && unpacked.isPublished(
                        receipt.get().shard(),
                        LedgerOffset.of(
                                receipt.get().incarnation(), receipt.get().offset()));
    }

    private PayloadPack open(PackName name) throws IOException, InvalidFormat {
        return PayloadPack.open(store, name, codec)
                .orElseThrow(() -> new IOException("object " + name.payloads() + " is missing"));
    }

    /**
     * Replaces the payload pack if it has anything under one of the keys. Not if it is another one by then: a process that stood
     * still must not put back what its successor took out.
     */
    private void rewrite(PackName name, Set<String> destroyed) throws IOException, InvalidFormat {
        PayloadPack pack = open(name);
        PayloadPack.Builder builder = PayloadPack.builder(codec);
        boolean found = false;
        for (long index = name.first(); index < name.end(); ) {
            PayloadPack.Rows rows = pack.block(index);
            for (; rows.has(index); index++) {
                Payload payload = rows.payload(index);
                if (payload instanceof Payload.Encrypted sealed && destroyed.contains(sealed.keyId())) {
                    payload = new Payload.Erased(sealed.contentTag(), sealed.keyId());
                    found = true;
                }
                builder.add(payload);
            }
        }
        if (found) {
            byte[] object = builder.build(name);
            if (!open(name).isSame(pack)) {
                throw new IOException("object " + name.payloads() + " was rewritten by somebody else meanwhile");
            }
            store.replace(name.payloads(), object);
            if (!store.get(name.payloads())
                    .filter(back -> Arrays.equals(back, object))
                    .isPresent()) {
                throw new IOException("object " + name.payloads() + " was rewritten and does not read back");
            }
        }
    }
}
