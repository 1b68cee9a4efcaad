// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.ledger.LedgerOffset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The producer of a drill: sends events all the time, the same ones again until they are acknowledged, whatever is being done to
 * the cluster. Keeps what was promised to it.
 */
final class DrillLoad implements AutoCloseable {
    static final int BATCH_EVENTS = 3;
    private static final int TROUBLES_MAX = 100;
    private static final long PAUSE_MILLIS = 100;
    private static final int SOURCES = 16;
    private static final long END_SECONDS = 120;

    private final Door door;
    private final int batchEvents;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread thread = new Thread(this::produce, "drill-load");
    private final Map<String, Acknowledged> acknowledged = new LinkedHashMap<>();
    private final List<String> refused = new ArrayList<>();
    private int next;
    /** While the cluster is being damaged and replaced, answers of any kind may come. */
    private volatile boolean expectsTrouble;
    /** A request is on its way. */
    private volatile boolean asks;

    private final Set<String> troubles = new LinkedHashSet<>();
    private long troubleCount;

    /** How events are sent. */
    interface Door {
        /** As {@link Api#append}. */
        void append(List<byte[]> lines, Consumer<JsonNode> onResult);

        /** Whoever keeps a record claims in it that this was acknowledged. */
        default void forge(byte[] line) {}
    }

    /**
     * An event that was acknowledged.
     *
     * @param line as it was sent
     * @param href path of its receipt
     * @param atMillis when the acknowledgement came
     */
    record Acknowledged(String id, byte[] line, String href, long atMillis) {
        int shard() {
            return (int) number(2);
        }

        /** As heads have it. */
        long offset() {
            return LedgerOffset.of((int) number(3), number(1));
        }

        private long number(int fromEnd) {
            String[] parts = href.split("/");
            return Long.parseLong(parts[parts.length - fromEnd]);
        }
    }

    /** @param door by which it sends */
    DrillLoad(Door door) {
        this(door, BATCH_EVENTS);
    }

    /** @param batchEvents new ones in a request */
    DrillLoad(Door door, int batchEvents) {
        this.door = door;
        this.batchEvents = batchEvents;
        thread.setDaemon(true);
    }

    DrillLoad start() {
        thread.start();
        return this;
    }

    synchronized List<Acknowledged> acknowledged() {
        return List.copyOf(acknowledged.values());
    }

    synchronized int count() {
        return acknowledged.size();
    }

    /** What a gateway would not take, though it was asked well. */
    synchronized List<String> refused() {
        return List.copyOf(refused);
    }

    /** Claims that an event was acknowledged that was never sent. */
    synchronized void forge() {
        Acknowledged some = acknowledged.values().iterator().next();
        String id = "never-sent";
        acknowledged.put(id, new Acknowledged(id, event(id), some.href(), some.atMillis()));
        door.forge(event(id));
    }

    static byte[] event(String id) {
        int source = Math.floorMod(id.hashCode(), SOURCES);
        return ("{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/drill/" + source
                        + "\",\"type\":\"io.attestream.drill\",\"data\":{\"id\":\"" + id + "\"}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private void produce() {
        List<String> open = new ArrayList<>();
        try {
            while (!stop.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS)) {
                while (open.size() < batchEvents) {
                    open.add("drill-" + next++);
                }
                send(open);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(List<String> ids) {
        List<String> asked = new ArrayList<>(ids);
        asked.add(repeated());
        asks = true;
        try {
            door.append(asked.stream().map(DrillLoad::event).toList(), result -> {
                String id = result.path("id").asText();
                if (take(id, result)) {
                    ids.remove(id);
                }
            });
        } catch (CliException e) {
            trouble(String.valueOf(e.getMessage()));
            if (e.exitCode() != ExitCode.UNAVAILABLE) {
                refuse(String.valueOf(e.getMessage()));
            }
        } catch (RuntimeException e) {
            trouble(e.toString());
            refuse(e.toString()); // the cluster is just being replaced
        } finally {
            asks = false;
        }
    }

    private synchronized void trouble(String what) {
        troubleCount++;
        if (troubles.size() < TROUBLES_MAX) {
            troubles.add(what);
        }
    }

    /** What it was told instead of an acknowledgement since it was asked last. */
    synchronized List<String> troubles() {
        List<String> since = List.copyOf(troubles);
        troubles.clear();
        return since;
    }

    /** How often it was told something else than an acknowledgement, ever. */
    synchronized long troubleCount() {
        return troubleCount;
    }

    /** Whether a request is on its way just now. */
    boolean asks() {
        return asks;
    }

    /** Whether it need not be sent again. */
    private synchronized boolean take(String id, JsonNode result) {
        String href = result.path("receipt").path("href").asText();
        if (!href.isEmpty()) {
            acknowledged.putIfAbsent(id, new Acknowledged(id, event(id), href, System.currentTimeMillis()));
            return true;
        }
        trouble(result.path("status").asText() + " "
                + result.path("problem").path("title").asText());
        if (!result.path("retryable").asBoolean()) {
            refused.add(result.toString());
            return true;
        }
        return false;
    }

    private synchronized void refuse(String what) {
        if (!expectsTrouble) {
            refused.add(what);
        }
    }

    void expectTrouble(boolean expected) {
        expectsTrouble = expected;
    }

    /** Every request has an event once more that was sent before: a duplicate for the log. */
    private String repeated() {
        return "drill-" + next / 2;
    }

    /** Ends after the request it is at. */
    @Override
    public void close() {
        stop.countDown();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(END_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            throw new IllegalStateException("the load does not end");
        }
    }
}
