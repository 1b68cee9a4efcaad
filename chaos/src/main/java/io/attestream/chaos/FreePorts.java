// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Free ports on loopback. */
public final class FreePorts {
    private static final int TRIES = 100;
    /** A port is bound some time after it was picked: until then the system may give it out a second time. */
    private static final Set<Integer> PICKED = ConcurrentHashMap.newKeySet();

    private FreePorts() {}

    /** A port nobody listens on right now, and that was not given out here before. */
    public static int pick() {
        int port = any();
        for (int i = 0; i < TRIES && !PICKED.add(port); i++) {
            port = any();
        }
        return port;
    }

    private static int any() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on loopback", e);
        }
    }

    /** This port if nobody listens on it, else another. */
    static int preferring(int port) {
        if (port > 0) {
            try (ServerSocket socket = new ServerSocket()) {
                // As servers do it: a connection of the last life must not make the port look taken.
                socket.setReuseAddress(true);
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
                PICKED.add(port);
                return port;
            } catch (IOException e) {
                // Taken: any other will do.
            }
        }
        return pick();
    }
}
