// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.objects.keys.Eraser;
import io.attestream.objects.keys.ErasureReceipt;
import io.attestream.objects.keys.SubjectKeyStore;
import java.io.IOException;

/** Has a ledger say, through this door, that keys were destroyed. Thread-safe as its log is. */
public final class ErasureBooks implements Eraser.Books {
    private final EventIntake intake;
    private final EventLog log;
    private final int incarnation;

    public ErasureBooks(EventIntake intake, EventLog log, int incarnation) {
        this.intake = intake;
        this.log = log;
        this.incarnation = incarnation;
    }

    /** What waits for as long as this door, and others with its settings, may take to have an event acknowledged. */
    public static Eraser eraser(SubjectKeyStore keys, GatewayConfig.Producer producer, Eraser.Waiting waiting) {
        return new Eraser(keys, producer.maxBlock().plus(producer.deliveryTimeout()), waiting);
    }

    @Override
    public ErasureReceipt log(String tenant, String actor, String keyId) throws IOException {
        AppendResult result = log.append(intake.erasure(tenant, actor, keyId)).join();
        if (result instanceof AppendResult.Appended appended) {
            return new ErasureReceipt(incarnation, appended.shard(), appended.offset());
        }
        throw new IOException("the key " + keyId + " is destroyed, and the ledger was not told: " + result);
    }
}
