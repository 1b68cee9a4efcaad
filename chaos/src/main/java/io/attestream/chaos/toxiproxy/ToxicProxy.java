// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.toxiproxy;

import io.attestream.chaos.TcpProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A proxy as Toxiproxy knows it: it has a name, addresses, toxics, and listens while it is enabled. Not thread-safe. */
final class ToxicProxy {
    private static final Pattern ADDRESS = Pattern.compile("(\\[[0-9a-fA-F:]+]|[^:]+):([0-9]{1,5})");
    private static final Set<String> NAMES = Set.of("localhost", "127.0.0.1", "[::1]");
    private static final int PORT_MAX = 65_535;

    private final String name;
    private String listen;
    private String upstream;
    private List<Toxic> toxics = List.of();
    private @Nullable TcpProxy running;

    /** @throws ApiError if an address is none, or not on loopback */
    ToxicProxy(String name, String listen, String upstream) throws ApiError {
        this.name = name;
        this.listen = listen;
        this.upstream = upstream;
        address("listen", listen);
        address("upstream", upstream);
    }

    /** No name is looked up: what is asked for may come from anywhere. */
    private static InetSocketAddress address(String member, String text) throws ApiError {
        Matcher matcher = ADDRESS.matcher(text);
        if (!matcher.matches() || !NAMES.contains(matcher.group(1)) || Integer.parseInt(matcher.group(2)) > PORT_MAX) {
            throw ApiError.badBody(member + " must be 127.0.0.1:<port>: only loopback is served here");
        }
        try {
            return new InetSocketAddress(InetAddress.getByName(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        } catch (UnknownHostException e) {
            throw ApiError.badBody(member + ": " + e.getMessage());
        }
    }

    String name() {
        return name;
    }

    String listen() {
        return listen;
    }

    String upstream() {
        return upstream;
    }

    boolean isEnabled() {
        return running != null;
    }

    List<Toxic> toxics() {
        return toxics;
    }

    boolean isTheSame(ToxicProxy other) {
        return listen.equals(other.listen) && upstream.equals(other.upstream);
    }

    /** Listens, or does nothing if it does. A port of 0 becomes the one it got. */
    TcpProxy start() throws ApiError {
        TcpProxy started = running;
        if (started == null) {
            InetSocketAddress address = address("listen", listen);
            try {
                started = TcpProxy.start(address, address("upstream", upstream));
            } catch (IOException e) {
                throw new ApiError(500, "listen tcp " + listen + ": " + e.getMessage());
            }
            listen = listen.substring(0, listen.lastIndexOf(':') + 1) + started.port();
            started.setToxics(toxics);
            running = started;
        }
        return started;
    }

    /** Ends all connections, and makes no more. */
    void stop() {
        if (running != null) {
            running.close();
            running = null;
        }
    }

    /** Other addresses end all connections. */
    void update(String newListen, String newUpstream, boolean enabled) throws ApiError {
        address("listen", newListen);
        address("upstream", newUpstream);
        if (!newListen.equals(listen) || !newUpstream.equals(upstream)) {
            stop();
            listen = newListen;
            upstream = newUpstream;
        }
        if (enabled) {
            start();
        } else {
            stop();
        }
    }

    void setToxics(List<Toxic> now) {
        toxics = List.copyOf(now);
        if (running != null) {
            running.setToxics(toxics);
        }
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", name);
        json.put("listen", listen);
        json.put("upstream", upstream);
        json.put("enabled", isEnabled());
        json.put("toxics", toxics.stream().map(Toxic::json).toList());
        return json;
    }
}
