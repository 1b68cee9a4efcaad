// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.WriteBufferManager;

/**
 * One bound for the memory of all stores of the process. By default each store takes 50 MB of block cache and up to 48 MB of
 * write buffers, and a process with eight shards has dozens of stores.
 */
public final class BoundedRocksDb implements RocksDBConfigSetter {
    private static final long TOTAL_BYTES = 96 << 20;
    private static final long WRITE_BUFFERS_BYTES = 32 << 20;
    /** Small values are overwritten again and again; larger buffers would only make restarts replay more. */
    private static final long WRITE_BUFFER_BYTES = 4 << 20;

    private static final int BLOCK_BYTES = 16 << 10;

    // Shared by all stores and alive as long as the process: closing them with the first store would pull them from
    // under
    // the others.
    private static final Cache CACHE = new LRUCache(TOTAL_BYTES);
    private static final WriteBufferManager WRITE_BUFFERS = new WriteBufferManager(WRITE_BUFFERS_BYTES, CACHE);

    @Override
    public void setConfig(String storeName, Options options, Map<String, Object> configs) {
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(CACHE);
        // Index and filter blocks count against the bound too.
        table.setCacheIndexAndFilterBlocks(true);
        table.setPinTopLevelIndexAndFilter(true);
        table.setBlockSize(BLOCK_BYTES);
        options.setTableFormatConfig(table);
        options.setWriteBufferManager(WRITE_BUFFERS);
        options.setWriteBufferSize(WRITE_BUFFER_BYTES);
        options.setMaxWriteBufferNumber(2);
    }

    @Override
    public void close(String storeName, Options options) {
        // Nothing is a store's own.
    }
}
