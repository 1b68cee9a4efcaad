// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.toxiproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.model.Toxic;
import eu.rekawek.toxiproxy.model.ToxicDirection;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What each toxic does to real bytes, asked for by a client that was written for the real Toxiproxy. */
class ToxicsTest {
    private static final int SOON_MILLIS = 300;
    private static final int PATIENCE_MILLIS = 20_000;
    private static final int MIB = 1 << 20;

    private ServerSocket server;
    private ToxiproxyServer toxiproxy;
    private Proxy proxy;

    /** Answers every byte with the same. */
    @BeforeEach
    void startAnEchoBehindAProxy() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        daemon(this::echo);
        toxiproxy = ToxiproxyServer.start(0);
        eu.rekawek.toxiproxy.ToxiproxyClient client = new eu.rekawek.toxiproxy.ToxiproxyClient(
                "127.0.0.1", toxiproxy.url().getPort());
        proxy = client.createProxy("echo", "127.0.0.1:0", "127.0.0.1:" + server.getLocalPort());
    }

    @AfterEach
    void stop() throws IOException {
        toxiproxy.close();
        server.close();
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "echo");
        thread.setDaemon(true);
        thread.start();
    }

    private void echo() {
        while (true) {
            try {
                Socket client = server.accept();
                daemon(() -> echo(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private static void echo(Socket client) {
        try (client) {
            client.getInputStream().transferTo(client.getOutputStream());
        } catch (IOException e) {
            // It is over.
        }
    }

    private Socket connect() throws IOException {
        String listen = proxy.getListen();
        Socket socket = new Socket(
                InetAddress.getLoopbackAddress(), Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1)));
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    private static byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (i * 31);
        }
        return bytes;
    }

    /** Milliseconds until all of it was answered. */
    private static long ask(Socket socket, byte[] what) throws IOException {
        long begun = System.nanoTime();
        daemon(() -> {
            try {
                socket.getOutputStream().write(what);
            } catch (IOException e) {
                // The reader is told.
            }
        });
        assertThat(socket.getInputStream().readNBytes(what.length)).isEqualTo(what);
        return Duration.ofNanos(System.nanoTime() - begun).toMillis();
    }

    private static void send(Socket socket, int size) throws IOException {
        socket.getOutputStream().write(bytes(size));
    }

    @Test
    void latencyMakesAnswersLateOnOpenConnectionsUntilItIsRemoved() throws Exception {
        try (Socket socket = connect()) {
            ask(socket, bytes(10));

            // when
            Toxic late = proxy.toxics().latency("late", ToxicDirection.DOWNSTREAM, 600);

            // then
            assertThat(ask(socket, bytes(10))).isGreaterThanOrEqualTo(600);
            // Both pieces wait at the same time, not one after the other.
            assertThat(ask(socket, bytes(MIB / 2))).isBetween(600L, 5_000L);
            late.remove();
            assertThat(ask(socket, bytes(10))).isLessThan(600);
        }
    }

    @Test
    void removingLatencyLetsGoOfWhatItHeldBack() throws Exception {
        try (Socket socket = connect()) {
            Toxic late = proxy.toxics().latency("late", ToxicDirection.UPSTREAM, 3_600_000);
            send(socket, 10);
            socket.setSoTimeout(SOON_MILLIS);
            assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            socket.setSoTimeout(PATIENCE_MILLIS);
            late.remove();
            assertThat(socket.getInputStream().readNBytes(10)).isEqualTo(bytes(10));
        }
    }

    @Test
    void jitterVariesLatency() throws Exception {
        proxy.toxics().latency("late", ToxicDirection.DOWNSTREAM, 300).setJitter(200);
        try (Socket socket = connect()) {
            for (int i = 0; i < 5; i++) {
                assertThat(ask(socket, bytes(10))).isGreaterThanOrEqualTo(100);
            }
        }
    }

    @Test
    void bandwidthLimitsARate() throws Exception {
        try (Socket socket = connect()) {
            assertThat(ask(socket, bytes(100_000))).isLessThan(900);
            proxy.toxics().bandwidth("narrow", ToxicDirection.UPSTREAM, 100);
            assertThat(ask(socket, bytes(100_000))).isBetween(900L, 5_000L);
        }
    }

    @Test
    void slowCloseMakesAnEndLate() throws Exception {
        proxy.toxics().slowClose("lingering", ToxicDirection.UPSTREAM, 600);
        try (Socket socket = connect()) {
            ask(socket, bytes(10));
            long begun = System.nanoTime();
            socket.shutdownOutput();
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
            assertThat(System.nanoTime() - begun)
                    .isGreaterThanOrEqualTo(Duration.ofMillis(600).toNanos());
        }
    }

    @Test
    void timeoutOfZeroDropsDataUntilItIsRemovedWhichEndsTheConnection() throws Exception {
        try (Socket socket = connect()) {
            ask(socket, bytes(10));
            Toxic gone = proxy.toxics().timeout("gone", ToxicDirection.UPSTREAM, 0);
            send(socket, 10);
            socket.setSoTimeout(SOON_MILLIS);
            assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);

            // when
            gone.remove();

            // then what was dropped never comes, nor anything after it
            socket.setSoTimeout(PATIENCE_MILLIS);
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
            try (Socket next = connect()) {
                ask(next, bytes(10));
            }
        }
    }

    @Test
    void timeoutEndsAConnectionAlsoWhenNothingIsSent() throws Exception {
        try (Socket socket = connect()) {
            ask(socket, bytes(10));
            long begun = System.nanoTime();
            proxy.toxics().timeout("short", ToxicDirection.DOWNSTREAM, 500);
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
            assertThat(System.nanoTime() - begun)
                    .isGreaterThanOrEqualTo(Duration.ofMillis(500).toNanos());
        }
    }

    @Test
    void resetPeerResets() throws Exception {
        try (Socket socket = connect()) {
            ask(socket, bytes(10));
            proxy.toxics().resetPeer("reset", ToxicDirection.DOWNSTREAM, 0);
            send(socket, 10);
            assertThatThrownBy(() -> socket.getInputStream().read())
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset");
        }
    }

    @Test
    void slicerSendsPiecesWithAPauseBeforeEach() throws Exception {
        proxy.toxics().slicer("sliced", ToxicDirection.DOWNSTREAM, 10, 20_000);
        try (Socket socket = connect()) {
            // 300 bytes in pieces of 10: 30 pauses of 20 ms
            assertThat(ask(socket, bytes(300))).isBetween(600L, 10_000L);
        }
    }

    @Test
    void limitDataEndsAConnectionAfterSoManyBytes() throws Exception {
        // Of answers: what an end of the other direction cuts off is a matter of chance, here as with the real one.
        proxy.toxics().limitData("enough", ToxicDirection.DOWNSTREAM, 1_000);
        try (Socket socket = connect()) {
            send(socket, 700);
            assertThat(socket.getInputStream().readNBytes(700)).isEqualTo(bytes(700));
            send(socket, 700);
            assertThat(socket.getInputStream().readAllBytes()).hasSize(300);
        }
    }

    @Test
    void aToxicityOfZeroActsOnNoConnection() throws Exception {
        proxy.toxics().timeout("gone", ToxicDirection.UPSTREAM, 0).setToxicity(0);
        try (Socket socket = connect()) {
            ask(socket, bytes(10));
        }
    }

    @Test
    void aToxicActsOnConnectionsByChanceAndOnEachTheSameAllTheTime() throws Exception {
        proxy.toxics().latency("late", ToxicDirection.DOWNSTREAM, 200).setToxicity(0.5f);
        int late = 0;
        for (int i = 0; i < 20; i++) {
            try (Socket socket = connect()) {
                boolean isLate = ask(socket, bytes(10)) >= 200;
                late += isLate ? 1 : 0;
                if (isLate) {
                    assertThat(ask(socket, bytes(10))).isGreaterThanOrEqualTo(200);
                }
            }
        }
        // 1 in 2^19 that all are the same.
        assertThat(late).isBetween(1, 19);
    }

    @Test
    void toxicsOfBothDirectionsAddUp() throws Exception {
        proxy.toxics().latency("there", ToxicDirection.UPSTREAM, 300);
        proxy.toxics().latency("back", ToxicDirection.DOWNSTREAM, 300);
        try (Socket socket = connect()) {
            assertThat(ask(socket, bytes(10))).isGreaterThanOrEqualTo(600);
        }
    }

    /** A sender has to wait once so much is held back: the proxy does not take all there is into memory. */
    @Test
    void whatIsHeldBackIsBounded() throws Exception {
        proxy.toxics().latency("late", ToxicDirection.UPSTREAM, 3_600_000);
        AtomicLong sentBytes = new AtomicLong();
        try (Socket socket = connect()) {
            daemon(() -> {
                try {
                    while (sentBytes.get() < 64L * MIB) {
                        socket.getOutputStream().write(bytes(64 << 10));
                        sentBytes.addAndGet(64 << 10);
                    }
                } catch (IOException e) {
                    // The test is over.
                }
            });
            AtomicLong before = new AtomicLong(-1);
            await().atMost(Duration.ofSeconds(20))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> before.getAndSet(sentBytes.get()) == sentBytes.get());
            assertThat(sentBytes.get()).isBetween(1L, 32L * MIB);
        }
    }

    @Test
    void aDisabledProxyRefusesAndIsThereAgainOnTheSamePort() throws Exception {
        String listen = proxy.getListen();
        try (Socket socket = connect()) {
            ask(socket, bytes(10));
            proxy.disable();
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
        assertThatThrownBy(this::connect).isInstanceOf(ConnectException.class);
        proxy.enable();
        assertThat(proxy.getListen()).isEqualTo(listen);
        try (Socket socket = connect()) {
            ask(socket, bytes(10));
        }
    }
}
