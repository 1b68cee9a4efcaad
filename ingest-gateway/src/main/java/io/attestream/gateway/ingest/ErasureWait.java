// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.objects.keys.Eraser;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;

/** An erasure holds the thread of its request while doors may still use the key. */
@ApplicationScoped
class ErasureWait implements Eraser.Waiting {
    @Override
    public void pass(Duration time) throws InterruptedException {
        SLEEPING.pass(time);
    }
}
