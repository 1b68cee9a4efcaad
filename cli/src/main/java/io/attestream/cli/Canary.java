// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.EventResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** One event as a producer sends it, awaited and verified as an auditor does it: with the public key and nothing else. */
final class Canary {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Api producer;
    private final Api auditor;
    private final NoteVerifier key;

    /** What came of it. */
    enum Outcome {
        VERIFIED,
        /** Or nobody answered. */
        NOT_ACCEPTED,
        /** Accepted, and without a proof in time. */
        NOT_PROVED,
        DOES_NOT_VERIFY
    }

    Canary(Api producer, Api auditor, NoteVerifier key) {
        this.producer = producer;
        this.auditor = auditor;
        this.key = key;
    }

    Outcome send() {
        byte[] line = ("{\"specversion\":\"1.0\",\"id\":\"" + UUID.randomUUID()
                        + "\",\"source\":\"/attestream/canary\",\"type\":\"attestream.canary\",\"data\":{\"sent\":true}}")
                .getBytes(StandardCharsets.UTF_8);
        List<JsonNode> results = new ArrayList<>();
        try {
            producer.append(List.of(line), results::add);
        } catch (CliException e) {
            return Outcome.NOT_ACCEPTED;
        }
        String receipt = results.get(0).path("receipt").path("href").asText();
        if (receipt.isEmpty()) {
            return Outcome.NOT_ACCEPTED;
        }
        JsonNode answer;
        try {
            answer = ReceiptCommand.await(auditor, receipt, TIMEOUT);
        } catch (CliException e) {
            return Outcome.NOT_PROVED;
        }
        return verifies(line, answer) ? Outcome.VERIFIED : Outcome.DOES_NOT_VERIFY;
    }

    private boolean verifies(byte[] line, JsonNode answer) {
        try {
            ProofBundle bundle =
                    ProofBundle.parse(answer.path("bundle").toString().getBytes(StandardCharsets.UTF_8));
            CloudEvent event = ((EventResult.Accepted) Events.read(line)).event();
            return new BundleVerifier(key, key.keyName(), List.of())
                    .verify(bundle, new EventToCheck(event.attributes(), event.payload()))
                    .ok();
        } catch (InvalidFormat e) {
            return false;
        }
    }
}
