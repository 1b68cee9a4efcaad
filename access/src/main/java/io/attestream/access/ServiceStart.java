// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a service has when it may start.
 *
 * @param config its settings, checked
 */
public record ServiceStart<C>(C config, Start.Policy policy) {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceStart.class);

    /**
     * Passes the gate, with the variables and properties of this process. Logs the policy in effect; or, at once, all that is wrong with
     * policy and settings, and is empty.
     *
     * @param load throws if a setting is missing or cannot be read
     * @param problems what is wrong with settings that could be read, a line each
     * @param dev whether they are for one machine, wherever that was said
     */
    public static <C> Optional<ServiceStart<C>> pass(
            Supplier<C> load, Function<C, List<String>> problems, Predicate<C> dev) {
        Start start = StartGate.decide(Environment.ofProcess());
        @Nullable C config = null;
        try {
            config = load.get();
            start = start.and(problems.apply(config)).withDev(dev.test(config));
        } catch (RuntimeException e) {
            start = start.and(List.of(String.valueOf(e.getMessage())));
        }
        if (config != null && start instanceof Start.Policy policy) {
            policy.log(LOG);
            return Optional.of(new ServiceStart<>(config, policy));
        }
        if (start instanceof Start.Refuse refuse) {
            LOG.error(refuse.screen());
        }
        return Optional.empty();
    }
}
