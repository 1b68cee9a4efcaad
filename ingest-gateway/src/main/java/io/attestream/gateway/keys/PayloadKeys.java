// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.keys;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.objects.keys.ErasureReceipt;
import io.attestream.objects.keys.PayloadKeysSetting;
import io.attestream.objects.keys.SubjectKeyStore;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.envelope.PayloadEnvelope;
import io.attestream.proofs.envelope.SubjectKeys;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The keys of subjects this gateway works with, if it has any; opened when they are needed first. */
@ApplicationScoped
public class PayloadKeys {
    private static final Logger LOG = LoggerFactory.getLogger(PayloadKeys.class);

    private final GatewayConfig.PayloadKeys config;
    private @Nullable SubjectKeyStore opened;

    /** @param config where they are; nothing is opened yet */
    @Inject
    public PayloadKeys(GatewayConfig config) {
        this.config = config.payloadKeys();
    }

    /**
     * Empty if payloads are stored in the clear here.
     *
     * @throws IOException if they cannot be had, or are not those of the key given
     */
    public synchronized Optional<SubjectKeyStore> store() throws IOException {
        if (opened == null) {
            opened = PayloadKeysSetting.open(config.location(), config.keyFile(), config.rememberedMax())
                    .orElse(null);
            if (opened != null) {
                LOG.info("payloads are encrypted under the payload keys {}", opened.id());
            }
        }
        return Optional.ofNullable(opened);
    }

    /**
     * A payload in the clear, if it is stored so or there is a key that opens it; otherwise as it is stored, of which nothing is
     * said yet ({@link #judged}). Keys are looked up anew each time: nothing that was erased is shown.
     *
     * @param event whose payload it is
     * @throws IOException if the keys cannot be had
     */
    public Payload opened(Payload stored, EntryView.Event event) throws IOException {
        Optional<SubjectKeyStore> keys = stored instanceof Payload.Encrypted ? store() : Optional.empty();
        if (keys.isEmpty()) {
            return stored;
        }
        try {
            Payload.Encrypted sealed = (Payload.Encrypted) stored;
            return keys.get().find(sealed.keyId()) instanceof SubjectKeyStore.Found.Key key
                    ? PayloadEnvelope.open(key.key(), sealed, event.dataDigest())
                    : stored;
        } catch (SubjectKeys.UnusableKeyException | InvalidFormat e) {
            return stored; // a proof holds without it
        }
    }

    /**
     * What is said of a payload that is not in the clear: erased if its key was destroyed, otherwise as it is. Who writes to the
     * object store cannot pass a payload off as erased: the key has to be one of the event's own subject, and be destroyed. Which of
     * the subject's keys it had, nobody can tell.
     *
     * @param payload as {@link #opened} gave it
     * @param event whose payload it is
     * @throws IOException if the keys cannot be had
     * @throws InvalidFormat if it is not what can be stored of this event
     */
    public Payload judged(Payload payload, EntryView.Event event) throws IOException, InvalidFormat {
        if (payload instanceof Payload.Erased && event.attributes().get("subject") == null) {
            throw new InvalidFormat("payload", "is stored as erased, and the event has no subject");
        }
        boolean hasKey = payload instanceof Payload.Encrypted || payload instanceof Payload.Erased;
        Optional<SubjectKeyStore> keys = hasKey ? store() : Optional.empty();
        if (keys.isEmpty()) {
            return payload;
        }
        try {
            return payload instanceof Payload.Erased erased
                    ? judged(keys.get(), erased, event)
                    : judged(keys.get(), (Payload.Encrypted) payload, event);
        } catch (SubjectKeys.UnusableKeyException e) {
            throw new InvalidFormat("payload", String.valueOf(e.getMessage()));
        }
    }

    private static Payload judged(SubjectKeyStore keys, Payload.Erased erased, EntryView.Event event)
            throws IOException, InvalidFormat {
        requireOf(keys, erased.keyId(), event);
        if (!(keys.find(erased.keyId()) instanceof SubjectKeyStore.Found.Destroyed)) {
            throw new InvalidFormat(
                    "payload", "is stored as erased, and its key " + erased.keyId() + " was not destroyed");
        }
        return erased;
    }

    private static Payload judged(SubjectKeyStore keys, Payload.Encrypted sealed, EntryView.Event event)
            throws IOException, InvalidFormat {
        SubjectKeyStore.Found found = keys.find(sealed.keyId());
        if (found instanceof SubjectKeyStore.Found.Key key) {
            return PayloadEnvelope.open(key.key(), sealed, event.dataDigest());
        }
        if (found instanceof SubjectKeyStore.Found.Destroyed) {
            requireOf(keys, sealed.keyId(), event);
            return new Payload.Erased(sealed.contentTag(), sealed.keyId());
        }
        LOG.error(
                "ALARM: the key {} of a payload is not among the payload keys {}, and no erasure took it",
                sealed.keyId(),
                keys.id());
        return sealed;
    }

    private static void requireOf(SubjectKeyStore keys, String keyId, EntryView.Event event) throws InvalidFormat {
        String subject = event.attributes().get("subject");
        if (subject == null || !keys.isOf(keyId, event.tenant(), subject)) {
            throw new InvalidFormat(
                    "payload", "is stored under key " + keyId + ", which is none of the event's subject");
        }
    }

    /** Where the ledger says that a key was destroyed; empty if nothing that can be read says so, or there are no keys here. */
    public Optional<ErasureReceipt> receipt(String keyId) throws IOException {
        Optional<SubjectKeyStore> keys = store();
        return keys.isEmpty() ? Optional.empty() : keys.get().erased().readableReceipt(keyId);
    }
}
