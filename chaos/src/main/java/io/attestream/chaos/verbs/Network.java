// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import io.attestream.chaos.toxiproxy.Toxic;
import io.attestream.chaos.toxiproxy.Toxic.Stream;
import io.attestream.chaos.toxiproxy.ToxiproxyClient;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Faults between a kind of service and Kafka, by toxics of the proxy {@code kafka-<kind>}. */
final class Network {
    private final URI url;
    private final String proxy;
    private final List<Toxic> toxics;

    private Network(URI url, String proxy, List<Toxic> toxics) {
        this.url = url;
        this.proxy = proxy;
        this.toxics = toxics;
    }

    static Optional<URI> url(@Nullable String text) {
        return Optional.ofNullable(text).filter(some -> !some.isEmpty()).map(URI::create);
    }

    /**
     * What a verb does to the network of a service; nothing is done yet.
     *
     * @throws ChaosSkipped if there is no such Toxiproxy, or none for this kind
     */
    static Network of(URI url, String service, Verb verb, Parameters parameters) {
        String proxy = "kafka-" + service.replaceAll("-[0-9]+$", "");
        try {
            ToxiproxyClient client = new ToxiproxyClient(url);
            if (!client.proxies().contains(proxy)) {
                throw new ChaosSkipped("Toxiproxy at " + url + " has no proxy " + proxy + ", it has "
                        + String.join(", ", client.proxies()));
            }
            List<Toxic> toxics = toxics(verb, parameters);
            for (Toxic toxic : toxics) {
                requireNew(client, proxy, toxic.name());
            }
            return new Network(url, proxy, toxics);
        } catch (IOException e) {
            throw new ChaosSkipped(String.valueOf(e.getMessage()));
        }
    }

    /** Otherwise it would be taken away with what this fault did. */
    private static void requireNew(ToxiproxyClient client, String proxy, String toxic) throws IOException {
        if (client.has(proxy, toxic)) {
            throw new ChaosRefused(
                    "proxy " + proxy + " has a toxic " + toxic + " already, of somebody else",
                    "Wait until it is gone, or remove it with Toxiproxy's own API.");
        }
    }

    private static List<Toxic> toxics(Verb verb, Parameters parameters) {
        return switch (verb) {
            case PARTITION ->
                List.of(
                        toxic(verb, Toxic.Type.TIMEOUT, Stream.UPSTREAM, Map.of("timeout", 0L)),
                        toxic(verb, Toxic.Type.TIMEOUT, Stream.DOWNSTREAM, Map.of("timeout", 0L)));
            case DELAY ->
                List.of(toxic(
                        verb,
                        Toxic.Type.LATENCY,
                        Stream.DOWNSTREAM,
                        Map.of(
                                "latency", parameters.delay().toMillis(),
                                "jitter", parameters.jitter().toMillis())));
            case RESET -> List.of(toxic(verb, Toxic.Type.RESET_PEER, Stream.DOWNSTREAM, Map.of("timeout", 0L)));
            case BANDWIDTH -> {
                Map<String, Long> rate = Map.of("rate", parameters.rateKilobytesPerSecond());
                yield List.of(
                        toxic(verb, Toxic.Type.BANDWIDTH, Stream.UPSTREAM, rate),
                        toxic(verb, Toxic.Type.BANDWIDTH, Stream.DOWNSTREAM, rate));
            }
            default -> throw new IllegalArgumentException(verb + " is not done by a proxy");
        };
    }

    private static Toxic toxic(Verb verb, Toxic.Type type, Stream stream, Map<String, Long> attributes) {
        return Toxic.of(
                "chaos-" + verb.word() + (stream == Stream.UPSTREAM ? "-up" : "-down"), type, stream, attributes);
    }

    List<String> steps() {
        List<String> steps = new ArrayList<>();
        toxics.forEach(toxic -> steps.add("add toxic " + toxic.name() + " (" + toxic.type() + " " + toxic.attributes()
                + ") to proxy " + proxy + " at " + url));
        toxics.forEach(toxic -> steps.add(undo(toxic).words()));
        return steps;
    }

    private Undo undo(Toxic toxic) {
        return new Undo.RemoveToxic(url.toString(), proxy, toxic.name());
    }

    void start(Injection injection) throws IOException {
        ToxiproxyClient client = new ToxiproxyClient(url);
        injection.tell("proxy", proxy);
        for (Toxic toxic : toxics) {
            injection.undoBy(undo(toxic));
            client.add(proxy, toxic);
        }
    }
}
