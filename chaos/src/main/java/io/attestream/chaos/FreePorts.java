// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Free ports on loopback. */
public final class FreePorts {
    private FreePorts() {}

    /** A port nobody listens on right now. */
    public static int pick() {
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
                return port;
            } catch (IOException e) {
                // Taken: any other will do.
            }
        }
        return pick();
    }
}
