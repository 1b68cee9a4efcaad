// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.ledger.LedgerOffset;
import org.jspecify.annotations.Nullable;

/** An event on its way: sent, acknowledged, published. Guarded by the {@link PublicationWatch} once it was given to it. */
final class SentEvent {
    private static final long NOT_YET = Long.MIN_VALUE;

    private final byte[] line;
    private String status = "unknown";
    private String problem = "";
    private @Nullable String href;
    private int shard;
    private long offset;
    private long acknowledgedNanos = NOT_YET;
    private long publishedNanos = NOT_YET;

    SentEvent(byte[] line) {
        this.line = line;
    }

    /** As it was sent. */
    byte[] line() {
        return line;
    }

    /** @param result of the event as the gateway gave it */
    void answered(JsonNode result, long nowNanos) {
        status = result.path("status").asText();
        problem = result.path("problem").path("detail").asText("");
        JsonNode receipt = result.path("receipt");
        if (receipt.isObject()) {
            href = receipt.path("href").asText();
            shard = receipt.path("shard").asInt();
            offset = LedgerOffset.of(
                    receipt.path("incarnation").asInt(), receipt.path("offset").asLong());
            acknowledgedNanos = nowNanos;
        }
    }

    boolean isAcknowledged() {
        return acknowledgedNanos != NOT_YET;
    }

    void published(long nowNanos) {
        publishedNanos = nowNanos;
    }

    boolean isPublished() {
        return publishedNanos != NOT_YET;
    }

    long acceptToPublishedMillis() {
        return Math.max(0, publishedNanos - acknowledgedNanos) / 1_000_000;
    }

    /** Path of the receipt; only of an acknowledged event. */
    String href() {
        if (href == null) {
            throw new IllegalStateException("the event has no receipt");
        }
        return href;
    }

    int shard() {
        return shard;
    }

    /** As heads have it. */
    long offset() {
        return offset;
    }

    /** What the gateway said of an event that it did not acknowledge. */
    String refusal() {
        return problem.isEmpty() ? status : status + ": " + problem;
    }
}
