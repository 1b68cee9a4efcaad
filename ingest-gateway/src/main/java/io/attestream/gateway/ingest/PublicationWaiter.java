// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.ingest.ResultItem.First;
import io.attestream.gateway.ingest.ResultItem.Published;
import io.attestream.gateway.read.Archive;
import io.attestream.gateway.read.Epoch;
import io.attestream.gateway.read.OffsetState;
import io.attestream.gateway.read.ProofsClient;
import io.attestream.gateway.read.StoredLeaves;
import io.attestream.gateway.read.Unavailable;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryView;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits until acknowledged events are published, as long as the caller prefers to. Holds no thread while it waits: every
 * round asks what is still open, and offsets of a shard are accounted for in order, so a round ends at the first that is
 * not. When the time is over, this instance stops, or too many wait already, what is known is answered.
 */
@ApplicationScoped
public class PublicationWaiter {
    private static final long ROUND_MILLIS = 100;
    private static final Logger LOG = LoggerFactory.getLogger(PublicationWaiter.class);

    private final ProofsClient proofs;
    private final StoredLeaves leaves;
    private final Draining draining;
    /** Events whose results wait; as many as may be in flight. They are no longer covered by a permit. */
    private final Semaphore waiting;

    PublicationWaiter(ProofsClient proofs, StoredLeaves leaves, Draining draining, GatewayConfig config) {
        this.proofs = proofs;
        this.leaves = leaves;
        this.draining = draining;
        this.waiting = new Semaphore(config.admission().maxInFlightEvents());
    }

    /** @param waited whether the caller's preference was honoured */
    record Outcome(List<ResultItem> items, boolean waited) {}

    CompletableFuture<Outcome> await(List<ResultItem> items, Duration wait) {
        if (wait.isZero() || !waiting.tryAcquire(items.size())) {
            return CompletableFuture.completedFuture(new Outcome(items, false));
        }
        CompletableFuture<List<ResultItem>> done = new CompletableFuture<>();
        var unused = done.whenComplete((resolved, error) -> waiting.release(items.size()));
        new Waiting(items, System.nanoTime() + wait.toNanos(), done).round();
        return done.thenApply(resolved -> new Outcome(resolved, true));
    }

    /** One request's wait. Rounds follow one another, so nothing is shared between threads at one time. */
    private final class Waiting {
        private final List<ResultItem> items;
        private final long deadlineNanos;
        private final CompletableFuture<List<ResultItem>> done;
        /** Indexes into items by shard, in the order of their offsets. */
        private final Map<Integer, List<Integer>> open = new HashMap<>();

        Waiting(List<ResultItem> items, long deadlineNanos, CompletableFuture<List<ResultItem>> done) {
            this.items = new ArrayList<>(items);
            this.deadlineNanos = deadlineNanos;
            this.done = done;
            for (int i = 0; i < items.size(); i++) {
                Receipt receipt = items.get(i).receipt();
                if (receipt != null) {
                    open.computeIfAbsent(receipt.shard(), shard -> new ArrayList<>())
                            .add(i);
                }
            }
            open.values().forEach(list -> list.sort(Comparator.comparingLong(this::offsetOf)));
        }

        private long offsetOf(int item) {
            Receipt receipt = items.get(item).receipt();
            return receipt == null ? -1 : receipt.ledgerOffset();
        }

        void round() {
            try {
                for (Map.Entry<Integer, List<Integer>> shard : open.entrySet()) {
                    resolve(shard.getKey(), shard.getValue());
                }
                open.values().removeIf(List::isEmpty);
            } catch (Unavailable e) {
                LOG.debug("publication not known yet: {}", e.getMessage());
            } catch (RuntimeException e) {
                LOG.error("waiting for publication failed", e);
                done.complete(items);
                return;
            }
            if (open.isEmpty() || isOver()) {
                done.complete(items);
            } else {
                CompletableFuture.delayedExecutor(
                                ROUND_MILLIS, TimeUnit.MILLISECONDS, Infrastructure.getDefaultWorkerPool())
                        .execute(this::round);
            }
        }

        private boolean isOver() {
            return System.nanoTime() - deadlineNanos >= 0 || draining.hasBegun();
        }

        private void resolve(int shard, List<Integer> waiting) throws Unavailable {
            while (!waiting.isEmpty() && !isOver()) {
                int item = waiting.get(0);
                Optional<OffsetState> state = proofs.offset(shard, offsetOf(item));
                if (state.isEmpty() || state.get() instanceof OffsetState.Pending) {
                    return;
                }
                Optional<Published> published = published(shard, state.get());
                if (published.isEmpty()) {
                    return;
                }
                items.set(item, items.get(item).withPublished(published.get()));
                waiting.remove(0);
            }
        }

        /** Empty while the epoch that covers it is not published. */
        private Optional<Published> published(int shard, OffsetState state) throws Unavailable {
            if (state instanceof OffsetState.Duplicate duplicate) {
                return proofs.covering(shard, duplicate.reference())
                        .map(epoch -> new Published(
                                "duplicate", shard, duplicate.reference(), first(shard, duplicate.reference(), epoch)));
            }
            if (state instanceof OffsetState.Leaf leaf) {
                Optional<Epoch> epoch = proofs.covering(shard, leaf.leafIndex());
                if (epoch.isEmpty()) {
                    return Optional.empty();
                }
                boolean conflict = leaf.kind().equals("conflict");
                return Optional.of(new Published(
                        conflict ? "conflict" : "leaf",
                        shard,
                        leaf.leafIndex(),
                        conflict ? firstOfConflict(shard, leaf.leafIndex(), epoch.get()) : null));
            }
            LOG.error("an acknowledged record of shard {} became {}", shard, state);
            return Optional.of(new Published("rejected", shard, -1, null));
        }

        private @Nullable First firstOfConflict(int shard, long leafIndex, Epoch epoch) throws Unavailable {
            try {
                byte[] entry = leaves.leaf(epoch, shard, leafIndex).entry();
                if (CanonicalEntry.parse(entry) instanceof EntryView.Event event
                        && event.ref().isPresent()) {
                    long first = event.ref().get().value();
                    Optional<Epoch> covering = proofs.covering(shard, first);
                    return covering.isPresent() ? first(shard, first, covering.get()) : new First(first, null);
                }
            } catch (InvalidFormat | Archive.Broken e) {
                LOG.error("entry of leaf {} of shard {} cannot be read: {}", leafIndex, shard, e.getMessage());
            }
            return null;
        }

        private First first(int shard, long leafIndex, Epoch epoch) {
            try {
                long offset = leaves.leaf(epoch, shard, leafIndex).offset();
                return new First(leafIndex, Receipt.at(shard, offset));
            } catch (InvalidFormat | Archive.Broken | Unavailable e) {
                LOG.error("leaf {} of shard {} cannot be read: {}", leafIndex, shard, e.getMessage());
                return new First(leafIndex, null);
            }
        }
    }
}
