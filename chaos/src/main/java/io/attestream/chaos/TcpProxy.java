// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A link between two parts on loopback that can be cut: nothing gets through then in either direction, no connection is made and none
 * ends, as when packets are dropped between two machines. What was sent meanwhile arrives when it is healed. Thread-safe.
 */
public final class TcpProxy implements AutoCloseable {
    private static final int BUFFER_SIZE_BYTES = 64 << 10;
    private static final int CONNECT_MILLIS = 2_000;

    private final ServerSocket listener;
    private final InetSocketAddress target;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private boolean cut;
    private volatile boolean closed;

    private TcpProxy(ServerSocket listener, InetSocketAddress target) {
        this.listener = listener;
        this.target = target;
    }

    /** @param port of its own; 0 for any that is free */
    public static TcpProxy start(int port, int targetPort) {
        try {
            InetAddress loopback = InetAddress.getLoopbackAddress();
            TcpProxy proxy =
                    new TcpProxy(new ServerSocket(port, 100, loopback), new InetSocketAddress(loopback, targetPort));
            daemon("proxy-" + proxy.port(), proxy::accept);
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException("a proxy for port " + targetPort + " could not be started", e);
        }
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Port to connect to. */
    public int port() {
        return listener.getLocalPort();
    }

    int targetPort() {
        return target.getPort();
    }

    /** From now on nothing gets through. */
    public synchronized void cut() {
        cut = true;
    }

    /** Ends a {@link #cut}. */
    public synchronized void heal() {
        cut = false;
        notifyAll();
    }

    private synchronized void awaitWhole() throws InterruptedException {
        while (cut && !closed) {
            wait();
        }
    }

    private void accept() {
        while (!closed) {
            try {
                Socket client = listener.accept();
                open.add(client);
                daemon("proxy-" + port() + "-link", () -> link(client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void link(Socket client) {
        try {
            awaitWhole();
            Socket server = new Socket();
            open.add(server);
            server.connect(target, CONNECT_MILLIS);
            daemon("proxy-" + port() + "-back", () -> pump(server, client));
            pump(client, server);
        } catch (IOException e) {
            end(client); // as if the target refused
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void pump(Socket from, Socket to) {
        byte[] buffer = new byte[BUFFER_SIZE_BYTES];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                awaitWhole();
                out.write(buffer, 0, n);
            }
            awaitWhole(); // an end is a packet, too
        } catch (IOException e) {
            // One side is gone: so is the other.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        closed = true;
        heal();
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        open.forEach(TcpProxy::end);
    }
}
