// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.access.ServiceStart;
import io.attestream.access.Start;
import io.attestream.proofs.InvalidFormat;
import io.attestream.schemas.connection.KafkaConnection;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
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
        System.exit(run(List.of(args)));
    }

    private static int run(List<String> arguments) {
        Optional<ServiceStart<ProcessorsConfig>> start =
                ServiceStart.pass(ProcessorsConfigs::load, ProcessorsConfigs::problems, ProcessorsConfig::dev);
        if (start.isEmpty()) {
            return 1;
        }
        return arguments.contains(Start.CHECK_ARGUMENT)
                ? 0
                : run(start.get().config(), start.get().policy());
    }

    private static int run(ProcessorsConfig config, Start.Policy policy) {
        try {
            return run(new Processors(config, ProcessorsConfigs.connection(config.kafka()), policy));
        } catch (KafkaConnection.Refused e) {
            LOG.error("refused: {}", e.getMessage());
            return 1;
        }
    }

    private static int run(Processors processors) {
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(processors, stopped), "stop"));
        try {
            processors.run();
            return 0;
        } catch (IntegrityException e) {
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
