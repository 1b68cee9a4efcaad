// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.support;

import io.attestream.gateway.ingest.AppendResult;
import io.attestream.gateway.ingest.EventLog;
import io.attestream.gateway.ingest.LogRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** An event log in memory that fails on command. Thread-safe. */
public final class FakeEventLog implements EventLog {
    /** Beyond the offsets a test ledger uses. */
    public static final long FIRST_OFFSET = 1_000;

    private final List<LogRecord> records = new ArrayList<>();
    private Function<LogRecord, CompletableFuture<AppendResult>> behaviour = this::acknowledge;
    private long endOffset = FIRST_OFFSET;
    private boolean reachable = true;

    @Override
    public synchronized CompletableFuture<AppendResult> append(LogRecord record) {
        return behaviour.apply(record);
    }

    public synchronized CompletableFuture<AppendResult> acknowledge(LogRecord record) {
        records.add(record);
        long offset = FIRST_OFFSET + records.size() - 1;
        endOffset = offset + 1;
        return CompletableFuture.completedFuture(new AppendResult.Appended(record.shard(), offset));
    }

    /** What the next appends do. */
    public synchronized void behaving(Function<LogRecord, CompletableFuture<AppendResult>> newBehaviour) {
        behaviour = newBehaviour;
    }

    public synchronized void answering(AppendResult result) {
        behaviour = record -> CompletableFuture.completedFuture(result);
    }

    public synchronized void setReachable(boolean isReachable) {
        reachable = isReachable;
    }

    public synchronized void setEndOffset(long offset) {
        endOffset = offset;
    }

    public synchronized void reset() {
        records.clear();
        behaviour = this::acknowledge;
        endOffset = FIRST_OFFSET;
        reachable = true;
    }

    public synchronized List<LogRecord> records() {
        return List.copyOf(records);
    }

    @Override
    public synchronized long endOffset(int shard, long atLeast) throws Unavailable {
        if (!reachable) {
            throw new Unavailable("the brokers do not answer");
        }
        return endOffset;
    }

    @Override
    public synchronized boolean isReady() {
        return reachable;
    }

    @Override
    public void close() {}
}
