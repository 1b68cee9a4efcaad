// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

/** What keeps a client that stands still in the middle of a request from holding a thread of the JDK's HTTP server for ever. */
public final class SlowClients {
    private static final String EXCHANGE_TIMEOUT_SECONDS = "10";

    private SlowClients() {}

    /** Cuts off who takes longer than ten seconds for a request or an answer. Before the first server of the process is made. */
    public static void cutOff() {
        System.setProperty("sun.net.httpserver.maxReqTime", EXCHANGE_TIMEOUT_SECONDS);
        System.setProperty("sun.net.httpserver.maxRspTime", EXCHANGE_TIMEOUT_SECONDS);
    }
}
