// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.ZstdBlocks;
import io.attestream.objects.keys.ErasedKeys;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackBuilder;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges segments into packs and removes the segments (design §9). A pack is made of segments read back from the store, and only
 * if they give the root of every published head they cover; it is read back itself before the publishing thread logs it; and a
 * segment goes only after all its records are in logged packs, and a grace for readers.
 *
 * <p>{@link #run} on a thread of its own, never in the way of publishing: what does not work is said and tried again.
 * {@link #ready} and {@link #requireVerified} from the publishing thread.
 */
final class Packer implements LoggedObjects {
    private static final Logger LOG = LoggerFactory.getLogger(Packer.class);
    private static final long ROUND_MILLIS = 500;
    private static final long RETRY_MILLIS = 30_000;
    /** Segments of one round that could not be removed, after which it ends. */
    private static final int FAILURES_MAX = 10;

    /** Key of what keeps segments from being removed among the problems of shards. */
    private static final int REMOVAL = -1;
    /** Key of what keeps payload packs from being rewritten. */
    private static final int SWEEP = -2;
    /** Key of what keeps keys from being marked again. */
    private static final int MARKS = -3;

    private static final long REMOVAL_INTERVAL_MILLIS_MAX = 60_000;
    private static final long SWEEP_INTERVAL_MILLIS_MAX = 10_000;
    /** Segments in memory; those of one epoch are read for one shard after the other. */
    private static final long CACHE_SIZE_BYTES_MAX = 64L << 20;

    private final ObjectStore store;
    private final EpochArchive archive;
    private final Unpacked unpacked;
    private final Unpacked.Limits limits;
    private final int shards;
    private final Clock clock;
    private final Optional<ErasedKeys> keys;
    private final Optional<PayloadSweep> sweep;
    private final Set<String> destroyed = new HashSet<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final ZstdBlocks codec = new ZstdBlocks();

    /** Written, read back, and not published yet: at most one a shard. Guarded by itself. */
    private final Map<Integer, PackName> ready = new HashMap<>();

    /** When a shard whose pack failed is tried again. */
    private final Map<Integer, Long> retryMillis = new HashMap<>();

    private final Map<Integer, String> problems = new ConcurrentHashMap<>();
    private long removalDueMillis;
    private long sweepDueMillis;
    /** When the publishing thread last read a segment here, to make a predecessor's pack again. */
    private volatile long lastReadMillis;

    /**
     * A pack and its payloads before they have a place in the archive.
     *
     * @param keyIds under which some are encrypted
     */
    private record Content(Pack.Built pack, byte[] payloads, Set<String> keyIds) {
        Content {
            keyIds = Set.copyOf(keyIds);
        }
    }

    /** @param nextOffset input position at which the shard has this range */
    private record Start(CompactRange range, long nextOffset) {}

    Packer(
            ObjectStore store,
            EpochArchive archive,
            Unpacked unpacked,
            Unpacked.Limits limits,
            int shards,
            Clock clock) {
        this(store, archive, unpacked, limits, shards, Optional.empty(), clock);
    }

    /** @param keys of payloads; with them, what is encrypted under destroyed ones is taken out of payload packs */
    Packer(
            ObjectStore store,
            EpochArchive archive,
            Unpacked unpacked,
            Unpacked.Limits limits,
            int shards,
            Optional<ErasedKeys> keys,
            Clock clock) {
        this.keys = keys;
        this.sweep = keys.map(those -> new PayloadSweep(those, store, unpacked, shards, clock));
        this.store = store;
        this.archive = archive;
        this.unpacked = unpacked;
        this.limits = limits;
        this.shards = shards;
        this.clock = clock;
        // Whoever reads may not know of the packs a predecessor logged either.
        this.removalDueMillis = clock.millis() + unpacked.graceMillis();
    }

    /** @param mayBegin the first round waits for it: before the replay is done, what is unpacked is not known */
    void run(BooleanSupplier mayBegin) {
        try {
            while (!stop.await(ROUND_MILLIS, TimeUnit.MILLISECONDS)) {
                if (mayBegin.getAsBoolean()) {
                    round();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends {@link #run} after the pack under way. */
    void stop() {
        stop.countDown();
    }

    /** Why a pack was not made, or what is packed not removed; empty if nothing stands in the way. */
    String problem() {
        return problems.values().stream().findFirst().orElse("");
    }

    /** When the publishing thread last made progress in {@link #requireVerified}. */
    long lastReadMillis() {
        return lastReadMillis;
    }

    /** One look at every shard, and at segments that may go. */
    void round() {
        SegmentCache cache = new SegmentCache(() -> {});
        for (int shard = 0; shard < shards && stop.getCount() > 0; shard++) {
            int of = shard;
            long now = clock.millis();
            if (retryMillis.getOrDefault(shard, now) <= now) {
                attempt(shard, () -> packIfDue(of, cache));
            }
        }
        if (clock.millis() >= removalDueMillis && stop.getCount() > 0) {
            removalDueMillis = clock.millis() + Math.min(unpacked.graceMillis(), REMOVAL_INTERVAL_MILLIS_MAX);
            attempt(REMOVAL, this::removePacked);
        }
        if (sweep.isPresent() && retryMillis.getOrDefault(MARKS, clock.millis()) <= clock.millis()) {
            attempt(MARKS, sweep.get()::markAgain);
        }
        if (sweep.isPresent() && stop.getCount() > 0 && clock.millis() >= sweepDueMillis) {
            attempt(SWEEP, () -> {
                sweepDueMillis = clock.millis() + Math.min(unpacked.graceMillis(), SWEEP_INTERVAL_MILLIS_MAX);
                if (!sweep.get().round()) {
                    sweepDueMillis = clock.millis();
                }
            });
        }
    }

    private interface Attempt {
        void run() throws IOException, InvalidFormat;
    }

    /** Nothing that goes wrong ends this thread: packing can wait, and what is wrong may be mended meanwhile. */
    private void attempt(int what, Attempt attempt) {
        try {
            attempt.run();
            problems.remove(what);
            retryMillis.remove(what);
        } catch (IOException | InvalidFormat | RuntimeException | LinkageError e) {
            String text = String.valueOf(e.getMessage());
            if (!text.equals(problems.put(what, text))) {
                LOG.error("ALARM: {}: {}. It is tried again; attestream fsck tells what is damaged", said(what), text);
                LOG.debug("packing", e);
            }
            retryMillis.put(what, clock.millis() + RETRY_MILLIS);
        }
    }

    private static String said(int what) {
        return switch (what) {
            case REMOVAL -> "what is packed was not removed";
            case SWEEP -> "what was erased was not taken out of payload packs";
            case MARKS -> "of what is packed it was not asked whether it is erased";
            default -> "no pack was made of shard " + what;
        };
    }

    private void packIfDue(int shard, SegmentCache cache) throws IOException, InvalidFormat {
        synchronized (ready) {
            PackName made = ready.get(shard);
            if (made != null && unpacked.packedTo(shard) < made.end()) {
                return; // not logged yet
            }
            ready.remove(shard);
        }
        OptionalLong end = unpacked.closesAt(shard, limits, clock.millis());
        if (end.isEmpty()) {
            return;
        }
        Content content = build(shard, end.getAsLong(), limits.sizeBytesMax(), cache);
        PackName name = content.pack().name();
        if (sweep.isPresent()) {
            sweep.get().expect(name, content.keyIds());
            attempt(MARKS, sweep.get()::markAgain);
        }
        write(content, cache);
        LOG.info("packed leaves {} to {} of shard {} into {}", name.first(), name.end() - 1, shard, name.name());
        synchronized (ready) {
            ready.put(shard, name);
        }
    }

    /** Returns when both objects are in the store, read back. */
    private void write(Content content, SegmentCache cache) throws IOException, InvalidFormat {
        PackName name = content.pack().name();
        if (store.putIfAbsent(name.payloads(), content.payloads()) instanceof ObjectStore.PutResult.DifferentBytes
                && PackedPayloads.hold(store, name, payloadsOf(name.shard(), cache))) {
            LOG.info("{} was there with the same payloads, compressed otherwise", name.payloads());
        } else {
            requireBytes(name.payloads(), content.payloads());
        }
        store.putIfAbsent(name.name(), content.pack().object());
        requireBytes(name.name(), content.pack().object());
    }

    private PackedPayloads.Expected payloadsOf(int shard, SegmentCache cache) {
        List<Unpacked.Growth> growths = unpacked.growths(shard);
        return index -> {
            for (Unpacked.Growth growth : growths) {
                if (index < growth.to()) {
                    return cache.payloads(cache.epoch(growth.epoch()).payloads())
                            .payload(shard, index);
                }
            }
            throw new IllegalArgumentException("leaf " + index + " of shard " + shard + " is not published");
        };
    }

    private void requireBytes(String name, byte[] object) throws IOException {
        if (!store.get(name).filter(back -> Arrays.equals(back, object)).isPresent()) {
            throw new IOException(
                    "object " + name + " was written and does not read back. If it was there before: no epoch"
                            + " logs it, so look who wrote it, and move it out of the way");
        }
    }

    // ---- the publishing thread

    /** Packs to be logged in the next epoch, in the order of their shards; the same again until they are published. */
    List<EpochLeaf.Logged> ready(int max) {
        List<EpochLeaf.Logged> logged = new ArrayList<>();
        synchronized (ready) {
            for (int shard = 0; shard < shards && logged.size() < max; shard++) {
                PackName name = ready.get(shard);
                if (name != null && unpacked.packedTo(shard) == name.first()) {
                    logged.add(new EpochLeaf.Logged(name.name(), name.digest()));
                }
            }
        }
        return logged;
    }

    /** What a predecessor packed is made again from the segments, which are still there, and has to come out the same. */
    @Override
    public void requireVerified(List<EpochLeaf.Logged> logged) {
        SegmentCache cache = new SegmentCache(() -> lastReadMillis = clock.millis());
        for (EpochLeaf.Logged object : logged) {
            try {
                requireVerified(PackName.parse(object.name()), cache);
            } catch (InvalidFormat | IOException e) {
                throw new FatalDoubtException("object " + object.name() + " is to be logged: " + e.getMessage(), e);
            }
        }
    }

    private void requireVerified(PackName name, SegmentCache cache) throws IOException, InvalidFormat {
        synchronized (ready) {
            if (name.equals(ready.get(name.shard()))) {
                return;
            }
        }
        LOG.info("making {} again, which a predecessor was about to log", name.name());
        Content content = build(name.shard(), name.end(), Long.MAX_VALUE, cache);
        sweep.ifPresent(those -> those.owe(content.keyIds()));
        if (!content.pack().name().equals(name)) {
            throw new FatalDoubtException("object " + name.name() + " is to be logged, the segments give "
                    + content.pack().name().name());
        }
        write(content, cache);
    }

    // ---- making a pack

    /** From the shard's last logged pack to the end given, or to the first multiple of 256 at which it is large enough. */
    private Content build(int shard, long end, long sizeBytesMax, SegmentCache cache)
            throws IOException, InvalidFormat {
        Start start = start(shard);
        CompactRange frontier = start.range();
        PackBuilder pack = Pack.builder(shard, frontier);
        PayloadPack.Builder payloads = PayloadPack.builder(codec);
        Set<String> keyIds = new HashSet<>();
        long next = frontier.size().value();
        long sizeBytes = 0;
        for (Unpacked.Growth growth : unpacked.growths(shard)) {
            EpochObject epoch = cache.epoch(growth.epoch());
            Segment segment = cache.segment(epoch.segment());
            PayloadObject stored = cache.payloads(epoch.payloads());
            Deque<OutcomeRecord> outcomes = outcomes(segment, shard, start.nextOffset());
            if (growth.to() > next) {
                pack.boundary(growth.epoch().number(), growth.to());
            }
            boolean closed = false;
            while (!closed && next < growth.to()) {
                LeafRecord leaf = segment.leaf(shard, next);
                Payload payload = stored.payload(shard, next);
                addBelow(leaf.offset(), outcomes, pack);
                pack.add(leaf);
                payloads.add(payload);
                if (payload instanceof Payload.Encrypted encrypted) {
                    keyIds.add(encrypted.keyId());
                }
                sizeBytes += leaf.entry().length + Payload.sizeBytes(payload);
                next++;
                closed = next == end || (next % TilePath.FULL_WIDTH == 0 && sizeBytes >= sizeBytesMax);
            }
            requireRoot(epoch, shard, extended(pack.range(), segment, shard, growth.to()));
            if (closed) {
                Pack.Built built = pack.build();
                return new Content(built, payloads.build(built.name()), keyIds);
            }
            addBelow(Long.MAX_VALUE, outcomes, pack);
        }
        throw new FatalDoubtException("shard " + shard + " was published up to leaf " + (next - 1)
                + ", a pack is to end at leaf " + (end - 1));
    }

    private static Deque<OutcomeRecord> outcomes(Segment segment, int shard, long fromOffset) throws InvalidFormat {
        Deque<OutcomeRecord> outcomes = new ArrayDeque<>(segment.outcomes(shard));
        outcomes.removeIf(outcome -> outcome.offset() < fromOffset);
        return outcomes;
    }

    private static void addBelow(long offset, Deque<OutcomeRecord> outcomes, PackBuilder pack) {
        while (!outcomes.isEmpty() && outcomes.element().offset() < offset) {
            pack.add(outcomes.remove());
        }
    }

    /** The leaves behind the pack belong to a head that proves those in it. */
    private static CompactRange extended(CompactRange range, Segment segment, int shard, long end)
            throws InvalidFormat {
        for (long index = range.size().value(); index < end; index++) {
            range.append(Rfc6962.leafHash(segment.leaf(shard, index).entry()));
        }
        return range;
    }

    /** Where the last logged pack ends. */
    private Start start(int shard) throws IOException, InvalidFormat {
        Optional<PackName> newest = unpacked.newestPack(shard);
        if (newest.isEmpty()) {
            return new Start(CompactRange.empty(), 0);
        }
        Pack pack = open(newest.get());
        return new Start(pack.rangeAtEnd(), pack.nextOffset());
    }

    private static void requireRoot(EpochObject epoch, int shard, CompactRange range) {
        ShardHead head = epoch.heads().get(shard);
        if (!range.size().equals(head.size()) || !range.root().equals(head.root())) {
            throw new FatalDoubtException("object " + epoch.segment() + " gives root "
                    + range.root().base64() + " at size " + range.size() + ", published was root "
                    + head.root().base64() + " at size " + head.size());
        }
    }

    /** The objects of epochs that are packed in this round, those longest unused dropped first. */
    private final class SegmentCache {
        private final Map<String, Object> objects = new LinkedHashMap<>(16, 0.75f, true);
        private final Runnable read;
        private long sizeBytes;

        /** @param read is told of each epoch that is read */
        SegmentCache(Runnable read) {
            this.read = read;
        }

        /** What was published of an epoch: as its object has it, if that is of the leaf this process verified. */
        EpochObject epoch(Unpacked.Epoch epoch) throws IOException, InvalidFormat {
            read.run();
            String name = ObjectNames.epoch(epoch.number());
            EpochObject object = EpochObject.parse(
                    store.get(name).orElseThrow(() -> new IOException("object " + name + " is missing")));
            EpochLeaf leaf = EpochLeaf.parse(object.epochLeaf());
            if (!Rfc6962.leafHash(object.epochLeaf()).equals(epoch.leafHash())
                    || object.heads().size() != shards
                    || !ShardHead.vectorRoot(object.heads()).equals(leaf.vectorRoot())) {
                throw new InvalidFormat(name, "has not what was published of its epoch");
            }
            return object;
        }

        Segment segment(String name) {
            return (Segment) get(name, archive::readSegment, Segment::sizeBytes);
        }

        PayloadObject payloads(String name) {
            return (PayloadObject) get(name, archive::readPayloads, PayloadObject::sizeBytes);
        }

        private <T> Object get(String name, Function<String, T> read, ToIntFunction<T> size) {
            Object cached = objects.get(name);
            if (cached != null) {
                return cached;
            }
            T object = read.apply(name);
            sizeBytes += size.applyAsInt(object);
            Iterator<Object> oldest = objects.values().iterator();
            while (sizeBytes > CACHE_SIZE_BYTES_MAX && oldest.hasNext()) {
                Object dropped = oldest.next();
                sizeBytes -= dropped instanceof Segment segment
                        ? segment.sizeBytes()
                        : ((PayloadObject) dropped).sizeBytes();
                oldest.remove();
            }
            objects.put(name, object);
            return object;
        }
    }

    // ---- removing what is packed

    /** A segment goes if every pack that has leaves of it is whole in this moment: nobody else looked since it was logged. */
    private void removePacked() throws IOException, InvalidFormat {
        long now = clock.millis();
        Map<Long, List<String>> payloads = new HashMap<>();
        for (String name : store.list(ObjectNames.PAYLOADS)) {
            ObjectNames.epochOf(name)
                    .ifPresent(epoch -> payloads.computeIfAbsent(epoch, e -> new ArrayList<>())
                            .add(name));
        }
        destroyed.clear();
        Map<PackName, Optional<String>> looked = new HashMap<>();
        List<String> kept = new ArrayList<>();
        for (String name : store.list(ObjectNames.SEGMENTS)) {
            OptionalLong epoch = ObjectNames.epochOf(name);
            if (epoch.isPresent() && unpacked.isPacked(epoch.getAsLong(), now) && stop.getCount() > 0) {
                try {
                    Segment segment = archive.readSegment(name);
                    requireInWholePacks(segment, looked);
                    requireSameOutcomes(segment);
                    for (String payload : payloads.getOrDefault(epoch.getAsLong(), List.of())) {
                        requireSamePayloads(archive.readPayloads(payload));
                        store.delete(payload);
                    }
                    store.delete(name); // last: while it is there, its payloads are looked for
                } catch (IOException | InvalidFormat | FatalDoubtException | Unpacked.NotPackedException e) {
                    kept.add(String.valueOf(e.getMessage()));
                }
            }
            if (kept.size() == FAILURES_MAX) {
                break; // the store does not answer, or all is damaged
            }
        }
        if (!kept.isEmpty()) {
            throw new IOException(kept.get(0));
        }
    }

    /** @param looked the packs that were looked at in this round, and what was wrong with them */
    private void requireInWholePacks(Segment segment, Map<PackName, Optional<String>> looked)
            throws IOException, InvalidFormat {
        for (int shard : segment.shards()) {
            long first = segment.firstIndex(shard);
            for (PackName name : unpacked.packsOf(shard, first, first + segment.count(shard) + 1)) {
                Optional<String> wrong = looked.computeIfAbsent(name, this::look);
                if (wrong.isPresent()) {
                    throw new IOException(wrong.get());
                }
            }
        }
    }

    /** No root says what became of the records that are no leaves. */
    private void requireSameOutcomes(Segment segment) throws IOException, InvalidFormat {
        for (int shard : segment.shards()) {
            List<OutcomeRecord> stored = segment.outcomes(shard);
            if (!stored.isEmpty()) {
                long first = segment.firstIndex(shard);
                long toOffset = stored.get(stored.size() - 1).offset() + 1;
                List<OutcomeRecord> packed = new ArrayList<>();
                for (PackName name : unpacked.packsOf(shard, first, first + segment.count(shard) + 1)) {
                    packed.addAll(open(name).outcomes(stored.get(0).offset(), toOffset));
                }
                if (!packed.equals(stored)) {
                    throw new IOException("epoch " + segment.epoch() + ": the packs of shard " + shard
                            + " have other outcomes of its records than were stored");
                }
            }
        }
    }

    /** No digest of a payload pack is logged: one that is whole may be another. */
    private void requireSamePayloads(PayloadObject stored) throws IOException, InvalidFormat {
        for (int shard : stored.shards()) {
            long first = stored.firstIndex(shard);
            long end = first + stored.count(shard);
            for (PackName name : unpacked.packsOf(shard, first, end)) {
                PayloadPack pack = openPayloads(name);
                PayloadPack.Rows rows = pack.block(Math.max(first, name.first()));
                for (long index = Math.max(first, name.first()); index < Math.min(end, name.end()); index++) {
                    rows = rows.has(index) ? rows : pack.block(index);
                    if (!isSameOrErased(rows.payload(index), stored.payload(shard, index))) {
                        throw new IOException("object " + name.payloads() + " has another payload of leaf " + index
                                + " than was stored");
                    }
                }
            }
        }
    }

    private boolean isSameOrErased(Payload packed, Payload stored) throws IOException {
        return Payload.isSame(packed, stored)
                || (packed instanceof Payload.Erased erased && erased.isLeftOf(stored) && isDestroyed(erased.keyId()));
    }

    /** Asked once a key in one round of removal. */
    private boolean isDestroyed(String keyId) throws IOException {
        if (keys.isPresent() && !destroyed.contains(keyId) && keys.get().isDestroyed(keyId)) {
            destroyed.add(keyId);
        }
        return destroyed.contains(keyId);
    }

    private Optional<String> look(PackName name) {
        try {
            open(name).requireWhole();
            openPayloads(name).requireWhole();
            return Optional.empty();
        } catch (IOException | InvalidFormat e) {
            return Optional.of("object " + e.getMessage());
        }
    }

    private PayloadPack openPayloads(PackName name) throws IOException, InvalidFormat {
        return PayloadPack.open(store, name, codec)
                .orElseThrow(() -> new IOException("object " + name.payloads() + " is missing"));
    }

    private Pack open(PackName name) throws IOException, InvalidFormat {
        return Pack.open(store, name).orElseThrow(() -> new IOException("object " + name.name() + " is missing"));
    }
}
