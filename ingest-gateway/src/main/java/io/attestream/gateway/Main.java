// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway;

import io.attestream.access.Environment;
import io.attestream.access.Start;
import io.attestream.access.StartGate;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/**
 * Starts the gateway. The gate stands in front of everything, so that a refused start loads nothing; it is passed again with what the
 * framework's own sources say.
 */
@QuarkusMain
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        if (StartGate.decide(Environment.ofProcess()) instanceof Start.Refuse refuse) {
            System.err.println(refuse.screen()); // there is no log before the framework starts
            System.exit(1);
        }
        Quarkus.run(args);
    }
}
