// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Envelope;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Somebody takes it upon them that a criterion is not met, for a while: a DSSE envelope of their key.
 *
 * @param owner who answers for it
 */
record DossierWaiver(String criterion, String owner, String reason, Instant expiresAt) {
    static final String MEDIA_TYPE = "application/vnd.attestream.waiver+json";

    /** A waiver that was looked at. Who signed nothing says nothing, so nothing is shown of it then. */
    record Judged(String path, String sha256, Optional<DossierWaiver> waiver, String problem) {
        boolean counts() {
            return problem.isEmpty();
        }
    }

    byte[] sign(NoteSigner key) {
        JsonObject json = new JsonObject(Map.of(
                "criterion", new JsonString(criterion),
                "owner", new JsonString(owner),
                "reason", new JsonString(reason),
                "expiresAt", new JsonString(expiresAt.toString())));
        return Envelope.sign(MEDIA_TYPE, Jcs.encode(json), key::signBytes).encode();
    }

    /** Reads one, and says whether it counts. */
    static Judged judge(String path, byte[] bytes, DossierPolicy policy, Instant at) {
        String digest = DrillEvidence.sha256(bytes);
        for (String vkey : policy.keys().waivers()) {
            try {
                DossierWaiver waiver = opened(bytes, Connection.parseKey(vkey));
                return new Judged(path, digest, Optional.of(waiver), waiver.problem(policy, at));
            } catch (InvalidFormat e) {
                // of another key, perhaps
            }
        }
        return new Judged(path, digest, Optional.empty(), "is not signed by any key of the policy's keys.waivers");
    }

    private static DossierWaiver opened(byte[] bytes, NoteVerifier key) throws InvalidFormat {
        JsonObject json = Jcs.parseCanonicalObject(DossierManifest.opened(bytes, MEDIA_TYPE, key));
        json.allowOnly("criterion", "owner", "reason", "expiresAt");
        try {
            return new DossierWaiver(
                    json.string("criterion"),
                    json.string("owner"),
                    json.string("reason"),
                    Instant.parse(json.string("expiresAt")));
        } catch (DateTimeException e) {
            throw new InvalidFormat("expiresAt", "must be a time in RFC 3339, UTC");
        }
    }

    private String problem(DossierPolicy policy, Instant at) {
        Optional<DossierPolicy.Criterion> waived = policy.criteria().stream()
                .filter(candidate -> candidate.id().equals(criterion))
                .findFirst();
        if (waived.isEmpty()) {
            return "is for criterion " + criterion + ", which the policy does not have";
        }
        if (!waived.get().waivable()) {
            return "is for criterion " + criterion + ", which may not be waived";
        }
        if (owner.isBlank() || reason.isBlank()) {
            return "has no owner or no reason";
        }
        if (!expiresAt.isAfter(at)) {
            return "expired at " + expiresAt;
        }
        return expiresAt.isAfter(at.plus(Duration.ofDays(policy.waiverDaysMax())))
                ? "expires at " + expiresAt + ", in more than " + policy.waiverDaysMax() + " days"
                : "";
    }
}
