// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import io.attestream.chaos.FreePorts;
import java.io.IOException;
import java.util.List;
import org.jboss.byteman.agent.install.Install;
import org.jboss.byteman.agent.submit.ScriptText;
import org.jboss.byteman.agent.submit.Submit;

/**
 * Makes {@code FileChannel.force} fail in a running JVM, as on a disk with errors, by Byteman. Byteman stays in the JVM until that ends,
 * and listens on a port of loopback.
 */
final class FailingForce {
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

    static void start(long pid, int port) throws IOException {
        String id = Long.toString(pid);
        try {
            if (!Install.isAgentAttached(id)) {
                // Classes of the JDK itself are changed only if told to.
                String[] properties = {"org.jboss.byteman.transform.all=true", PORT + "=" + port};
                Install.install(id, true, LOOPBACK, port, properties);
            }
            require(submit(port).addScripts(List.of(RULE)), "install rule");
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("Byteman cannot get into process " + pid + ": " + e, e);
        }
    }

    static void mend(int port) throws IOException {
        try {
            submit(port).deleteScripts(List.of(RULE));
        } catch (java.net.ConnectException e) {
            // It never got there.
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("Byteman does not answer on port " + port + ": " + e, e);
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
