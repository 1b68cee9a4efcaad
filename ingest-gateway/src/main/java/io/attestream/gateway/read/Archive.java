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
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;

/**
 * Entries and payloads out of the object store. What is loaded is held against the digest in its name, so an object that
 * was changed on disk is never served.
 */
@ApplicationScoped
public class Archive {
    /** An object that is missing, unreadable or not what its name says. */
    public static final class Broken extends Exception {
        Broken(String message) {
            super(message, null, false, false);
        }
    }

    private record Loaded<T>(T object, int sizeBytes) {}

    private final ObjectStore store;
    private final Cache<String, Loaded<Segment>> segments;
    private final Cache<String, Loaded<PayloadObject>> payloads;

    @Inject
    Archive(GatewayConfig config) throws IOException {
        this(ObjectStores.open(config.objects().location()), config.objects().cacheBytes());
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

    public Segment segment(String name) throws Broken {
        return load(segments, name, Segment::parse);
    }

    public PayloadObject payloads(String name) throws Broken {
        return load(payloads, name, PayloadObject::parse);
    }

    private interface Parser<T> {
        T parse(byte[] object) throws InvalidFormat;
    }

    private <T> T load(Cache<String, Loaded<T>> cache, String name, Parser<T> parser) throws Broken {
        Loaded<T> cached = cache.getIfPresent(name);
        if (cached != null) {
            return cached.object();
        }
        try {
            byte[] bytes = store.get(name).orElseThrow(() -> new Broken("object " + name + " is not in the store"));
            ObjectNames.requireDigest(name, bytes);
            T object = parser.parse(bytes);
            cache.put(name, new Loaded<>(object, bytes.length));
            return object;
        } catch (IOException e) {
            throw new Broken("object " + name + " cannot be read: " + e);
        } catch (InvalidFormat e) {
            throw new Broken("object " + name + " is damaged: " + e.getMessage());
        }
    }
}
