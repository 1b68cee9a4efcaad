// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.agent;

import java.io.IOException;
import java.lang.reflect.Proxy;

/**
 * A Java agent that ties a child process to its launcher.
 *
 * <p>The launcher holds the other end of standard input. When it dies, however it dies, standard input ends, and the child
 * exits in order, or is halted when that takes too long. And a terminal sends Ctrl-C to the whole process group: the child
 * must not act on it, because the launcher stops its children in order. The signal gets a handler that does nothing; it is not
 * ignored, since a child that later asks for the previous handler must be given one it can call.
 */
public final class ChildAgent {
    private static final long HALT_AFTER_MILLIS = 10_000;
    private static final int EXIT_CODE = 130;

    private ChildAgent() {}

    /** Called by the JVM before main. */
    public static void premain(String arguments) {
        swallowInterrupt();
        Thread watch = new Thread(ChildAgent::watchLauncher, "launcher-watch");
        watch.setDaemon(true);
        watch.start();
    }

    private static void watchLauncher() {
        try {
            while (System.in.read() >= 0) {
                // Nothing is ever sent.
            }
        } catch (IOException e) {
            // As good as the end.
        }
        Thread halt = new Thread(ChildAgent::haltLater, "launcher-gone");
        halt.setDaemon(true);
        halt.start();
        System.exit(EXIT_CODE);
    }

    private static void haltLater() {
        long end = System.nanoTime() + HALT_AFTER_MILLIS * 1_000_000;
        while (System.nanoTime() < end) {
            java.util.concurrent.locks.LockSupport.parkNanos(end - System.nanoTime());
        }
        Runtime.getRuntime().halt(EXIT_CODE);
    }

    /** By reflection: the compiler warns of this class and cannot be told not to. A platform without it does without. */
    private static void swallowInterrupt() {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object nothing = Proxy.newProxyInstance(
                    ChildAgent.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, args) -> null);
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("INT"), nothing);
        } catch (ReflectiveOperationException e) {
            System.err.println("Ctrl-C will reach this process directly: " + e);
        }
    }
}
