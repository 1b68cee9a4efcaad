// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.attestream.gateway.config.GatewayConfig;
import io.attestream.objects.ObjectStores;
import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tile.TilePath;
import io.quarkus.runtime.Startup;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * Entries and payloads out of the object store: whole segments, and blocks of packs. What is loaded is held against the digest
 * in its name or its pack's header, so an object that was changed on disk is never served.
 */
@Startup // a location that cannot be used is found before the first read
@ApplicationScoped
public class Archive {
    /** An object that is missing, or not what its name says. */
    public static final class Broken extends Exception {
        Broken(String message) {
            super(message, null, false, false);
        }
    }

    /** Loads of objects at once; more would hold up every worker of the gateway when the store is slow. */
    private static final int LOADING_MAX = 8;

    /** Packs whose headers are in memory, some hundred KiB each. */
    private static final int HEADERS_MAX = 64;

    private record Loaded<T>(T object, long sizeBytes) {}

    /** A block of a pack by its first leaf. */
    private record BlockOf(PackName name, long first) {}

    /** Of a pack that may be rewritten: with other bounds of its blocks, and other rows. */
    private record RowsOf(PackName name, PayloadPack.Place place) {}

    private final ObjectStore store;
    private final ZstdBlocks codec = new ZstdBlocks();
    private final Cache<String, Loaded<Segment>> segments;
    private final Cache<String, Loaded<PayloadObject>> payloads;
    private final Cache<BlockOf, Loaded<List<LeafRecord>>> blocks;
    private final Cache<RowsOf, Loaded<PayloadPack.Rows>> rows;
    private final Cache<PackName, Loaded<Pack>> packs = headers();
    private final Cache<PackName, Loaded<PayloadPack>> payloadPacks = headers();
    private final ArchivedKeys keys;

    private final Semaphore loading = new Semaphore(LOADING_MAX);

    @Inject
    Archive(GatewayConfig config) throws IOException {
        this(
                ObjectStores.openForServing(config.objects().location()),
                config.objects().cacheBytes());
    }

    Archive(ObjectStore store, long cacheBytes) {
        this.store = store;
        this.keys = new ArchivedKeys(store, System::nanoTime);
        this.segments = cache(cacheBytes / 4);
        this.payloads = cache(cacheBytes / 4);
        this.blocks = cache(cacheBytes / 4);
        this.rows = cache(cacheBytes / 4);
    }

    private static <K, T> Cache<K, Loaded<T>> cache(long maxBytes) {
        return Caffeine.newBuilder()
                .maximumWeight(maxBytes)
                .weigher((K key, Loaded<T> loaded) -> (int) Math.min(loaded.sizeBytes(), Integer.MAX_VALUE))
                .build();
    }

    private static <T> Cache<PackName, Loaded<T>> headers() {
        return Caffeine.newBuilder().maximumSize(HEADERS_MAX).build();
    }

    /** Empty if there is none: all its leaves are in packs, or it was lost. */
    public Optional<Segment> segment(String name) throws Broken, Unavailable {
        return get(segments, name, name, () -> object(name, Segment::parse));
    }

    /** Empty as {@link #segment}. */
    public Optional<PayloadObject> payloads(String name) throws Broken, Unavailable {
        return get(payloads, name, name, () -> object(name, PayloadObject::parse));
    }

    /** The 256 leaves of a pack among which one is, from a multiple of 256 on. */
    public List<LeafRecord> block(PackName name, long leafIndex) throws Broken, Unavailable {
        Pack pack = require(name.name(), get(packs, name, name.name(), () -> header(Pack.open(store, name))));
        BlockOf block = new BlockOf(name, leafIndex - leafIndex % TilePath.FULL_WIDTH);
        return require(name.name(), get(blocks, block, name.name(), () -> {
            List<LeafRecord> leaves = pack.block(leafIndex);
            long sizeBytes =
                    leaves.stream().mapToLong(leaf -> leaf.entry().length).sum();
            return Optional.of(new Loaded<>(leaves, sizeBytes));
        }));
    }

    /** The payloads that are stored in one block with that of a leaf. */
    public PayloadPack.Rows payloadRows(PackName name, long leafIndex) throws Broken, Unavailable {
        try {
            return loadRows(name, leafIndex);
        } catch (Broken e) {
            // Rewritten since its header was read, because payloads were erased? Then the new header has it.
            payloadPacks.invalidate(name);
            return loadRows(name, leafIndex);
        }
    }

    private PayloadPack.Rows loadRows(PackName name, long leafIndex) throws Broken, Unavailable {
        String object = name.payloads();
        PayloadPack pack =
                require(object, get(payloadPacks, name, object, () -> header(PayloadPack.open(store, name, codec))));
        RowsOf block = new RowsOf(name, pack.placeOf(leafIndex));
        return require(object, get(rows, block, object, () -> {
            PayloadPack.Rows loaded = pack.block(leafIndex);
            return Optional.of(new Loaded<>(loaded, loaded.sizeBytes()));
        }));
    }

    /**
     * The history of the ledger's keys, verified.
     *
     * @param published JSON of {@link io.attestream.proofs.ledger.PublishedKeys}
     */
    public record Keys(String published, KeyHistory history) {}

    /** As it was a second ago; what was verified once stays known while the store cannot be read. */
    public Keys keys(NoteVerifier first) throws Broken, Unavailable {
        return keys.recent(first);
    }

    /** As it is now. */
    public Keys newestKeys(NoteVerifier first) throws Broken, Unavailable {
        return keys.newest(first);
    }

    private static <T> T require(String name, Optional<T> object) throws Broken {
        return object.orElseThrow(() -> new Broken("object " + name + " is not in the store"));
    }

    private interface Load<T> {
        Optional<Loaded<T>> run() throws IOException, InvalidFormat;
    }

    private interface Parser<T> {
        T parse(byte[] object) throws InvalidFormat;
    }

    private <K, T> Optional<T> get(Cache<K, Loaded<T>> cache, K key, String name, Load<T> load)
            throws Broken, Unavailable {
        Loaded<T> cached = cache.getIfPresent(key);
        if (cached != null) {
            return Optional.of(cached.object());
        }
        if (!loading.tryAcquire()) {
            throw new Unavailable("too many objects are being loaded already");
        }
        try {
            Optional<Loaded<T>> loaded = load.run();
            loaded.ifPresent(there -> cache.put(key, there));
            return loaded.map(Loaded::object);
        } catch (IOException e) {
            throw new Unavailable("object " + name + " cannot be read: " + e);
        } catch (InvalidFormat e) {
            throw new Broken("object " + name + " is damaged: " + e.getMessage());
        } finally {
            loading.release();
        }
    }

    private <T> Optional<Loaded<T>> object(String name, Parser<T> parser) throws IOException, InvalidFormat {
        Optional<byte[]> bytes = store.get(name);
        if (bytes.isEmpty()) {
            return Optional.empty();
        }
        ObjectNames.requireDigest(name, bytes.get());
        return Optional.of(new Loaded<>(parser.parse(bytes.get()), bytes.get().length));
    }

    private static <T> Optional<Loaded<T>> header(Optional<T> pack) {
        return pack.map(there -> new Loaded<>(there, 0));
    }
}
