// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A link is whole, is cut, and is healed. */
class TcpProxyTest {
    private static final int SOON_MILLIS = 300;
    private static final int PATIENCE_MILLIS = 10_000;

    private ServerSocket server;
    private TcpProxy proxy;

    /** Answers every byte with the same. */
    @BeforeEach
    void startAnEcho() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        Thread echoes = new Thread(this::echo, "echo");
        echoes.setDaemon(true);
        echoes.start();
        proxy = TcpProxy.start(0, server.getLocalPort());
    }

    private void echo() {
        while (true) {
            try {
                Socket client = server.accept();
                Thread one = new Thread(() -> echo(client), "echo-one");
                one.setDaemon(true);
                one.start();
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

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        server.close();
    }

    private Socket connect() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), proxy.port());
    }

    private static int ask(Socket socket, int what, int millis) throws IOException {
        socket.setSoTimeout(millis);
        socket.getOutputStream().write(what);
        return socket.getInputStream().read();
    }

    @Test
    void nothingGetsThroughACutOnConnectionsThatAreOpenAndOnNewOnes() throws Exception {
        try (Socket open = connect()) {
            assertThat(ask(open, 1, PATIENCE_MILLIS)).isEqualTo(1);

            // when
            proxy.cut();

            // then
            assertThatThrownBy(() -> ask(open, 2, SOON_MILLIS)).isInstanceOf(SocketTimeoutException.class);
            try (Socket later = connect()) {
                assertThatThrownBy(() -> ask(later, 3, SOON_MILLIS)).isInstanceOf(SocketTimeoutException.class);

                // and what was sent meanwhile arrives when it is healed
                proxy.heal();
                InputStream answers = open.getInputStream();
                open.setSoTimeout(PATIENCE_MILLIS);
                assertThat(answers.read()).isEqualTo(2);
                later.setSoTimeout(PATIENCE_MILLIS);
                assertThat(later.getInputStream().read()).isEqualTo(3);
                assertThat(ask(open, 4, PATIENCE_MILLIS)).isEqualTo(4);
            }
        }
    }

    @Test
    void anEndOnOneSideIsAnEndOnTheOther() throws Exception {
        try (Socket open = connect()) {
            assertThat(ask(open, 1, PATIENCE_MILLIS)).isEqualTo(1);
            server.close();
            open.shutdownOutput();
            assertThat(open.getInputStream().read()).isEqualTo(-1);
        }
    }
}
