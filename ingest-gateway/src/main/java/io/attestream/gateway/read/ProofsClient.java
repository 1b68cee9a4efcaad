// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.config.Secrets;
import io.attestream.gateway.http.BoundedBody;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.Hash;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the proofs instances. Each holds some shards, active or standby; the one that answered last for a log is asked first,
 * then the others. Answers are believed only as far as they are checked later: what becomes a bundle is verified before it
 * is served. Blocking: for worker threads only.
 */
@ApplicationScoped
public class ProofsClient {
    /** A tile is 8 KiB, an epoch of 1,024 shards about 200 KiB. */
    private static final int MAX_ANSWER_BYTES = 4 << 20;

    /**
     * Workers that may wait for the proofs instances at once. The pool has at least 200 and is the same that appends run
     * on: instances that hang must not take the ingest with them.
     */
    private static final int MAX_ASKING = 64;

    private static final long EPOCH_CACHE_BYTES = 16L << 20;
    private static final Logger LOG = LoggerFactory.getLogger(ProofsClient.class);

    private final GatewayConfig config;
    private final Supplier<String> secret;
    private final ObjectMapper json;
    private final HttpClient http;
    private final Semaphore asking = new Semaphore(MAX_ASKING);
    private final Map<LogName, Integer> lastGood = new ConcurrentHashMap<>();
    private final Cache<Long, Epoch> epochs = Caffeine.newBuilder()
            .maximumWeight(EPOCH_CACHE_BYTES)
            .weigher((Long number, Epoch epoch) -> epoch.sizeBytes())
            .build();

    @Inject
    ProofsClient(GatewayConfig config, Secrets secrets, ObjectMapper json) {
        this(config, secrets::internalSecret, json);
    }

    /** @param secret not there before the start */
    ProofsClient(GatewayConfig config, Supplier<String> secret, ObjectMapper json) {
        this.config = config;
        this.secret = secret;
        this.json = json;
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(config.proofs().timeout())
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    /** What was asked is no size of a published head. */
    public static final class SizeNotPublished extends Exception {
        SizeNotPublished() {
            super("size-not-published", null, false, false);
        }
    }

    private record Answer(int status, byte[] body) {}

    /** What became of a record; never empty for a shard that exists. */
    public Optional<OffsetState> offset(int shard, long offset) throws Unavailable {
        LogName log = new LogName.Shard(shard);
        Optional<JsonNode> answer = object(log, "/offsets/" + offset);
        return answer.isPresent() ? Optional.of(offsetState(answer.get())) : Optional.empty();
    }

    private static OffsetState offsetState(JsonNode answer) throws Unavailable {
        String status = answer.path("status").asText();
        return switch (status) {
            case "leaf" -> new OffsetState.Leaf(answer.path("kind").asText(), number(answer, "leafIndex"));
            case "duplicate" -> new OffsetState.Duplicate(number(answer, "reference"));
            case "rejected" -> new OffsetState.Rejected(answer.path("reason").asText());
            case "pending" -> new OffsetState.Pending(number(answer, "nextOffset"));
            case "unknown" -> new OffsetState.NeverThere();
            default -> throw new Unavailable("the proofs service gave an answer that is not understood");
        };
    }

    /** A hash tile. One of another length is no tile, and would be cached as one for a year. */
    public Optional<byte[]> tile(LogName log, TilePath.HashTile tile) throws Unavailable {
        Optional<byte[]> hashes = bytes(log, "/tiles/" + tile.path().substring("tile/".length()));
        if (hashes.isPresent() && hashes.get().length != tile.width() * Hash.SIZE_BYTES) {
            LOG.error("{}: {} has {} bytes", log.path(), tile.path(), hashes.get().length);
            throw new Unavailable("the proofs service gave a tile of a wrong length");
        }
        return hashes;
    }

    /** The newest checkpoint of a log. */
    public Optional<byte[]> checkpoint(LogName log) throws Unavailable {
        return bytes(log, "/checkpoint");
    }

    /** An audit path, and the hash of the leaf as the proofs service knows it. */
    public record Inclusion(Optional<Hash> leafHash, List<Hash> path) {
        public Inclusion {
            path = List.copyOf(path);
        }
    }

    /** Inclusion in a shard at the size of a published head. */
    public Optional<Inclusion> shardInclusion(int shard, long index, long size) throws Unavailable, SizeNotPublished {
        return inclusion(new LogName.Shard(shard), "/inclusion?index=" + index + "&size=" + size);
    }

    /** Inclusion of an epoch in the ledger log. */
    public Optional<Inclusion> ledgerInclusion(long epoch, long size) throws Unavailable, SizeNotPublished {
        return inclusion(new LogName.Ledger(), "/inclusion?epoch=" + epoch + "&size=" + size);
    }

    private Optional<Inclusion> inclusion(LogName log, String path) throws Unavailable, SizeNotPublished {
        Optional<JsonNode> answer = proof(log, path);
        if (answer.isEmpty()) {
            return Optional.empty();
        }
        JsonNode leafHash = answer.get().path("leafHash");
        return Optional.of(new Inclusion(
                leafHash.isTextual() ? Optional.of(hash(leafHash)) : Optional.empty(), hashes(answer.get())));
    }

    /** A consistency proof between two published sizes. */
    public Optional<List<Hash>> consistency(LogName log, long first, long second) throws Unavailable, SizeNotPublished {
        Optional<JsonNode> answer = proof(log, "/consistency?first=" + first + "&second=" + second);
        return answer.isPresent() ? Optional.of(hashes(answer.get())) : Optional.empty();
    }

    /** A published epoch by its number. */
    public Optional<Epoch> epoch(long number) throws Unavailable {
        Epoch cached = epochs.getIfPresent(number);
        return cached != null ? Optional.of(cached) : remembered(object(new LogName.Ledger(), "/epochs/" + number));
    }

    /** The newest published epoch. */
    public Optional<Epoch> latestEpoch() throws Unavailable {
        return remembered(object(new LogName.Ledger(), "/epochs/latest"));
    }

    /** The first published epoch that covers a leaf; empty while there is none. */
    public Optional<Epoch> covering(int shard, long leafIndex) throws Unavailable {
        return remembered(object(new LogName.Ledger(), "/covering?shard=" + shard + "&index=" + leafIndex));
    }

    /** The pack a leaf is in; empty while no published epoch logged one. */
    public Optional<PackName> pack(int shard, long leafIndex) throws Unavailable {
        Optional<JsonNode> answer = object(new LogName.Ledger(), "/packs?shard=" + shard + "&index=" + leafIndex);
        if (answer.isEmpty()) {
            return Optional.empty();
        }
        try {
            PackName name = PackName.parse(answer.get().path("name").asText());
            if (name.shard() != shard || !name.has(leafIndex)) {
                throw new Unavailable("the proofs service gave a pack of other leaves");
            }
            return Optional.of(name);
        } catch (InvalidFormat e) {
            throw new Unavailable("the proofs service gave a pack that is not understood");
        }
    }

    private Optional<Epoch> remembered(Optional<JsonNode> answer) throws Unavailable {
        if (answer.isEmpty()) {
            return Optional.empty();
        }
        Epoch epoch = readEpoch(answer.get());
        epochs.put(epoch.number(), epoch);
        return Optional.of(epoch);
    }

    private static Epoch readEpoch(JsonNode node) throws Unavailable {
        try {
            Base64.Decoder base64 = Base64.getDecoder();
            List<byte[]> heads = new ArrayList<>();
            node.path("heads").forEach(head -> heads.add(base64.decode(head.asText())));
            return new Epoch(
                    number(node, "epoch"),
                    base64.decode(node.path("epochLeaf").asText()),
                    heads,
                    node.path("note").asText(),
                    node.path("segment").asText(),
                    node.path("payloads").asText());
        } catch (IllegalArgumentException e) {
            throw new Unavailable("the proofs service gave an epoch that is not understood");
        }
    }

    private static long number(JsonNode node, String member) throws Unavailable {
        JsonNode value = node.path(member);
        try {
            return value.isTextual() ? Long.parseUnsignedLong(value.asText()) : exact(value);
        } catch (NumberFormatException e) {
            throw new Unavailable("the proofs service gave a number that is not understood");
        }
    }

    private static long exact(JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw new NumberFormatException("not a 64-bit integer");
        }
        return value.longValue();
    }

    private static List<Hash> hashes(JsonNode node) throws Unavailable {
        List<Hash> path = new ArrayList<>();
        for (JsonNode hash : node.path("path")) {
            path.add(hash(hash));
        }
        return path;
    }

    private static Hash hash(JsonNode text) throws Unavailable {
        try {
            return Hash.ofBase64(text.asText());
        } catch (InvalidFormat e) {
            throw new Unavailable("the proofs service gave a hash that is not understood");
        }
    }

    private Optional<JsonNode> proof(LogName log, String path) throws Unavailable, SizeNotPublished {
        Answer answer = ask(log, path);
        if (answer.status() == 400) {
            throw new SizeNotPublished();
        }
        return answer.status() == 404 ? Optional.empty() : Optional.of(read(answer));
    }

    private Optional<JsonNode> object(LogName log, String path) throws Unavailable {
        Answer answer = ask(log, path);
        return answer.status() == 200 ? Optional.of(read(answer)) : Optional.empty();
    }

    private Optional<byte[]> bytes(LogName log, String path) throws Unavailable {
        Answer answer = ask(log, path);
        return answer.status() == 200 ? Optional.of(answer.body()) : Optional.empty();
    }

    private JsonNode read(Answer answer) throws Unavailable {
        try {
            return json.readTree(answer.body());
        } catch (IOException e) {
            throw new Unavailable("the proofs service gave an answer that is not JSON");
        }
    }

    /**
     * The first answer of 200. An instance may be behind the others, so that it has nothing (404, 400) is believed only if
     * nobody has more to say.
     */
    private Answer ask(LogName log, String path) throws Unavailable {
        if (!asking.tryAcquire()) {
            throw new Unavailable("too many wait for the proofs instances already");
        }
        try {
            return askInTurn(log, path);
        } finally {
            asking.release();
        }
    }

    private Answer askInTurn(LogName log, String path) throws Unavailable {
        List<URI> urls = config.proofs().urls();
        int first = lastGood.getOrDefault(log, 0);
        Optional<Answer> nothing = Optional.empty();
        String problem = "none is configured";
        for (int i = 0; i < urls.size(); i++) {
            int at = (first + i) % urls.size();
            try {
                Answer answer = askOne(urls.get(at), log.path() + path);
                if (answer.status() == 200) {
                    lastGood.put(log, at);
                    return answer;
                }
                if (answer.status() == 400 || answer.status() == 404) {
                    nothing = Optional.of(nothing.orElse(answer));
                }
                problem = "status " + answer.status();
            } catch (IOException e) {
                problem = String.valueOf(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Unavailable("interrupted");
            }
        }
        if (nothing.isPresent()) {
            return nothing.get();
        }
        LOG.warn("no proofs instance answered {}{}: {}", log.path(), path, problem);
        throw new Unavailable("no proofs instance could answer for " + log.path());
    }

    private Answer askOne(URI base, String path) throws IOException, InterruptedException {
        Duration timeout = config.proofs().timeout();
        String root = base.toString().replaceAll("/+$", "");
        HttpRequest request = HttpRequest.newBuilder(URI.create(root + "/internal/v1/" + path))
                .timeout(timeout)
                .header("Authorization", "Bearer " + secret.get())
                .build();
        CompletableFuture<HttpResponse<byte[]>> response =
                http.sendAsync(request, info -> BoundedBody.atMost(MAX_ANSWER_BYTES));
        try {
            // The request's own timeout ends with the headers; this one also bounds a body that stalls.
            HttpResponse<byte[]> answer = response.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return new Answer(answer.statusCode(), answer.body());
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("no whole answer within " + timeout.toMillis() + " ms", e);
        } finally {
            // Lets go of the connection if there is no answer.
            response.cancel(true);
        }
    }
}
