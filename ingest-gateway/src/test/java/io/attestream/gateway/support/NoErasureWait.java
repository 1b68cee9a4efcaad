// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.support;

import io.attestream.objects.keys.Eraser;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;

/** Lets nothing pass: the door under test remembers one key at a time ({@link Surroundings}), so that it looks again all the same. */
@ApplicationScoped
public class NoErasureWait implements Eraser.Waiting {
    @Override
    public void pass(Duration time) {}
}
