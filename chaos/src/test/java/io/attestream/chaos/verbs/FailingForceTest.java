// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class FailingForceTest {
    /** The lock of a fault is held meanwhile: for ever would be without rollback. */
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aJvmThatTakesTheConnectionAndDoesNotAnswerIsGivenUp() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> FailingForce.mend(silent.getLocalPort()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("does not answer in port " + silent.getLocalPort() + " within 10 s");
        }
    }
}
