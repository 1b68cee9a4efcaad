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
    private final CountDownLatch stop = new CountDownLatch(1);

    private RunningCluster(LocalCluster cluster) {
        this.cluster = cluster;
    }

    static RunningCluster start(LocalCluster.Options options) {
        RunningCluster running = new RunningCluster(LocalCluster.start(options));
        Runtime.getRuntime().addShutdownHook(new Thread(running::close, "stop-cluster"));
        return running;
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
                if (ended.isPresent() && stop.getCount() > 0) {
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
        cluster.close();
    }
}
