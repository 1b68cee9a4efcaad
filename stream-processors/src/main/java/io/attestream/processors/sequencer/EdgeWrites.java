// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.query.Position;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;

/**
 * Tells when the cache in front of the edge store has written an edge out: at a commit, or because it ran out of room. The
 * cache holds the edge's array itself, which changes in place; so a put is needed only after that, not after each record, of
 * whose time it took a tenth.
 */
final class EdgeWrites {
    private final Map<TaskId, Store> stores = new ConcurrentHashMap<>();

    /** The store of that name behind the cache. */
    KeyValueBytesStoreSupplier supplier(String name) {
        KeyValueBytesStoreSupplier rocksDb = Stores.persistentKeyValueStore(name);
        return new KeyValueBytesStoreSupplier() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public KeyValueStore<Bytes, byte[]> get() {
                return new Store(rocksDb.get(), stores);
            }

            @Override
            public String metricsScope() {
                return rocksDb.metricsScope();
            }
        };
    }

    /** The store of a task that was initialised, for an edge of which the cache knows nothing yet. */
    Store takeUp(TaskId task) {
        Store store = stores.get(task);
        if (store == null) {
            throw new IllegalStateException("task " + task + " has no edge store");
        }
        store.written = true;
        return store;
    }

    /** Used by the task's thread only. */
    static final class Store implements KeyValueStore<Bytes, byte[]> {
        private final KeyValueStore<Bytes, byte[]> inner;
        private final Map<TaskId, Store> stores;
        private boolean written;

        private Store(KeyValueStore<Bytes, byte[]> inner, Map<TaskId, Store> stores) {
            this.inner = inner;
            this.stores = stores;
        }

        /** Whether something was written since the last call, or the store was taken up since. */
        boolean takeWritten() {
            boolean taken = written;
            written = false;
            return taken;
        }

        @Override
        public void init(StateStoreContext context, StateStore root) {
            stores.put(context.taskId(), this);
            inner.init(context, root);
        }

        @Override
        public void put(Bytes key, byte @Nullable [] value) {
            written = true;
            inner.put(key, value);
        }

        @Override
        public byte @Nullable [] putIfAbsent(Bytes key, byte[] value) {
            written = true;
            return inner.putIfAbsent(key, value);
        }

        @Override
        public void putAll(List<KeyValue<Bytes, byte[]>> entries) {
            written = true;
            inner.putAll(entries);
        }

        @Override
        public byte @Nullable [] delete(Bytes key) {
            written = true;
            return inner.delete(key);
        }

        @Override
        public byte @Nullable [] get(Bytes key) {
            return inner.get(key);
        }

        @Override
        public KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
            return inner.range(from, to);
        }

        @Override
        public KeyValueIterator<Bytes, byte[]> all() {
            return inner.all();
        }

        @Override
        public long approximateNumEntries() {
            return inner.approximateNumEntries();
        }

        @Override
        public String name() {
            return inner.name();
        }

        @Override
        public void flush() {
            inner.flush();
        }

        @Override
        public void close() {
            inner.close();
        }

        @Override
        public boolean persistent() {
            return inner.persistent();
        }

        @Override
        public boolean isOpen() {
            return inner.isOpen();
        }

        @Override
        public Position getPosition() {
            return inner.getPosition();
        }
    }
}
