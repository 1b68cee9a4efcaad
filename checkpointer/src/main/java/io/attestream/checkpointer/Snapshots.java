// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes snapshots (design §9). The publishing thread follows what is published row by row, so that a snapshot at its epoch is made
 * of what is in memory and of blocks already written; a thread of its own ({@link #run}) writes it, reads it back, and removes old
 * ones. Only a snapshot that was read back is logged, in the next epoch.
 *
 * <p>{@link #published}, {@link #takeIfDue}, {@link #ready} and {@link #requireVerified} from the publishing thread.
 */
final class Snapshots implements LoggedObjects {
    private static final Logger LOG = LoggerFactory.getLogger(Snapshots.class);
    private static final long POLL_MILLIS = 500;

    private final Ledger ledger;
    private final int incarnation;
    private final int generation;
    private final ObjectStore store;
    private final StoredSnapshots stored;
    private final Schedule schedule;
    private final Trimmer trimmer;
    /** Is kept for ever, beside those the schedule keeps. */
    private final Optional<StoredSnapshots.Stored> seam;

    private final Clock clock;
    private final Clock steady;
    private final List<ShardWindow> windows = new ArrayList<>();
    private final AtomicBoolean requested = new AtomicBoolean();
    /** Signed and not written yet; at most one is under way. */
    private final LinkedBlockingQueue<Taken> taken = new LinkedBlockingQueue<>(1);

    /** Written, read back, and not logged yet. */
    private final AtomicReference<@Nullable SnapshotName> ready = new AtomicReference<>();

    private final AtomicBoolean underWay = new AtomicBoolean();
    private long dueMillis;
    private volatile long newestEpoch = -1;
    private volatile long newestMillis;
    private volatile String problem = "";
    private volatile boolean stopping;
    /** Then what lies in the topics between this generation's claims is needed by another process. */
    private volatile boolean newerGenerationSeen;

    /**
     * When snapshots are taken and how many are kept.
     *
     * @param intervalMillis 0 for only on demand
     * @param onDemandIntervalMillis from any snapshot to one on demand: who asks again and again must not drive the older ones out
     * @param kept at least 1
     */
    record Schedule(long intervalMillis, long onDemandIntervalMillis, int kept) {}

    /** What is to be done when older records are no longer needed to go on from a snapshot. */
    interface Trimmer {
        Trimmer NONE = oldestKept -> {};

        /** @param oldestKept of which all shards can be resumed; it is logged */
        void trim(List<ShardSnapshot> oldestKept) throws InterruptedException;
    }

    /** A snapshot and the objects that are not in the store yet, in the order in which they are to be written. */
    private record Taken(SnapshotName name, Map<String, byte[]> objects) {}

    /**
     * @param clock the time that is recorded
     * @param steady what is due is told by: it cannot be set
     */
    Snapshots(
            Ledger ledger,
            int incarnation,
            int generation,
            ObjectStore store,
            Schedule schedule,
            Trimmer trimmer,
            Clock clock,
            Clock steady,
            Optional<StoredSnapshots.Stored> seam) {
        this.seam = seam;
        this.ledger = ledger;
        this.incarnation = incarnation;
        this.generation = generation;
        this.store = store;
        this.stored = new StoredSnapshots(store, ledger);
        this.schedule = schedule;
        this.trimmer = trimmer;
        this.clock = clock;
        this.steady = steady;
        this.dueMillis = steady.millis() + schedule.intervalMillis();
        for (int shard = 0; shard < ledger.shards(); shard++) {
            windows.add(new ShardWindow(shard, ledger.key()));
        }
    }

    /** Goes on from a snapshot, before the first epoch behind it. */
    void resume(StoredSnapshots.Stored snapshot) throws IOException, InvalidFormat {
        for (int shard = 0; shard < ledger.shards(); shard++) {
            windows.set(
                    shard,
                    ShardWindow.resumed(shard, ledger.key(), snapshot.shards().get(shard)));
        }
        newestEpoch = snapshot.manifest().epoch();
        newestMillis = steady.millis() - Math.max(0, clock.millis() - time(snapshot.manifest()));
        dueMillis = Math.min(dueMillis, newestMillis + schedule.intervalMillis());
    }

    private static long time(Snapshot manifest) throws InvalidFormat {
        return LogTime.parse(manifest.time(), "time");
    }

    /** A predecessor wrote it and did not come to log it. */
    void log(SnapshotName unlogged) {
        ready.set(unlogged);
    }

    /** Asks for a snapshot at the next published epoch, or of the last one; from any thread. */
    void request() {
        requested.set(true);
    }

    // ---- the publishing thread

    /** Takes the next published epoch, before any head behind it. */
    void published(EpochIntent intent, List<Added> added) {
        for (int shard = 0; shard < windows.size(); shard++) {
            for (Leaf leaf : added.get(shard).leaves()) {
                windows.get(shard).add(leaf).ifPresent(this::write);
            }
        }
        SnapshotName waiting = ready.get();
        if (waiting != null && EpochObjects.leaf(intent).logged().stream().anyMatch(is(waiting)::equals)) {
            ready.compareAndSet(waiting, null);
        }
    }

    private void write(ShardWindow.Block block) {
        try {
            putOrReplace(block.name().name(), block.object());
        } catch (IOException e) {
            throw new FatalDoubtException(
                    "object " + block.name().name() + " could not be written: " + e.getMessage(), e);
        }
    }

    /**
     * Takes a snapshot at the last published epoch if one is due, none is under way, and each shard's head is one from which the
     * processors' claims go on.
     */
    void takeIfDue(EpochIntent last, CompactRange ledgerRange, Backlog backlog, Signer signer) {
        long now = steady.millis();
        boolean scheduled = schedule.intervalMillis() > 0 && now >= dueMillis;
        newerGenerationSeen |= backlog.newestGeneration() > generation;
        if (last.epoch() == newestEpoch) {
            requested.set(false); // there is one
            return;
        }
        boolean wanted = requested.get() && now - newestMillis >= schedule.onDemandIntervalMillis();
        // Claims below an older generation's head may not have been held against the records yet.
        if ((!scheduled && !wanted) || last.generation() != generation || !backlog.canResume()) {
            return;
        }
        if (ready.get() != null || !underWay.compareAndSet(false, true)) {
            return; // one at a time
        }
        requested.set(false);
        dueMillis = now + schedule.intervalMillis();
        taken.add(take(last, ledgerRange, backlog, signer));
    }

    private Taken take(EpochIntent last, CompactRange ledgerRange, Backlog backlog, Signer signer) {
        Map<String, byte[]> objects = new TreeMap<>();
        List<Snapshot.Shard> shards = new ArrayList<>();
        List<ShardSnapshot> states = backlog.resumePoints().stream()
                .map(point -> state(point, objects))
                .toList();
        for (ShardSnapshot state : states) {
            byte[] object = state.encode();
            String name = SnapshotName.ofShard(last.epoch(), state.head().shard(), object);
            objects.put(name, object);
            shards.add(new Snapshot.Shard(state.head(), name));
        }
        SignedNote note = signer.signSnapshot(
                new Snapshot(
                        ledger.origin(),
                        last.epoch(),
                        ledgerRange.hashes(),
                        incarnation,
                        generation,
                        LogTime.format(clock.millis()),
                        shards),
                states);
        byte[] manifest = StoredSnapshots.encode(note);
        SnapshotName name = SnapshotName.of(last.epoch(), manifest);
        objects.put(name.name(), manifest);
        return new Taken(name, objects);
    }

    private ShardSnapshot state(ShardReplica.ResumePoint point, Map<String, byte[]> objects) {
        ShardWindow window = windows.get(point.head().head().shard());
        List<WindowName> blocks = new ArrayList<>(window.fullBlocks());
        window.openBlock().filter(block -> block.name().end() > window.first()).ifPresent(block -> {
            objects.put(block.name().name(), block.object());
            blocks.add(block.name());
        });
        return new ShardSnapshot(
                point.head().head(),
                point.range().hashes(),
                point.head().counts().asMap(),
                window.controls(),
                window.first(),
                blocks,
                point.sealedOffset(),
                point.outcomesOffset(),
                point.leafSizeBytes());
    }

    /** What is to be logged in the next epoch; the same again until it is published. */
    List<EpochLeaf.Logged> ready() {
        SnapshotName name = ready.get();
        return name == null ? List.of() : List.of(is(name));
    }

    private static EpochLeaf.Logged is(SnapshotName name) {
        return new EpochLeaf.Logged(name.name(), name.digest());
    }

    /**
     * What a predecessor was about to log has to be signed. One that is gone or rotten is logged nevertheless: nothing
     * rests on it, and whoever wants to resume from it looks again.
     */
    @Override
    public void requireVerified(List<EpochLeaf.Logged> logged) {
        for (EpochLeaf.Logged object : logged) {
            try {
                SnapshotName name = SnapshotName.parse(object.name());
                if (name.equals(ready.get())) {
                    continue;
                }
                stored.manifest(name);
            } catch (InvalidFormat | IOException e) {
                LOG.warn(
                        "a predecessor was about to log snapshot {}, which is of no use: {}",
                        object.name(),
                        e.getMessage());
            }
        }
    }

    // ---- a thread of its own

    void run() {
        try {
            while (!stopping) {
                finishNext();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Finishes the snapshot that was taken, waiting a moment for one. */
    void finishNext() throws InterruptedException {
        Taken next = taken.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
        if (next != null) {
            finish(next);
        }
    }

    /**
     * Looks at a snapshot once more when all keys of the ledger are known.
     *
     * @throws InvalidFormat if the key that signs behind its epoch did not sign it
     */
    void requireSigned(SnapshotName name, KeyHistory keys) throws IOException, InvalidFormat {
        stored.manifest(name, keys);
    }

    /** Ends {@link #run} after the snapshot under way. */
    void stop() {
        stopping = true;
    }

    /** Writes what was taken, reads it back, and removes old ones. */
    private void finish(Taken snapshot) throws InterruptedException {
        try {
            write(snapshot);
            Snapshot manifest = stored.manifest(snapshot.name());
            repairBlocks(manifest);
            stored.load(snapshot.name(), manifest);
            newestMillis = steady.millis();
            newestEpoch = manifest.epoch();
            ready.set(snapshot.name());
            LOG.info("snapshot {} is written and was read back", snapshot.name().name());
            problem = "";
        } catch (IOException | InvalidFormat e) {
            problem = "snapshot " + snapshot.name().name() + " was not made: " + e.getMessage();
            LOG.error("ALARM: {}; the next is taken when due. attestream fsck tells what is damaged", problem);
            removeFailed(snapshot);
            return;
        } catch (RuntimeException e) {
            problem = "snapshot " + snapshot.name().name() + " was not made: " + e;
            LOG.error("a snapshot failed by a bug; the next is taken when due", e);
            removeFailed(snapshot);
            return;
        } finally {
            underWay.set(false);
        }
        try {
            removeOld();
        } catch (IOException | InvalidFormat | RuntimeException e) {
            problem = "old snapshots were not removed, or topics not trimmed: " + e.getMessage();
            LOG.warn("{}; tried again after the next snapshot", problem, e);
        }
    }

    /** Snapshots share full blocks: one that rots would spoil all that are to come. */
    private void repairBlocks(Snapshot manifest) throws IOException, InvalidFormat {
        for (Snapshot.Shard shard : manifest.shards()) {
            for (WindowName block : stored.state(shard).window()) {
                try {
                    stored.block(block);
                } catch (InvalidFormat e) {
                    boolean isMade = block.isFull() && new WindowRepair(store).repair(block);
                    LOG.error(
                            "ALARM: object {} was damaged or lost{}",
                            block.name(),
                            isMade ? ", and was made again out of packs" : ": packs do not give it either");
                }
            }
        }
    }

    /** Nobody is to take it for one; its blocks may be those of the next. */
    private void removeFailed(Taken snapshot) {
        try {
            store.delete(snapshot.name().name());
            for (String name : snapshot.objects().keySet()) {
                if (name.startsWith(SnapshotName.SHARD_SNAPSHOTS)) {
                    store.delete(name);
                }
            }
        } catch (IOException e) {
            LOG.warn(
                    "what was written of snapshot {} was not removed: {}",
                    snapshot.name().name(),
                    e.getMessage());
        }
    }

    /** The manifest last: what it names is there when it is. */
    private void write(Taken snapshot) throws IOException {
        for (Map.Entry<String, byte[]> object : snapshot.objects().entrySet()) {
            if (!object.getKey().equals(snapshot.name().name())) {
                put(object.getKey(), object.getValue());
            }
        }
        String manifest = snapshot.name().name();
        put(manifest, snapshot.objects().getOrDefault(manifest, new byte[0]));
    }

    /** What is in hand has the digest in the name; what is there instead has rotted, and would spoil every snapshot to come. */
    private void putOrReplace(String name, byte[] object) throws IOException {
        if (store.putIfAbsent(name, object) instanceof ObjectStore.PutResult.DifferentBytes) {
            LOG.warn("object {} was damaged, and is replaced by what it has to be", name);
            store.replace(name, object);
        }
    }

    private void put(String name, byte[] object) throws IOException {
        putOrReplace(name, object);
        if (!store.get(name).filter(back -> Arrays.equals(back, object)).isPresent()) {
            throw new IOException("object " + name + " was written and does not read back");
        }
    }

    /**
     * Removes all but the newest snapshots, and what only older ones need. Blocks of a snapshot another process is taking now lie
     * behind all that are kept, so they are not touched.
     */
    private void removeOld() throws IOException, InvalidFormat, InterruptedException {
        List<SnapshotName> names = stored.names();
        List<SnapshotName> own = own(names);
        if (own.size() < schedule.kept()) {
            return;
        }
        Map<SnapshotName, Snapshot> later = ofLaterGenerations(names);
        Set<String> spared = new HashSet<>();
        later.values().forEach(snapshot -> snapshot.shards().forEach(shard -> spared.add(shard.name())));
        SnapshotName oldestKept = own.get(schedule.kept() - 1);
        Snapshot manifest = stored.manifest(oldestKept);
        for (SnapshotName old : names) {
            if (old.epoch() < oldestKept.epoch() && !isSeam(old) && !later.containsKey(old)) {
                store.delete(old.name());
            }
        }
        for (String name : store.list(SnapshotName.SHARD_SNAPSHOTS)) {
            OptionalLong epoch = epochOfShard(name);
            boolean old = epoch.isPresent() && epoch.getAsLong() < oldestKept.epoch();
            if (old && !isOfSeam(name) && !spared.contains(name)) {
                store.delete(name);
            }
        }
        List<ShardSnapshot> states = new ArrayList<>();
        for (Snapshot.Shard shard : manifest.shards()) {
            states.add(stored.state(shard));
        }
        removeBlocks(states, later.values());
        if (!later.isEmpty()) {
            throw new IOException("snapshot " + later.keySet().iterator().next().name()
                    + " is of a later generation, which begins with it, so that it, its blocks and topics stay: start the"
                    + " processes of that generation, or remove the object if the generation was given up");
        }
        // With one kept, the oldest is the newest, which is not logged yet.
        if (schedule.kept() > 1 && !newerGenerationSeen) {
            trimmer.trim(states);
        }
    }

    /** One that was made for it may be all it can begin with. */
    private Map<SnapshotName, Snapshot> ofLaterGenerations(List<SnapshotName> names) throws IOException {
        Map<SnapshotName, Snapshot> later = new LinkedHashMap<>();
        for (SnapshotName name : names) {
            try {
                Snapshot manifest = stored.manifest(name);
                if (manifest.generation() > generation) {
                    later.put(name, manifest);
                }
            } catch (InvalidFormat e) {
                LOG.debug("snapshot {} is of no use", name.name(), e); // is named where it is counted
            }
        }
        return later;
    }

    private boolean isSeam(SnapshotName name) {
        return seam.filter(snapshot -> snapshot.name().equals(name)).isPresent();
    }

    private boolean isOfSeam(String shardSnapshot) {
        return seam.stream()
                .flatMap(snapshot -> snapshot.manifest().shards().stream())
                .anyMatch(shard -> shard.name().equals(shardSnapshot));
    }

    /** Those one could go on from: what else lies there takes the place of none. */
    private List<SnapshotName> own(List<SnapshotName> names) throws IOException {
        List<SnapshotName> own = new ArrayList<>();
        for (SnapshotName name : names) {
            if (isSeam(name)) {
                continue;
            }
            try {
                Snapshot manifest = stored.manifest(name);
                if (manifest.incarnation() == incarnation && manifest.generation() == generation) {
                    own.add(name);
                }
            } catch (InvalidFormat e) {
                LOG.warn("snapshot {} is of no use: {}", name.name(), e.getMessage());
            }
        }
        return own;
    }

    private void removeBlocks(List<ShardSnapshot> oldestKept, Collection<Snapshot> later)
            throws IOException, InvalidFormat {
        Set<String> needed = new HashSet<>();
        for (Snapshot snapshot : later) {
            for (Snapshot.Shard shard : snapshot.shards()) {
                stored.state(shard).window().forEach(block -> needed.add(block.name()));
            }
        }
        oldestKept.forEach(state -> state.window().forEach(block -> needed.add(block.name())));
        seam.ifPresent(snapshot ->
                snapshot.shards().forEach(shard -> shard.state().window().forEach(block -> needed.add(block.name()))));
        for (String name : store.list(WindowName.WINDOWS)) {
            Optional<WindowName> parsed = windowName(name);
            if (parsed.isEmpty()) {
                continue;
            }
            WindowName block = parsed.get();
            boolean known = block.shard() < oldestKept.size();
            if (known && !needed.contains(name) && isBehind(block, oldestKept.get(block.shard()))) {
                store.delete(name);
            }
        }
    }

    /** Empty for what somebody else put there. */
    private static Optional<WindowName> windowName(String name) {
        try {
            return Optional.of(WindowName.parse(name));
        } catch (InvalidFormat e) {
            LOG.warn("object {} lies among the window blocks and is none", name);
            return Optional.empty();
        }
    }

    private static OptionalLong epochOfShard(String name) {
        try {
            return OptionalLong.of(SnapshotName.epochOfShard(name));
        } catch (InvalidFormat e) {
            LOG.warn("object {} lies among the shards' snapshots and is none", name);
            return OptionalLong.empty();
        }
    }

    /** No kept snapshot, and none to come, can name the block. */
    private static boolean isBehind(WindowName block, ShardSnapshot oldestKept) {
        return block.end() <= oldestKept.windowFirst()
                || (!block.isFull() && block.end() < oldestKept.head().size().value());
    }

    // ---- what is told outside

    /** The epoch of the newest snapshot; -1 if there is none. */
    long newestEpoch() {
        return newestEpoch;
    }

    /** When the newest snapshot was made, on the steady clock; 0 if there is none. */
    long newestMillis() {
        return newestMillis;
    }

    /** Why the last snapshot was not made; empty if it was. */
    String problem() {
        return problem;
    }
}
