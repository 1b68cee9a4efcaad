// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/** Producers that send more than a gateway takes, each new events all the time, whatever they are answered. */
final class Surge implements AutoCloseable {
    private static final int PRODUCERS = 8;
    private static final int BATCH_EVENTS = 3;
    private static final long PAUSE_MILLIS = 30;
    private static final long END_SECONDS = 60;

    private final DrillLoad.Door door;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();
    private final LongAdder acknowledged = new LongAdder();

    private Surge(DrillLoad.Door door) {
        this.door = door;
    }

    /** Begins to send. */
    static Surge start(DrillLoad.Door door) {
        Surge surge = new Surge(door);
        for (int i = 0; i < PRODUCERS; i++) {
            String name = "surge-" + i;
            Thread thread = new Thread(() -> surge.produce(name), name);
            thread.setDaemon(true);
            surge.threads.add(thread);
        }
        surge.threads.forEach(Thread::start);
        return surge;
    }

    private void produce(String name) {
        try {
            for (long next = 0; !stop.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS); next++) {
                send(name + "-" + next);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(String prefix) {
        List<byte[]> lines = IntStream.range(0, BATCH_EVENTS)
                .mapToObj(i -> DrillLoad.event(prefix + "-" + i))
                .toList();
        try {
            door.append(lines, result -> {
                if (!result.path("receipt").path("href").asText().isEmpty()) {
                    acknowledged.increment();
                }
            });
        } catch (CliException e) {
            // Refused, which is what it is for; it is recorded.
        }
    }

    /** Events so far; none was sent twice. */
    int acknowledgedCount() {
        return acknowledged.intValue();
    }

    /** Ends after the requests that are on their way. */
    @Override
    public void close() {
        stop.countDown();
        try {
            for (Thread thread : threads) {
                thread.join(TimeUnit.SECONDS.toMillis(END_SECONDS));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
