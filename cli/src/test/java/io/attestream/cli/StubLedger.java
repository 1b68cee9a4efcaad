// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.util.RawValue;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.NodeReader;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.cloudevents.CloudEvent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A ledger of one shard, each event of which is in an epoch of its own, with the gateway that serves it. Any of its answers can be
 * replaced by a wrong one.
 */
final class StubLedger implements AutoCloseable {
    static final String TENANT = "acme";
    static final String ORIGIN = "ledger.example/log";
    static final String LATEST = "/v1/epochs/latest";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] SALT = new byte[DataDigest.SALT_SIZE_BYTES];

    final NoteSigner signer = NoteSigner.generate(ORIGIN, new SecureRandom());
    private final HttpServer server;
    private final List<byte[]> lines = new ArrayList<>();
    private final List<byte[]> entries = new ArrayList<>();
    private final List<Epoch> epochs = new ArrayList<>();
    private final Map<String, Answer> replaced = new HashMap<>();

    /** What is signed of an epoch, and the root of the log with it. */
    record Epoch(ShardHead head, byte[] leaf, Hash logRoot) {}

    private record Answer(int status, byte[] body) {}

    StubLedger() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    Api api() {
        return new Api(URI.create("http://127.0.0.1:" + server.getAddress().getPort()), null);
    }

    static byte[] line(int number) {
        return ("{\"specversion\":\"1.0\",\"id\":\"e" + number + "\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"n\":"
                        + number + "}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    static String href(int number) {
        return "/v1/receipts/1/0/" + number;
    }

    /** Logs the next event, and publishes an epoch with it. */
    synchronized void publish() {
        publish(line(lines.size()));
    }

    /** As {@link #publish()}, an event of the caller's. */
    synchronized void publish(byte[] line) {
        CloudEvent event = RecordedClient.event(line);
        lines.add(line);
        entries.add(CanonicalEntry.event(
                event.attributes(),
                TENANT,
                "actor",
                1_700_000_000_000L,
                DataDigest.compute(SALT, event.payload()),
                event.payload().length));
        CompactRange shard = CompactRange.empty();
        entries.forEach(entry -> shard.append(Rfc6962.leafHash(entry)));
        ShardHead head = new ShardHead(0, shard.size(), shard.root(), entries.size());
        byte[] leaf = new EpochLeaf(
                        epochs.size(),
                        "2026-01-05T09:00:00.000Z",
                        Map.of(),
                        List.of(),
                        ShardHead.vectorRoot(List.of(head)))
                .encode();
        CompactRange log = CompactRange.empty();
        epochs.forEach(epoch -> log.append(Rfc6962.leafHash(epoch.leaf())));
        log.append(Rfc6962.leafHash(leaf));
        epochs.add(new Epoch(head, leaf, log.root()));
    }

    synchronized Epoch epoch(int number) {
        return epochs.get(number);
    }

    static String note(NoteSigner signer, String origin, long size, Hash root) {
        return SignedNote.sign(new Checkpoint(origin, new TreeSize(size), root).text(), signer)
                .encode();
    }

    /** The answer that an epoch is the newest. */
    synchronized String epochJson(int number, String note) {
        Epoch epoch = epochs.get(number);
        return json(Map.of(
                "epoch",
                number,
                "epochLeaf",
                base64(epoch.leaf()),
                "heads",
                List.of(base64(epoch.head().encode())),
                "note",
                note));
    }

    String goodNote(int epoch) {
        return note(signer, ORIGIN, epoch + 1, epoch(epoch).logRoot());
    }

    /** The answer for the receipt of an event. */
    String receiptJson(int number, String note) {
        return receiptJson(number, logLeaves(), note);
    }

    /** One that verifies, in a log with another first leaf. */
    String forkedReceiptJson(int number) {
        List<Hash> leaves = logLeaves();
        leaves.set(0, Rfc6962.leafHash(new byte[0]));
        CompactRange log = CompactRange.empty();
        leaves.subList(0, number + 1).forEach(log::append);
        return receiptJson(number, leaves, note(signer, ORIGIN, number + 1, log.root()));
    }

    private synchronized List<Hash> logLeaves() {
        return epochs.stream().map(epoch -> Rfc6962.leafHash(epoch.leaf())).collect(Collectors.toList());
    }

    private synchronized String receiptJson(int number, List<Hash> logLeaves, String note) {
        Epoch epoch = epochs.get(number);
        ProofBundle bundle = new ProofBundle(
                entries.get(number),
                new LeafIndex(number),
                path(number, entries.stream().map(Rfc6962::leafHash).toList()),
                epoch.head().encode(),
                1,
                List.of(),
                epoch.leaf(),
                path(number, logLeaves),
                note,
                RecordedClient.event(lines.get(number)).payload(),
                SALT);
        return json(
                Map.of("status", "leaf", "bundle", new RawValue(new String(bundle.encode(), StandardCharsets.UTF_8))));
    }

    /** Of the last leaf of a tree of so many. */
    private static List<Hash> path(int index, List<Hash> leaves) {
        NodeReader nodes = new NodeReader() {
            @Override
            public Hash node(int level, long at) {
                return level == 0
                        ? leaves.get((int) at)
                        : Rfc6962.nodeHash(node(level - 1, 2 * at), node(level - 1, 2 * at + 1));
            }
        };
        try {
            return Proofs.inclusion(new LeafIndex(index), new TreeSize(index + 1L), nodes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** From now on this is answered there. */
    synchronized void replace(String path, int status, String body) {
        replaced.put(path, new Answer(status, body.getBytes(StandardCharsets.UTF_8)));
    }

    /** All answers are good again. */
    synchronized void mend() {
        replaced.clear();
    }

    private void answer(HttpExchange exchange) throws IOException {
        exchange.getRequestBody().readAllBytes();
        Answer answer = answer(exchange.getRequestURI().getPath());
        try (exchange) {
            exchange.sendResponseHeaders(answer.status(), answer.body().length == 0 ? -1 : answer.body().length);
            if (answer.body().length > 0) {
                exchange.getResponseBody().write(answer.body());
            }
        }
    }

    private synchronized Answer answer(String path) {
        Answer wrong = replaced.get(path);
        if (wrong != null) {
            return wrong;
        }
        byte[] body = body(path);
        return body == null ? new Answer(404, new byte[0]) : new Answer(path.equals("/v1/events") ? 207 : 200, body);
    }

    private byte @Nullable [] body(String path) {
        String last = path.substring(path.lastIndexOf('/') + 1);
        if (path.equals("/v1/events")) {
            return json(Map.of("receipt", Map.of("href", href(lines.size() - 1))))
                    .getBytes(StandardCharsets.UTF_8);
        }
        if (path.equals(LATEST)) {
            int newest = epochs.size() - 1;
            return epochJson(newest, goodNote(newest)).getBytes(StandardCharsets.UTF_8);
        }
        if (path.startsWith("/v1/receipts/1/0/")) {
            int number = Integer.parseInt(last);
            return receiptJson(number, goodNote(number)).getBytes(StandardCharsets.UTF_8);
        }
        if (path.startsWith("/v1/events/0/")) {
            int index = Integer.parseInt(last);
            return json(Map.of(
                            "entry",
                            base64(entries.get(index)),
                            "payload",
                            base64(RecordedClient.event(lines.get(index)).payload()),
                            "incarnation",
                            1,
                            "offset",
                            index))
                    .getBytes(StandardCharsets.UTF_8);
        }
        if (path.startsWith("/log/tile/0/000.p/")) {
            ByteArrayOutputStream tile = new ByteArrayOutputStream();
            epochs.stream()
                    .limit(Integer.parseInt(last))
                    .forEach(epoch ->
                            tile.writeBytes(Rfc6962.leafHash(epoch.leaf()).bytes()));
            return tile.toByteArray();
        }
        return null;
    }

    static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
