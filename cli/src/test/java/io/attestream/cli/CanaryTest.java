// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.note.NoteVerifier;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A canary that falls silent is taken for a good one by who counts the bad. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class CanaryTest {
    // of the public examples of signed notes
    private static final String KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    private final BlockingQueue<Canary.Outcome> outcomes = new LinkedBlockingQueue<>();
    private @Nullable ExecutorService sending;

    private void send(int port, Duration interval, Duration limit) throws Exception {
        Api api = new Api(URI.create("http://127.0.0.1:" + port), null);
        sending = new Canary(api, api, NoteVerifier.parse(KEY))
                .sendEvery(interval, limit, (outcome, nanos) -> outcomes.add(outcome));
    }

    @AfterEach
    void stop() {
        if (sending != null) {
            sending.shutdownNow();
        }
    }

    private void requireOutcomes(int number, Canary.Outcome expected) throws InterruptedException {
        for (int i = 0; i < number; i++) {
            assertThat(outcomes.poll(20, TimeUnit.SECONDS)).isEqualTo(expected);
        }
    }

    @Test
    void aGatewayThatHangsIsSeenByEveryCanary() throws Exception {
        // given: connections are accepted, by the kernel, and nobody answers
        try (ServerSocket hanging = new ServerSocket(0, 200, InetAddress.getLoopbackAddress())) {
            // when
            send(hanging.getLocalPort(), Duration.ofMillis(50), Duration.ofMillis(300));

            // then: also when more hang than may
            requireOutcomes(150, Canary.Outcome.NOT_PROVED);
        }
    }

    @Test
    void aCanaryThatHangsCameToNothingWithinItsLimit() throws Exception {
        try (ServerSocket hanging = new ServerSocket(0, 200, InetAddress.getLoopbackAddress())) {
            send(hanging.getLocalPort(), Duration.ofSeconds(1), Duration.ofMillis(100));
            requireOutcomes(3, Canary.Outcome.NOT_PROVED);
        }
    }

    @Test
    void aGatewayThatIsGoneIsSeenByEveryCanary() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        send(port, Duration.ofMillis(20), Duration.ofSeconds(30));
        requireOutcomes(10, Canary.Outcome.NOT_ACCEPTED);
    }

    @Test
    void aBugInACanaryIsNotTheLastOne() throws Exception {
        // given: no port at all, which is none of the failures that are expected
        send(-1, Duration.ofMillis(20), Duration.ofSeconds(30));
        requireOutcomes(10, Canary.Outcome.NOT_PROVED);
    }
}
