// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.NodeReader;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.avro.Event;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.jspecify.annotations.Nullable;

/**
 * A small real ledger: entries, trees, epochs, signed notes, archive objects, and the internal HTTP interface of the proofs
 * service over it. Proofs come from brute force over all leaves, so that the gateway's answers have an oracle.
 */
public final class TestLedger implements AutoCloseable {
    public static final String ORIGIN = "ledger.test/one";
    public static final String SECRET = "internal-secret-of-the-tests";
    public static final int SHARDS = 2;
    public static final String OWN_TENANT = "acme";
    public static final String OTHER_TENANT = "globex";

    /** Magic byte and schema id of a record. */
    private static final int HEAD_SIZE_BYTES = 5;

    private record Leaf(LeafRecord record, Payload payload) {}

    private record Published(
            long epoch, byte[] leaf, List<byte[]> heads, String note, String segment, String payloads) {}

    private final NoteSigner signer = NoteSigner.generate(ORIGIN, new SecureRandom());
    private final List<NoteSigner> signers = new ArrayList<>(List.of(signer));
    private KeyHistory keys = KeyHistory.of(signer.verifier());
    private final ObjectStore store;
    private final Path objects;
    private final HttpServer server;
    private final List<List<Leaf>> shards = new ArrayList<>();
    private final List<Published> epochs = new ArrayList<>();
    private final long[] publishedSizes = new long[SHARDS];
    /** Answers that replace those of the ledger, by path below the internal base. */
    private final Map<String, String> overrides = new ConcurrentHashMap<>();
    /** JSON of outcomes by shard/offset. */
    private final Map<String, String> outcomes = new HashMap<>();

    private volatile boolean down;

    public TestLedger(Path objects) {
        this.objects = objects;
        try {
            store = new DirectoryObjectStore(objects);
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (int i = 0; i < SHARDS; i++) {
            shards.add(new ArrayList<>());
        }
        server.createContext("/internal/v1/", this::handle);
        server.start();
    }

    public NoteSigner signer() {
        return signer;
    }

    public URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public Path objects() {
        return objects;
    }

    public void setDown(boolean isDown) {
        down = isDown;
    }

    /** Leaves of a shard, published or not. */
    public synchronized int size(int shard) {
        return shards.get(shard).size();
    }

    /** Lies at one path; {@code null} tells the truth again. */
    public void override(String path, @Nullable String body) {
        if (body == null) {
            overrides.remove(path);
        } else {
            overrides.put(path, body);
        }
    }

    /** Adds a leaf; returns its index. */
    public synchronized long event(int shard, long offset, String tenant, String id, String payload) {
        return add(shard, offset, tenant, id, payload, -1);
    }

    public synchronized long conflict(int shard, long offset, String tenant, String id, String payload, long ref) {
        return add(shard, offset, tenant, id, payload, ref);
    }

    /** Adds a leaf of a record as a door wrote it, in the shard it wrote it to. */
    public synchronized long written(int shard, long offset, byte[] value) throws IOException {
        return written(shard, offset, value, null);
    }

    /** With another payload than the door wrote, as somebody may store it who writes to the object store. */
    public synchronized long written(int shard, long offset, byte[] value, @Nullable Payload planted)
            throws IOException {
        GenericRecord event = new GenericDatumReader<GenericRecord>(Event.getClassSchema())
                .read(
                        null,
                        DecoderFactory.get()
                                .binaryDecoder(value, HEAD_SIZE_BYTES, value.length - HEAD_SIZE_BYTES, null));
        Map<String, String> attributes = new HashMap<>();
        ((Map<?, ?>) event.get("attributes")).forEach((name, text) -> attributes.put(name.toString(), text.toString()));
        long time = 1_767_600_000_000L + offset;
        byte[] entry = CanonicalEntry.event(
                attributes,
                event.get("tenant").toString(),
                event.get("actor").toString(),
                time,
                fixed(event, "dataDigest"),
                (Long) event.get("dataSize"));
        List<Leaf> leaves = shards.get(shard);
        leaves.add(new Leaf(
                new LeafRecord(EntryKind.EVENT, offset, time, entry), planted == null ? payload(event) : planted));
        return leaves.size() - 1L;
    }

    private static Payload payload(GenericRecord event) {
        GenericRecord envelope = (GenericRecord) event.get("payload");
        byte[] tag = fixed(event, "contentTag");
        return envelope.getSchema().getName().equals("EncryptedPayload")
                ? new Payload.Encrypted(
                        tag,
                        envelope.get("keyId").toString(),
                        bytes((ByteBuffer) envelope.get("nonce")),
                        bytes((ByteBuffer) envelope.get("ciphertext")))
                : new Payload.Plain(tag, fixed(envelope, "salt"), bytes((ByteBuffer) envelope.get("data")));
    }

    private static byte[] fixed(GenericRecord record, String field) {
        return ((GenericFixed) record.get(field)).bytes();
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    private long add(int shard, long offset, String tenant, String id, String payload, long ref) {
        Map<String, String> attributes = Map.of("specversion", "1.0", "id", id, "source", "/test", "type", "t");
        byte[] data = payload.getBytes(StandardCharsets.UTF_8);
        byte[] salt = new byte[16];
        new SecureRandom().nextBytes(salt);
        byte[] digest = DataDigest.compute(salt, data);
        long time = 1_767_600_000_000L + offset;
        byte[] entry = ref < 0
                ? CanonicalEntry.event(attributes, tenant, "actor", time, digest, data.length)
                : CanonicalEntry.conflict(attributes, tenant, "actor", time, digest, data.length, new LeafIndex(ref));
        List<Leaf> leaves = shards.get(shard);
        EntryKind kind = ref < 0 ? EntryKind.EVENT : EntryKind.CONFLICT;
        leaves.add(new Leaf(new LeafRecord(kind, offset, time, entry), new Payload.Plain(new byte[16], salt, data)));
        return leaves.size() - 1L;
    }

    public synchronized void duplicate(int shard, long offset, long reference) {
        outcomes.put(shard + "/" + offset, "{\"status\":\"duplicate\",\"reference\":" + reference + "}");
    }

    public synchronized void rejected(int shard, long offset, String reason) {
        outcomes.put(shard + "/" + offset, "{\"status\":\"rejected\",\"reason\":\"" + reason + "\"}");
    }

    /** Every offset below is accounted for. */
    private long nextOffset(int shard) {
        long next = 0;
        for (Leaf leaf : shards.get(shard)) {
            next = Math.max(next, leaf.record().offset() + 1);
        }
        for (String key : outcomes.keySet()) {
            if (key.startsWith(shard + "/")) {
                next = Math.max(next, Long.parseLong(key.substring(key.indexOf('/') + 1)) + 1);
            }
        }
        return next;
    }

    /** What the object store says of the ledger's keys. */
    public synchronized KeyHistory keys() {
        return keys;
    }

    /** Publishes an epoch that announces another key, which signs the next ones too. */
    public synchronized void announceKey() throws InvalidFormat, IOException {
        NoteSigner added = NoteSigner.generate(ORIGIN, new SecureRandom());
        KeyChange change = keys.announce(signers.get(signers.size() - 1), added);
        CompactRange before = CompactRange.empty();
        epochs.forEach(epoch -> before.append(Rfc6962.leafHash(epoch.leaf())));
        publish(List.of(change.logged()));
        Published epoch = epochs.get(epochs.size() - 1);
        KeyStep step = KeyStep.of(change, epoch.leaf(), before, epoch.note());
        keys = step.extend(keys);
        store.putIfAbsent(KeyStep.name(change.number()), step.encode());
        signers.add(added);
    }

    /** Publishes everything added so far as the next epoch. */
    public synchronized void publish() {
        publish(List.of());
    }

    private void publish(List<EpochLeaf.Logged> logged) {
        try {
            long number = epochs.size();
            Segment.Builder segment = Segment.builder(number);
            PayloadObject.Builder payloads = PayloadObject.builder(number);
            List<byte[]> heads = new ArrayList<>();
            for (int shard = 0; shard < SHARDS; shard++) {
                List<Leaf> leaves = shards.get(shard);
                if (publishedSizes[shard] < leaves.size()) {
                    segment.startShard(shard, publishedSizes[shard]);
                    payloads.startShard(shard, publishedSizes[shard]);
                    for (Leaf leaf : leaves.subList((int) publishedSizes[shard], leaves.size())) {
                        segment.add(leaf.record());
                        payloads.add(leaf.payload());
                    }
                }
                publishedSizes[shard] = leaves.size();
                TreeSize size = new TreeSize(leaves.size());
                heads.add(new ShardHead(shard, size, Proofs.root(size, shardNodes(shard)), nextOffset(shard)).encode());
            }
            byte[] segmentBytes = segment.build();
            byte[] payloadBytes = payloads.build();
            String segmentName = ObjectNames.segment(number, segmentBytes);
            String payloadName = ObjectNames.payloads(number, payloadBytes);
            store.putIfAbsent(segmentName, segmentBytes);
            store.putIfAbsent(payloadName, payloadBytes);
            Hash vector = Proofs.root(
                    new TreeSize(SHARDS),
                    nodes(heads.stream().map(Rfc6962::leafHash).toList()));
            byte[] leaf =
                    new EpochLeaf(number, "2026-01-05T09:00:00.000Z", Map.of("leaves", 1L), logged, vector).encode();
            epochs.add(new Published(number, leaf, heads, "", segmentName, payloadName));
            TreeSize size = new TreeSize(epochs.size());
            String text = new Checkpoint(ORIGIN, size, Proofs.root(size, ledgerNodes())).text();
            String note = new SignedNote(
                            text, signers.stream().map(each -> each.sign(text)).toList())
                    .encode();
            epochs.set((int) number, new Published(number, leaf, heads, note, segmentName, payloadName));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private NodeReader shardNodes(int shard) {
        return nodes(shards.get(shard).stream()
                .map(leaf -> Rfc6962.leafHash(leaf.record().entry()))
                .toList());
    }

    private NodeReader ledgerNodes() {
        return nodes(
                epochs.stream().map(epoch -> Rfc6962.leafHash(epoch.leaf())).toList());
    }

    private static NodeReader nodes(List<Hash> leaves) {
        return new NodeReader() {
            @Override
            public Hash node(int level, long index) throws IOException {
                return level == 0
                        ? leaves.get((int) index)
                        : Rfc6962.nodeHash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1));
            }
        };
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().toString().substring("/internal/v1/".length());
            String authorization = exchange.getRequestHeaders().getFirst("Authorization");
            if (down || !("Bearer " + SECRET).equals(authorization)) {
                send(exchange, down ? 503 : 401, reason("not-here"));
                return;
            }
            answer(exchange, path);
        }
    }

    private void answer(HttpExchange exchange, String path) throws IOException {
        byte[] body;
        try {
            body = answer(path);
        } catch (InvalidFormat | RuntimeException e) {
            send(exchange, 400, reason("size-not-published"));
            return;
        }
        if (body == null) {
            send(exchange, 404, reason("not-published"));
        } else {
            send(exchange, 200, body);
        }
    }

    private static byte[] reason(String reason) {
        return ("{\"reason\":\"" + reason + "\"}").getBytes(StandardCharsets.UTF_8);
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    private synchronized byte @Nullable [] answer(String path) throws IOException, InvalidFormat {
        String override = overrides.get(path);
        if (override != null) {
            return override.getBytes(StandardCharsets.UTF_8);
        }
        int question = path.indexOf('?');
        String bare = question < 0 ? path : path.substring(0, question);
        Map<String, Long> query = question < 0 ? Map.of() : query(path.substring(question + 1));
        String[] parts = bare.split("/", 3);
        String text = parts[0].equals("ledger")
                ? ledger(bare.substring("ledger/".length()), query)
                : shard(Integer.parseInt(parts[1]), parts[2], query);
        if (text != null) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        return bare.contains("/tiles/") ? tile(bare) : null;
    }

    private static Map<String, Long> query(String text) {
        Map<String, Long> query = new HashMap<>();
        for (String pair : text.split("&", -1)) {
            query.put(pair.substring(0, pair.indexOf('=')), Long.parseLong(pair.substring(pair.indexOf('=') + 1)));
        }
        return query;
    }

    private @Nullable String shard(int shard, String path, Map<String, Long> query) throws IOException {
        if (path.startsWith("offsets/")) {
            return offset(shard, Long.parseLong(path.substring("offsets/".length())));
        }
        return switch (path) {
            case "inclusion" -> inclusion(query.get("index"), query.get("size"), shardNodes(shard));
            case "consistency" -> consistency(query, shardNodes(shard));
            case "checkpoint" ->
                epochs.isEmpty() ? null : epochs.get(epochs.size() - 1).note();
            default -> null;
        };
    }

    private String offset(int shard, long offset) {
        List<Leaf> leaves = shards.get(shard);
        for (int i = 0; i < leaves.size(); i++) {
            LeafRecord record = leaves.get(i).record();
            if (record.offset() == offset) {
                return "{\"status\":\"leaf\",\"kind\":\"" + record.kind().word() + "\",\"leafIndex\":" + i + "}";
            }
        }
        String outcome = outcomes.get(shard + "/" + offset);
        if (outcome != null) {
            return outcome;
        }
        long next = nextOffset(shard);
        return offset >= next ? "{\"status\":\"pending\",\"nextOffset\":" + next + "}" : "{\"status\":\"unknown\"}";
    }

    private @Nullable String ledger(String path, Map<String, Long> query) throws IOException {
        if (path.equals("covering")) {
            for (Published epoch : epochs) {
                ShardHead head = head(epoch, Math.toIntExact(query.get("shard")));
                if (head.size().value() > query.get("index")) {
                    return json(epoch);
                }
            }
            return null;
        }
        if (path.startsWith("epochs/")) {
            String number = path.substring("epochs/".length());
            int index = number.equals("latest") ? epochs.size() - 1 : Integer.parseInt(number);
            return index < 0 || index >= epochs.size() ? null : json(epochs.get(index));
        }
        return switch (path) {
            case "inclusion" -> inclusion(query.get("epoch"), query.get("size"), ledgerNodes());
            case "consistency" -> consistency(query, ledgerNodes());
            case "checkpoint" ->
                epochs.isEmpty() ? null : epochs.get(epochs.size() - 1).note();
            default -> null;
        };
    }

    private static ShardHead head(Published epoch, int shard) {
        try {
            return ShardHead.parse(epoch.heads().get(shard));
        } catch (InvalidFormat e) {
            throw new IllegalStateException(e);
        }
    }

    private static String json(Published epoch) {
        String heads =
                epoch.heads().stream().map(head -> "\"" + base64(head) + "\"").collect(Collectors.joining(","));
        return "{\"epoch\":" + epoch.epoch() + ",\"epochLeaf\":\"" + base64(epoch.leaf()) + "\",\"heads\":[" + heads
                + "],\"note\":\"" + epoch.note().replace("\n", "\\n") + "\",\"segment\":\"" + epoch.segment()
                + "\",\"payloads\":\"" + epoch.payloads() + "\"}";
    }

    private static String inclusion(long index, long size, NodeReader nodes) throws IOException {
        List<Hash> path = Proofs.inclusion(new LeafIndex(index), new TreeSize(size), nodes);
        return "{\"leafHash\":\"" + nodes.node(0, index).base64() + "\",\"path\":" + array(path) + "}";
    }

    private static String consistency(Map<String, Long> query, NodeReader nodes) throws IOException {
        TreeSize first = new TreeSize(query.get("first"));
        return "{\"path\":" + array(Proofs.consistency(first, new TreeSize(query.get("second")), nodes)) + "}";
    }

    private static String array(List<Hash> hashes) {
        return hashes.stream().map(hash -> "\"" + hash.base64() + "\"").collect(Collectors.joining(",", "[", "]"));
    }

    private byte @Nullable [] tile(String path) throws InvalidFormat, IOException {
        String[] parts = path.split("/tiles/", 2);
        if (!(TilePath.parse("tile/" + parts[1]) instanceof TilePath.HashTile tile)) {
            return null;
        }
        boolean ledger = parts[0].equals("ledger");
        int shard = ledger ? -1 : Integer.parseInt(parts[0].substring("shards/".length()));
        long size = ledger ? epochs.size() : publishedSizes[shard];
        NodeReader nodes = ledger ? ledgerNodes() : shardNodes(shard);
        long first = tile.index() * 256;
        if (tile.level() > 0 || first + tile.width() > size) {
            return null;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (long i = first; i < first + tile.width(); i++) {
            bytes.write(nodes.node(0, i).bytes());
        }
        return bytes.toByteArray();
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
