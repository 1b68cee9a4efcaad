// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * One request of many events on a connection of its own. Java's HTTP client reads no result before it has sent everything;
 * here one thread sends while another reads.
 */
final class EventStream implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CONNECT_MILLIS = 2_000;
    private static final int ANSWER_MILLIS = 60_000;

    private final Socket socket;
    private final OutputStream out;
    private final InputStream in;
    private String head = "";

    private EventStream(Socket socket) throws IOException {
        this.socket = socket;
        this.out = socket.getOutputStream();
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    static EventStream open(URI gateway, String token) throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(gateway.getHost(), gateway.getPort()), CONNECT_MILLIS);
            socket.setSoTimeout(ANSWER_MILLIS);
            socket.setTcpNoDelay(true);
            EventStream stream = new EventStream(socket);
            stream.write("POST /v1/events HTTP/1.1\r\nHost: " + gateway.getAuthority() + "\r\nAuthorization: Bearer "
                    + token + "\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
            return stream;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    void send(String event) throws IOException {
        int sizeBytes = event.getBytes(StandardCharsets.UTF_8).length + 1;
        write(Integer.toHexString(sizeBytes) + "\r\n" + event + "\n\r\n");
    }

    void end() throws IOException {
        write("0\r\n\r\n");
    }

    private void write(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Reads the head of the answer, which comes with the first result. */
    int readStatus() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            lines.append(line).append('\n');
        }
        head = lines.toString();
        return status();
    }

    int status() {
        return Integer.parseInt(head.substring("HTTP/1.1 ".length(), "HTTP/1.1 ".length() + 3));
    }

    String head() {
        return head;
    }

    /** @throws IOException if the answer does not end as HTTP says it must */
    void readResults(Consumer<JsonNode> results) throws IOException {
        ByteArrayOutputStream unread = new ByteArrayOutputStream();
        for (int size = chunkSize(); size > 0; size = chunkSize()) {
            byte[] chunk = in.readNBytes(size);
            for (byte b : chunk) {
                if (b != '\n') {
                    unread.write(b);
                } else if (unread.size() > 0) {
                    results.accept(JSON.readTree(unread.toByteArray()));
                    unread.reset();
                }
            }
            readLine();
        }
        if (unread.size() > 0) {
            results.accept(JSON.readTree(unread.toByteArray()));
        }
    }

    private int chunkSize() throws IOException {
        String line = readLine();
        try {
            return Integer.parseInt(line, 16);
        } catch (NumberFormatException e) {
            throw new IOException("no size of a chunk: " + line, e);
        }
    }

    private String readLine() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the connection ended");
            }
            line.append((char) c);
        }
        return line.toString().strip();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
