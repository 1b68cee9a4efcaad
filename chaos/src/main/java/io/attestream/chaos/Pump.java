// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import io.attestream.chaos.toxiproxy.Toxic;
import java.io.IOException;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a connection through a {@link TcpProxy}: one thread reads, another passes on what was read in the way the toxics of
 * this direction want it. What waits in between is bounded, so a sender of more has to wait as if the receiver were slow. When
 * toxics change, what is held back is looked at anew.
 */
final class Pump {
    private static final int BUFFER_SIZE_BYTES = 64 << 10;
    private static final int WAITING_SIZE_BYTES_MAX = 1 << 20;
    /** The share of a second that a limited rate gets through at once. */
    private static final int PIECES_PER_SECOND = 10;

    /** Of a byte at 1 KB/s. */
    private static final long BYTE_NANOS = 1_000_000;

    private static final long TIME_NANOS_MAX = TimeUnit.DAYS.toNanos(1);

    private final TcpProxy proxy;
    private final Socket from;
    private final Socket to;
    private final Toxic.Stream stream;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Chunk> waiting = new ArrayDeque<>();
    private int waitingSizeBytes;
    private long endedAtNanos;
    private boolean ended;
    private boolean done;

    /** Of the thread that passes on, alone. */
    private TcpProxy.@Nullable Conditions seen;

    private Map<String, Active> active = new LinkedHashMap<>();

    Pump(TcpProxy proxy, Socket from, Socket to, Toxic.Stream stream) {
        this.proxy = proxy;
        this.from = from;
        this.to = to;
        this.stream = stream;
    }

    private record Chunk(byte[] bytes, long readAtNanos) {}

    /** The connection is to end now. */
    private static final class Ending extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /** A toxic, and what it did on this connection. */
    private static final class Active {
        private final Toxic toxic;
        /** By chance, once for each connection. */
        private final boolean acts;

        private final long sinceNanos = System.nanoTime();
        private long passedBytes;
        private long freeAtNanos = sinceNanos;

        Active(Toxic toxic) {
            this.toxic = toxic;
            this.acts = ThreadLocalRandom.current().nextDouble() < toxic.toxicity();
        }

        long nanos(String attribute, TimeUnit unit) {
            return Math.min(unit.toNanos(toxic.attribute(attribute)), TIME_NANOS_MAX);
        }

        long millisAsNanos(String attribute) {
            return nanos(attribute, TimeUnit.MILLISECONDS);
        }
    }

    /** Something about the proxy changed. */
    void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ---- reading

    /** Until the end of what is sent. */
    void read() {
        byte[] buffer = new byte[BUFFER_SIZE_BYTES];
        try {
            for (int n = from.getInputStream().read(buffer);
                    n >= 0;
                    n = from.getInputStream().read(buffer)) {
                byte[] bytes = new byte[n];
                System.arraycopy(buffer, 0, bytes, 0, n);
                put(bytes);
            }
        } catch (IOException e) {
            // Gone without a word: for the other side an end as any other.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        lock.lock();
        try {
            ended = true;
            endedAtNanos = System.nanoTime();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void put(byte[] bytes) throws InterruptedException, IOException {
        lock.lock();
        try {
            while (waitingSizeBytes >= WAITING_SIZE_BYTES_MAX && !done) {
                changed.await();
            }
            if (done) {
                throw new Ending();
            }
            waiting.add(new Chunk(bytes, System.nanoTime()));
            waitingSizeBytes += bytes.length;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ---- passing on

    /** Until the connection is to end. */
    void write() {
        try {
            for (Chunk chunk = next(); chunk != null; chunk = next()) {
                pass(chunk);
            }
            awaitEnd();
        } catch (IOException e) {
            // Ended by a toxic, or one side is gone: so is the other.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.lock();
            try {
                done = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Null at the end. */
    private @Nullable Chunk next() throws IOException, InterruptedException {
        while (true) {
            look();
            lock.lock();
            try {
                Chunk chunk = waiting.poll();
                if (chunk != null) {
                    waitingSizeBytes -= chunk.bytes().length;
                    changed.signalAll();
                    return chunk;
                }
                if (ended) {
                    return null;
                }
                awaitData();
            } finally {
                lock.unlock();
            }
        }
    }

    private void awaitData() throws IOException, InterruptedException {
        long end = Long.MAX_VALUE;
        for (Active timeout : active(Toxic.Type.TIMEOUT)) {
            if (timeout.toxic.attribute("timeout") > 0) {
                end = Math.min(end, timeout.sinceNanos + timeout.millisAsNanos("timeout"));
            }
        }
        while (waiting.isEmpty() && !ended && !isChanged()) {
            if (end == Long.MAX_VALUE) {
                changed.await();
            } else if (changed.awaitNanos(end - System.nanoTime()) <= 0) {
                throw new Ending();
            }
        }
    }

    private void pass(Chunk chunk) throws IOException, InterruptedException {
        int at = 0;
        long late = Long.MIN_VALUE;
        while (at < chunk.bytes().length) {
            if (look() || late == Long.MIN_VALUE) {
                late = latencyNanos();
            }
            if (!active(Toxic.Type.TIMEOUT).isEmpty()) {
                return; // dropped
            }
            if (awaitReset() && holdUntil(chunk.readAtNanos() + late)) {
                at += passAPiece(chunk.bytes(), at);
            }
        }
    }

    private long latencyNanos() {
        long nanos = 0;
        for (Active latency : active(Toxic.Type.LATENCY)) {
            long jitter = latency.millisAsNanos("jitter");
            nanos += latency.millisAsNanos("latency");
            nanos += jitter == 0 ? 0 : ThreadLocalRandom.current().nextLong(-jitter, jitter + 1);
        }
        return nanos;
    }

    /** Whether nothing resets the connection. */
    private boolean awaitReset() throws IOException, InterruptedException {
        for (Active reset : active(Toxic.Type.RESET_PEER)) {
            if (!holdUntil(System.nanoTime() + reset.millisAsNanos("timeout"))) {
                return false;
            }
            from.setSoLinger(true, 0);
            to.setSoLinger(true, 0);
            from.close();
            throw new Ending();
        }
        return true;
    }

    /** How much was passed on: 0 if toxics changed meanwhile. */
    private int passAPiece(byte[] bytes, int at) throws IOException, InterruptedException {
        int size = bytes.length - at;
        for (Active slicer : active(Toxic.Type.SLICER)) {
            size = Math.min(size, sliceSizeBytes(slicer.toxic));
            if (!holdUntil(System.nanoTime() + slicer.nanos("delay", TimeUnit.MICROSECONDS))) {
                return 0;
            }
        }
        for (Active limit : active(Toxic.Type.LIMIT_DATA)) {
            long left = limit.toxic.attribute("bytes") - limit.passedBytes;
            if (left <= 0) {
                throw new Ending();
            }
            size = (int) Math.min(size, left);
        }
        for (Active bandwidth : active(Toxic.Type.BANDWIDTH)) {
            long rate = bandwidth.toxic.attribute("rate");
            if (rate > 0) {
                size = (int) Math.min(size, Math.max(1, rate * 1_000 / PIECES_PER_SECOND));
                long end = Math.max(bandwidth.freeAtNanos, System.nanoTime()) + size * BYTE_NANOS / rate;
                if (!holdUntil(end)) {
                    return 0;
                }
                bandwidth.freeAtNanos = end;
            }
        }
        to.getOutputStream().write(bytes, at, size);
        for (Active limit : active(Toxic.Type.LIMIT_DATA)) {
            limit.passedBytes += size;
            if (limit.passedBytes >= limit.toxic.attribute("bytes")) {
                throw new Ending();
            }
        }
        return size;
    }

    private static int sliceSizeBytes(Toxic slicer) {
        long variation = Math.min(slicer.attribute("size_variation"), Integer.MAX_VALUE);
        long size = Math.min(slicer.attribute("average_size"), Integer.MAX_VALUE)
                + (variation == 0 ? 0 : ThreadLocalRandom.current().nextLong(-variation, variation + 1));
        return (int) Math.max(1, Math.min(size, Integer.MAX_VALUE));
    }

    /** An end is a packet, too: it does not get through a cut, and late if closing is slow. */
    private void awaitEnd() throws IOException, InterruptedException {
        boolean due = false;
        while (!due) {
            look();
            long late = 0;
            for (Active slow : active(Toxic.Type.SLOW_CLOSE)) {
                late += slow.millisAsNanos("delay");
            }
            due = holdUntil(endedAtNanos + late);
        }
    }

    // ---- what acts

    private List<Active> active(Toxic.Type type) {
        List<Active> some = new ArrayList<>();
        for (Active one : active.values()) {
            if (one.acts && one.toxic.type() == type) {
                some.add(one);
            }
        }
        return some;
    }

    private boolean isChanged() {
        return !proxy.conditions().equals(seen);
    }

    /** Whether the time came, and nothing changed before. */
    private boolean holdUntil(long nanos) throws InterruptedException {
        lock.lock();
        try {
            long left = nanos - System.nanoTime();
            while (left > 0 && !isChanged()) {
                left = changed.awaitNanos(left);
            }
            return !isChanged();
        } finally {
            lock.unlock();
        }
    }

    /** Takes up what changed; waits as long as the link is cut. Whether there was anything new. */
    private boolean look() throws IOException, InterruptedException {
        boolean any = false;
        while (isChanged()) {
            any = true;
            takeUp(proxy.conditions());
            awaitWhole();
        }
        return any;
    }

    private void awaitWhole() throws InterruptedException {
        lock.lock();
        try {
            while (seen != null && seen.cut() && !isChanged()) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /** @throws Ending if a toxic that dropped data is gone: what comes next would make no sense without what was dropped */
    private void takeUp(TcpProxy.Conditions now) throws IOException {
        Map<String, Active> next = new LinkedHashMap<>();
        for (Toxic toxic : now.toxics()) {
            Active before = active.get(toxic.name());
            if (toxic.stream() != stream) {
                continue;
            }
            if (before != null && before.toxic.equals(toxic)) {
                next.put(toxic.name(), before);
            } else {
                Active one = new Active(toxic);
                one.passedBytes = before == null ? 0 : before.passedBytes;
                next.put(toxic.name(), one);
            }
        }
        boolean dropped = !active(Toxic.Type.TIMEOUT).isEmpty();
        active = next;
        seen = now;
        if (dropped && active(Toxic.Type.TIMEOUT).isEmpty()) {
            throw new Ending();
        }
    }
}
