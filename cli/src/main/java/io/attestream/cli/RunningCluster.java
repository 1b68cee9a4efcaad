// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The local cluster for as long as a command runs: stopped in order on Ctrl-C, SIGTERM, and when the command ends. */
final class RunningCluster implements AutoCloseable {
    private static final long LOOK_MILLIS = 1_000;

    private final LocalCluster cluster;
    private final Runnable afterStop;
    private final CountDownLatch stop = new CountDownLatch(1);
    private boolean closed;

    private RunningCluster(LocalCluster cluster, Runnable afterStop) {
        this.cluster = cluster;
        this.afterStop = afterStop;
    }

    /** Ctrl-C or SIGTERM came before all of it was started. */
    static final class Stopped extends CliException {
        private static final long serialVersionUID = 1L;

        Stopped() {
            super(ExitCode.ERROR, "stopped before all of it was started", "");
        }
    }

    static RunningCluster start(LocalCluster.Options options, Runnable afterStop) {
        return start(options, () -> {}, afterStop);
    }

    /**
     * Starts it; from the first process on it is stopped in order when this process is told to end.
     *
     * @param beforeStart runs when nobody else can use the directory any more, and nothing is started yet
     * @param afterStop runs once when everything is stopped, however it came to that
     */
    static RunningCluster start(LocalCluster.Options options, Runnable beforeStart, Runnable afterStop) {
        LocalCluster cluster = prepared(options);
        RunningCluster running = new RunningCluster(cluster, afterStop);
        Runtime.getRuntime().addShutdownHook(new Thread(running::close, "stop-cluster"));
        try {
            beforeStart.run();
            cluster.start();
        } catch (RuntimeException e) {
            cluster.close();
            throw running.isStopping() ? new Stopped() : e;
        }
        return running;
    }

    private static LocalCluster prepared(LocalCluster.Options options) {
        try {
            return LocalCluster.prepare(options);
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), "");
        } catch (IllegalStateException e) {
            throw new CliException(ExitCode.ERROR, String.valueOf(e.getMessage()), "");
        }
    }

    /** Whether it was asked to stop: what fails from now on fails because of that. */
    boolean isStopping() {
        return stop.getCount() == 0;
    }

    LocalCluster cluster() {
        return cluster;
    }

    /**
     * Returns when the command is to end.
     *
     * @param keepGoing whether a process that ended by itself is only told, for {@code attestream restart} to start it again;
     *     otherwise it is an error, and the end
     */
    int runUntilStopped(Output output, boolean keepGoing) {
        Set<String> told = new HashSet<>();
        try {
            while (!stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                for (ManagedProcess process : cluster.processes()) {
                    if (process.isAlive()) {
                        told.remove(process.name());
                    } else if (!isStopping() && told.add(process.name())) {
                        output.say("attestream: " + process.name() + " ended by itself; " + process.logTail());
                        if (!keepGoing) {
                            return ExitCode.ERROR;
                        }
                        output.say("  Start it again: attestream restart " + process.name() + " --data-dir "
                                + cluster.data());
                    }
                }
            }
            return ExitCode.OK;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.ERROR;
        } finally {
            close();
        }
    }

    @Override
    public void close() {
        stop.countDown();
        closeOnce();
    }

    private synchronized void closeOnce() {
        if (!closed) {
            closed = true;
            cluster.close();
            afterStop.run();
        }
    }
}
