// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.proofs.archive.PackName;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads packs on a thread of its own, one after the other: a stream thread must not wait for the object store. Thread-safe. */
public final class PackLoader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PackLoader.class);
    private static final long RETRY_NANOS = 30_000_000_000L;

    private final PackedProofs packs;
    private final Executor thread;
    private final LongSupplier clockNanos;

    /** At most one a shard: a shard asks for its next pack until it has it. */
    private final Map<Integer, Loading> byShard = new HashMap<>();

    private static final class Loading {
        final PackName name;
        Optional<PackContent> content = Optional.empty();
        long failedNanos;
        boolean failed;

        Loading(PackName name) {
            this.name = name;
        }
    }

    public PackLoader(PackedProofs packs) {
        this(
                packs,
                Executors.newSingleThreadExecutor(task -> {
                    Thread made = new Thread(task, "pack-loader");
                    made.setDaemon(true);
                    return made;
                }),
                System::nanoTime);
    }

    /**
     * @param thread on which packs are read
     * @param clockNanos as {@link System#nanoTime}
     */
    PackLoader(PackedProofs packs, Executor thread, LongSupplier clockNanos) {
        this.packs = packs;
        this.thread = thread;
        this.clockNanos = clockNanos;
    }

    /** The pack if it was read; else it will be. Given once. */
    synchronized Optional<PackContent> poll(PackName name) {
        Loading loading = byShard.get(name.shard());
        if (loading == null || !loading.name.equals(name) || isToBeTriedAgain(loading)) {
            Loading begun = new Loading(name);
            byShard.put(name.shard(), begun);
            thread.execute(() -> load(begun));
            return Optional.empty();
        }
        if (loading.content.isPresent()) {
            byShard.remove(name.shard());
        }
        return loading.content;
    }

    private boolean isToBeTriedAgain(Loading loading) {
        return loading.failed && clockNanos.getAsLong() - loading.failedNanos > RETRY_NANOS;
    }

    private void load(Loading loading) {
        try {
            PackContent content = PackContent.read(packs, loading.name);
            synchronized (this) {
                loading.content = Optional.of(content);
            }
        } catch (IOException | RuntimeException | Error e) { // else the shard would wait for it for ever
            LOG.warn(
                    "pack {} could not be read, its tiles stay in the store; tried again: {}",
                    loading.name.name(),
                    e.toString());
            synchronized (this) {
                loading.failed = true;
                loading.failedNanos = clockNanos.getAsLong();
            }
        }
    }

    @Override
    public void close() {
        if (thread instanceof ExecutorService own) {
            own.shutdownNow();
        }
    }
}
