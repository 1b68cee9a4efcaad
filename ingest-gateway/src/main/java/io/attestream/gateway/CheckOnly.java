// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway;

import io.attestream.access.Start;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.annotations.CommandLineArguments;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Arrays;

/** Ends a gateway that was only asked whether it would start, once policy and settings were checked and before anything is opened. */
@ApplicationScoped
public class CheckOnly {
    private final String[] arguments;

    CheckOnly(@CommandLineArguments String[] arguments) {
        this.arguments = arguments.clone();
    }

    void onStart(@Observes @Priority(3) StartupEvent event) {
        if (Arrays.asList(arguments).contains(Start.CHECK_ARGUMENT)) {
            // Nothing is open that a shutdown would have to close; an exit would wait for the start that it interrupts.
            Runtime.getRuntime().halt(0);
        }
    }
}
