// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import io.attestream.chaos.FreePorts;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jboss.byteman.agent.install.Install;
import org.jboss.byteman.agent.submit.ScriptText;
import org.jboss.byteman.agent.submit.Submit;
import org.jspecify.annotations.Nullable;

/**
 * Makes {@code FileChannel.force} fail in a running JVM, as on a disk with errors, by Byteman. Byteman stays in the JVM until that ends,
 * and listens on a port of loopback.
 */
final class FailingForce {
    private static final Duration INSTALL_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);
    private static final String LOOPBACK = "127.0.0.1";
    /** Remembers in the JVM itself where Byteman listens there. */
    private static final String PORT = "org.jboss.byteman.attestream.port";

    private static final ScriptText RULE = new ScriptText("failing-force", """
        RULE what is forced to the disk fails
        CLASS sun.nio.ch.FileChannelImpl
        METHOD force
        AT ENTRY
        IF true
        DO THROW new java.io.IOException("Input/output error (done on purpose)")
        ENDRULE
        """);

    private FailingForce() {}

    /** Where Byteman listens in a JVM, or will once it is there. */
    static int port(long pid) {
        String port = Install.isAgentAttached(Long.toString(pid))
                ? Install.getSystemProperty(Long.toString(pid), PORT)
                : null;
        return port == null || port.isEmpty() ? FreePorts.pick() : Integer.parseInt(port);
    }

    /** @throws IOException if it cannot get there, or not in time; it does not go on later then */
    static void start(long pid, int port) throws IOException {
        String id = Long.toString(pid);
        inTime("process " + pid, INSTALL_TIMEOUT, () -> {
            if (!Install.isAgentAttached(id)) {
                // Classes of the JDK itself are changed only if told to.
                String[] properties = {"org.jboss.byteman.transform.all=true", PORT + "=" + port};
                Install.install(id, true, LOOPBACK, port, properties);
            }
            if (Thread.interrupted()) {
                throw new InterruptedIOException("it took too long"); // who gave up has undone it already
            }
            require(submit(port).addScripts(List.of(RULE)), "install rule");
        });
    }

    /** @throws IOException if it does not answer, or not in time */
    static void mend(int port) throws IOException {
        inTime("port " + port, ANSWER_TIMEOUT, () -> {
            try {
                submit(port).deleteScripts(List.of(RULE));
            } catch (ConnectException e) {
                // It never got there.
            }
        });
    }

    private interface Step {
        void run() throws Exception;
    }

    /** Byteman waits for ever for a JVM that stands still. */
    private static void inTime(String where, Duration timeout, Step step) throws IOException {
        FutureTask<@Nullable Void> task = new FutureTask<>(() -> {
            step.run();
            return null;
        });
        Thread thread = new Thread(task, "chaos-byteman");
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            task.cancel(true);
            throw new IOException("Byteman does not answer in " + where + " within " + timeout.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw new IOException("Byteman cannot get into " + where + ": " + e.getCause(), e);
        } catch (InterruptedException e) {
            task.cancel(true);
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while Byteman was asked", e);
        }
    }

    private static Submit submit(int port) {
        return new Submit(LOOPBACK, port);
    }

    private static void require(String answer, String expected) throws IOException {
        if (!answer.contains(expected)) {
            throw new IOException("Byteman says: " + answer.strip());
        }
    }
}
