// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import java.util.Optional;
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

    /** @param afterStop runs once when everything is stopped, however it came to that */
    static RunningCluster start(LocalCluster.Options options, Runnable afterStop) {
        RunningCluster running = new RunningCluster(LocalCluster.start(options), afterStop);
        Runtime.getRuntime().addShutdownHook(new Thread(running::close, "stop-cluster"));
        return running;
    }

    /** Whether it was asked to stop: what fails from now on fails because of that. */
    boolean isStopping() {
        return stop.getCount() == 0;
    }

    LocalCluster cluster() {
        return cluster;
    }

    /** Returns when the command is to end; an error if a process of the cluster ended by itself. */
    int runUntilStopped(Output output) {
        try {
            while (!stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                Optional<ManagedProcess> ended = cluster.processes().stream()
                        .filter(process -> !process.isAlive())
                        .findFirst();
                if (ended.isPresent() && !isStopping()) {
                    output.say("attestream: " + ended.get().name() + " ended by itself; "
                            + ended.get().logTail());
                    return ExitCode.ERROR;
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
