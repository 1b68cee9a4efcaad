// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.TlsSurroundings;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

/** The API with TLS and certificates of clients; the management port stays as it is. */
@QuarkusTest
@WithTestResource(
        value = TlsSurroundings.class,
        initArgs = @ResourceArg(name = "attestream.tls.client-certificate-required", value = "true"))
class TlsTest {
    private static int port() {
        return ConfigProvider.getConfig().getValue("quarkus.http.ssl-port", Integer.class);
    }

    private static KeyStore store(String name) throws GeneralSecurityException, IOException {
        Path stores = Path.of(ConfigProvider.getConfig().getValue(TlsSurroundings.STORES, String.class));
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(stores.resolve(name))) {
            store.load(in, TlsSurroundings.PASSWORD.toCharArray());
        }
        return store;
    }

    /** @param client name of the key store, or empty */
    private static SSLSocket connect(String client, String protocol) throws GeneralSecurityException, IOException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store("servers.p12"));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(client.isEmpty() ? null : store(client + ".p12"), TlsSurroundings.PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLSocket socket =
                (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port());
        socket.setSoTimeout(10_000);
        socket.setEnabledProtocols(new String[] {protocol});
        return socket;
    }

    /** In TLS 1.3 a refused certificate shows only when something is read. */
    private static String get(String client, String protocol) throws GeneralSecurityException, IOException {
        try (SSLSocket socket = connect(client, protocol)) {
            socket.getOutputStream()
                    .write("GET /openapi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(socket.getSession().getProtocol()).isEqualTo(protocol);
            return answer;
        }
    }

    @Test
    void aClientWithACertificateIsServedAndToldToStayWithTls() throws Exception {
        assertThat(get("client", "TLSv1.3"))
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("strict-transport-security: max-age=31536000\r\n");
    }

    @Test
    void aClientWithoutACertificateOrWithAForeignOneIsNotServed() {
        assertThatThrownBy(() -> get("", "TLSv1.3")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> get("stranger", "TLSv1.3")).isInstanceOf(IOException.class);
    }

    @Test
    void unlessItIsAskedForTls12IsNotSpoken() {
        assertThatThrownBy(() -> get("client", "TLSv1.2")).isInstanceOf(SSLHandshakeException.class);
    }

    @Test
    void plainHttpIsNotServed() throws IOException {
        // when: on the port of TLS
        String answer;
        try {
            answer = Gateway.raw(port(), "GET /openapi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        } catch (UncheckedIOException e) {
            answer = "";
        }

        // then
        assertThat(answer).doesNotContain("HTTP/1.1");

        // and nobody listens on the other one
        int plain = ConfigProvider.getConfig().getValue("quarkus.http.port", Integer.class);
        assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), plain).close())
                .isInstanceOf(IOException.class);
    }

    @Test
    void oldVersionsOfTlsAreNotSpoken() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
            socket.setSoTimeout(10_000);

            // when: a greeting of TLS 1.1, written by hand because the JDK does not speak it any more
            socket.getOutputStream().write(clientHello11());
            socket.getOutputStream().flush();
            byte[] answer = socket.getInputStream().readNBytes(7);

            // then: an alert (21), fatal (2): protocol_version (70)
            assertThat(answer[0]).isEqualTo((byte) 21);
            assertThat(answer[5]).isEqualTo((byte) 2);
            assertThat(answer[6]).isEqualTo((byte) 70);
        }
    }

    /** RFC 4346 section 7.4.1.2: version 3.2, 32 random bytes, no session, one suite, no compression. */
    private static byte[] clientHello11() {
        byte[] hello = new byte[5 + 4 + 2 + 32 + 1 + 2 + 2 + 2];
        byte[] head = {22, 3, 1, 0, (byte) (hello.length - 5), 1, 0, 0, (byte) (hello.length - 9), 3, 2};
        System.arraycopy(head, 0, hello, 0, head.length);
        int at = head.length + 32;
        // TLS_RSA_WITH_AES_128_CBC_SHA
        byte[] tail = {0, 0, 2, 0, 0x2f, 1, 0};
        System.arraycopy(tail, 0, hello, at, tail.length);
        return hello;
    }

    @Test
    void theManagementPortIsAsBefore() {
        assertThat(Gateway.management("/q/health/live").status()).isEqualTo(200);
    }
}
