// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import io.attestream.chaos.toxiproxy.Toxic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A link between two parts on loopback that can be cut: nothing gets through then in either direction, no connection is made and none
 * ends, as when packets are dropped between two machines. What was sent meanwhile arrives when it is healed. It can be spoilt by
 * {@link Toxic}s, too. Thread-safe.
 */
public final class TcpProxy implements AutoCloseable {
    private static final int CONNECT_MILLIS = 2_000;
    private static final int BACKLOG = 100;

    private final ServerSocket listener;
    private final InetSocketAddress target;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Set<Pump> pumps = ConcurrentHashMap.newKeySet();
    private volatile Conditions conditions = new Conditions(false, List.of());
    private volatile boolean closed;

    /** What is wrong with the link now. */
    record Conditions(boolean cut, List<Toxic> toxics) {}

    private TcpProxy(ServerSocket listener, InetSocketAddress target) {
        this.listener = listener;
        this.target = target;
    }

    /** @param port of its own; 0 for any that is free */
    public static TcpProxy start(int port, int targetPort) {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try {
            return start(new InetSocketAddress(loopback, port), new InetSocketAddress(loopback, targetPort));
        } catch (IOException e) {
            throw new UncheckedIOException("a proxy for port " + targetPort + " could not be started", e);
        }
    }

    /**
     * Starts one that listens elsewhere than on the usual loopback address.
     *
     * @throws IOException if it cannot listen there
     */
    public static TcpProxy start(InetSocketAddress listen, InetSocketAddress target) throws IOException {
        TcpProxy proxy = new TcpProxy(new ServerSocket(listen.getPort(), BACKLOG, listen.getAddress()), target);
        daemon("proxy-" + proxy.port(), proxy::accept);
        return proxy;
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

    public int targetPort() {
        return target.getPort();
    }

    /** From now on nothing gets through. */
    public synchronized void cut() {
        change(new Conditions(true, conditions.toxics()));
    }

    /** Ends a {@link #cut}. */
    public synchronized void heal() {
        change(new Conditions(false, conditions.toxics()));
    }

    /** From now on these act on connections, open ones and new ones, and no others. */
    public synchronized void setToxics(List<Toxic> toxics) {
        change(new Conditions(conditions.cut(), List.copyOf(toxics)));
    }

    private void change(Conditions other) {
        conditions = other;
        notifyAll();
        pumps.forEach(Pump::wake);
    }

    Conditions conditions() {
        return conditions;
    }

    private synchronized void awaitWhole() throws InterruptedException {
        while (conditions.cut() && !closed) {
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
        Socket server = new Socket();
        try {
            awaitWhole();
            open.add(server);
            server.connect(target, CONNECT_MILLIS);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        } catch (IOException e) {
            end(client); // as if the target refused
            end(server);
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        pump(client, server, Toxic.Stream.UPSTREAM);
        pump(server, client, Toxic.Stream.DOWNSTREAM);
        if (closed) {
            end(client);
            end(server);
        }
    }

    private void pump(Socket from, Socket to, Toxic.Stream stream) {
        Pump pump = new Pump(this, from, to, stream);
        pumps.add(pump);
        daemon("proxy-" + port() + "-read", pump::read);
        daemon("proxy-" + port() + "-write", () -> {
            pump.write();
            pumps.remove(pump);
            end(to);
        });
    }

    private void end(Socket socket) {
        open.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        change(new Conditions(false, List.of()));
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        open.forEach(this::end);
    }
}
