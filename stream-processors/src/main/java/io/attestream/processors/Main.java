// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.proofs.InvalidFormat;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the processors, and closes them in order when told to stop. Exit code 1 on refused settings or a doubt, with one
 * message that says why.
 */
public final class Main {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);
    private static final long STOP_WAIT_SECONDS = 35;

    private Main() {}

    public static void main(String[] args) {
        System.exit(run());
    }

    private static int run() {
        ProcessorsConfig config;
        try {
            config = ProcessorsConfigs.load();
        } catch (RuntimeException e) {
            LOG.error("refused to start: {}", e.getMessage());
            return 1;
        }
        List<String> problems = ProcessorsConfigs.problems(config);
        if (!problems.isEmpty()) {
            problems.forEach(problem -> LOG.error("refused to start: {}", problem));
            return 1;
        }
        Processors processors = new Processors(config);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(processors, stopped), "stop"));
        try {
            processors.run();
            return 0;
        } catch (IntegrityException e) {
            LOG.error("refused: {}", e.getMessage());
            return 1;
        } catch (RuntimeException | IOException | InvalidFormat e) {
            LOG.error("stopped: {}", e.getMessage(), e);
            return 1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        } finally {
            stopped.countDown();
        }
    }

    private static void stop(Processors processors, CountDownLatch stopped) {
        processors.stop();
        try {
            if (!stopped.await(STOP_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("stopped before everything was closed; the next start finds a consistent state all the same");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
