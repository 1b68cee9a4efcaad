// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.support;

import io.attestream.gateway.config.Secrets;
import io.attestream.gateway.ingest.EventIntake;
import io.attestream.gateway.keys.PayloadKeys;
import io.attestream.gateway.ledger.LedgerSource;
import io.attestream.gateway.ledger.OpenLedger;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.envelope.SubjectKeys;
import io.attestream.schemas.cloudevents.EventLimits;
import io.attestream.schemas.door.EventFactory;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Opens a ledger over a {@link FakeEventLog}, or none. */
@ApplicationScoped
public class FakeLedgerSource implements LedgerSource {
    public static final int SCHEMA_ID = 7;
    public static final EventLimits LIMITS = new EventLimits(64 * 1024, 64, 8192, 1024, 50);

    private final Secrets secrets;
    private final PayloadKeys keys;
    private final FakeEventLog log = new FakeEventLog();
    private volatile boolean open = true;
    private int incarnation = 1;
    private @Nullable OpenLedger ledger;

    FakeLedgerSource(Secrets secrets, PayloadKeys keys) {
        this.secrets = secrets;
        this.keys = keys;
    }

    public FakeEventLog log() {
        return log;
    }

    public void setOpen(boolean isOpen) {
        open = isOpen;
    }

    public synchronized void setIncarnation(int newIncarnation) {
        incarnation = newIncarnation;
        ledger = null;
    }

    @Override
    public synchronized Optional<OpenLedger> current() {
        if (!open) {
            return Optional.empty();
        }
        OpenLedger current = ledger;
        if (current == null) {
            EventFactory factory = new EventFactory(
                    secrets.contentTag(),
                    new SecureRandom(),
                    TestLedger.SHARDS,
                    CanonicalEntry.MAX_EVENT_SIZE_BYTES,
                    subjectKeys());
            EventIntake intake = new EventIntake(factory, LIMITS, SCHEMA_ID);
            current = new OpenLedger(secrets.ledgerKey(), TestLedger.SHARDS, incarnation, intake, log);
            ledger = current;
        }
        return Optional.of(current);
    }

    private Optional<SubjectKeys> subjectKeys() {
        try {
            return keys.store().map(SubjectKeys.class::cast);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String state() {
        return open ? "open" : "closed by the test";
    }

    @Override
    public boolean isFenced() {
        return false;
    }
}
