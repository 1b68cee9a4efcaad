// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Envelope;
import io.attestream.proofs.attestation.Statement;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All files of evidence, as they were when they were collected: {@code release/evidence.json}. Beside it is an in-toto statement
 * about it in a DSSE envelope, so that who edits a file of evidence can not edit its digest too.
 *
 * @param files ordered by path
 */
record DossierManifest(int v, List<Entry> files) {
    static final String SCHEMA = "evidence.schema.json";
    static final String PREDICATE_TYPE = "https://attestream.io/attestation/evidence/v1";
    static final DossierManifest EMPTY = new DossierManifest(1, List.of());

    /**
     * @param path from the top of the repository, with slashes
     * @param sha256 64 hexadecimal digits
     * @param schema path of its JSON schema; empty if it has none
     * @param schemaSha256 of that; empty if it has none
     * @param commit of the code it is evidence of
     * @param madeAt RFC 3339, UTC
     */
    record Entry(
            String path,
            String sha256,
            long sizeBytes,
            String mediaType,
            String schema,
            String schemaSha256,
            String commit,
            String madeAt) {
        Instant madeAtInstant() {
            return Instant.parse(madeAt);
        }
    }

    Optional<Entry> find(String path) {
        return files.stream().filter(entry -> entry.path().equals(path)).findFirst();
    }

    static DossierManifest parse(Path file, byte[] json) {
        return DossierJson.read(file.toString(), json, SCHEMA, DossierManifest.class);
    }

    /** Where the signature of a manifest is. */
    static Path envelope(Path manifest) {
        return manifest.resolveSibling(manifest.getFileName().toString().replaceAll("\\.json$", "") + ".dsse.json");
    }

    byte[] sign(Path manifest, NoteSigner key) {
        byte[] json = DossierJson.write(this);
        JsonObject predicate = new JsonObject(Map.of("files", new JsonInteger(files.size())));
        return new Statement(Map.of(name(manifest), DrillEvidence.sha256(json)), PREDICATE_TYPE, predicate)
                .sign(key::signBytes)
                .encode();
    }

    private static String name(Path manifest) {
        return manifest.getFileName().toString();
    }

    /** What is wrong with the signature; empty if the key signed these very bytes. */
    static Optional<String> problem(Path manifest, byte[] json, byte[] envelope, NoteVerifier key) {
        try {
            Statement statement = Statement.parse(opened(envelope, Statement.MEDIA_TYPE, key));
            if (!statement.predicateType().equals(PREDICATE_TYPE)) {
                return Optional.of("is a statement of type " + statement.predicateType());
            }
            String signed = statement.subjects().getOrDefault(name(manifest), "of no such file");
            return signed.equals(DrillEvidence.sha256(json))
                    ? Optional.empty()
                    : Optional.of("has SHA-256 " + DrillEvidence.sha256(json) + ", signed was " + signed);
        } catch (InvalidFormat e) {
            return Optional.of("its signature cannot be believed: " + e.getMessage());
        }
    }

    /**
     * The payload of an envelope.
     *
     * @throws InvalidFormat if the key did not sign it, or any byte of the envelope is another than it was made with
     */
    static byte[] opened(byte[] bytes, String type, NoteVerifier key) throws InvalidFormat {
        Envelope envelope = Envelope.parse(bytes);
        if (!Arrays.equals(envelope.encode(), bytes)) {
            throw new InvalidFormat("envelope", "must be canonical JSON");
        }
        Envelope.Verification verification = envelope.verify(type, key::verifyBytes);
        if (verification instanceof Envelope.Verification.Verified verified) {
            return verified.payload();
        }
        throw new InvalidFormat("envelope", ((Envelope.Verification.Rejected) verification).reason());
    }
}
