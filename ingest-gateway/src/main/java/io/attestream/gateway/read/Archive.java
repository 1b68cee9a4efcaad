// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.attestream.gateway.config.GatewayConfig;
import io.attestream.objects.ObjectStores;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.quarkus.runtime.Startup;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/**
 * Entries and payloads out of the object store. What is loaded is held against the digest in its name, so an object that
 * was changed on disk is never served.
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

    private record Loaded<T>(T object, int sizeBytes) {}

    private final ObjectStore store;
    private final Cache<String, Loaded<Segment>> segments;
    private final Cache<String, Loaded<PayloadObject>> payloads;
    private final Semaphore loading = new Semaphore(LOADING_MAX);

    @Inject
    Archive(GatewayConfig config) throws IOException {
        this(
                ObjectStores.openForServing(config.objects().location()),
                config.objects().cacheBytes());
    }

    Archive(ObjectStore store, long cacheBytes) {
        this.store = store;
        this.segments = cache(cacheBytes / 2);
        this.payloads = cache(cacheBytes / 2);
    }

    private static <T> Cache<String, Loaded<T>> cache(long maxBytes) {
        return Caffeine.newBuilder()
                .maximumWeight(maxBytes)
                .weigher((String name, Loaded<T> loaded) -> loaded.sizeBytes())
                .build();
    }

    public Segment segment(String name) throws Broken, Unavailable {
        return get(segments, name, Segment::parse);
    }

    public PayloadObject payloads(String name) throws Broken, Unavailable {
        return get(payloads, name, PayloadObject::parse);
    }

    private interface Parser<T> {
        T parse(byte[] object) throws InvalidFormat;
    }

    private <T> T get(Cache<String, Loaded<T>> cache, String name, Parser<T> parser) throws Broken, Unavailable {
        Loaded<T> cached = cache.getIfPresent(name);
        if (cached != null) {
            return cached.object();
        }
        if (!loading.tryAcquire()) {
            throw new Unavailable("too many objects are being loaded already");
        }
        try {
            Loaded<T> loaded = load(name, parser);
            cache.put(name, loaded);
            return loaded.object();
        } finally {
            loading.release();
        }
    }

    private <T> Loaded<T> load(String name, Parser<T> parser) throws Broken, Unavailable {
        try {
            byte[] bytes = store.get(name).orElseThrow(() -> new Broken("object " + name + " is not in the store"));
            ObjectNames.requireDigest(name, bytes);
            return new Loaded<>(parser.parse(bytes), bytes.length);
        } catch (IOException e) {
            throw new Unavailable("object " + name + " cannot be read: " + e);
        } catch (InvalidFormat e) {
            throw new Broken("object " + name + " is damaged: " + e.getMessage());
        }
    }
}
