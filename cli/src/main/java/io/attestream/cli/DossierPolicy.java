// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What has to be shown before a launch, by what, and who is believed: {@code release/policy.json}.
 *
 * @param waiverDaysMax a waiver that ends later than so many days after the decision counts for nothing
 */
record DossierPolicy(int v, Keys keys, int waiverDaysMax, List<Criterion> criteria) {
    static final String SCHEMA = "policy.schema.json";

    /**
     * Public keys (vkeys).
     *
     * @param evidence of the manifest of evidence
     * @param drills of the evidence of drills
     * @param ledger of the ledger the digests of evidence are recorded in
     * @param waivers of those who may waive
     */
    record Keys(String evidence, String drills, String ledger, List<String> waivers) {}

    /** What is done when a criterion has no evidence at all. */
    enum IfMissing {
        @JsonProperty("fails")
        FAILS,
        @JsonProperty("not-assessed")
        NOT_ASSESSED
    }

    /**
     * @param claim what is shown if it passes
     * @param reference of the criterion: an issue, a page
     * @param evidence globs of files, from the top of the repository
     * @param schemas of these files, where they have one
     * @param verify how they are judged again
     * @param require what their values have to be
     * @param allow names of what {@code verify} may find not assessed
     * @param maxAgeHours of each file, at the time of the decision
     * @param blocking whether it is NO-GO if the evidence is good and says no. Evidence that is missing or too old always is
     * @param waivable whether a waiver may stand in for it
     * @param notAssessedBlocks whether it is NO-GO if it was not assessed
     */
    record Criterion(
            String id,
            String claim,
            String reference,
            List<String> evidence,
            List<FileSchema> schemas,
            DossierCheck verify,
            List<Requirement> require,
            List<String> allow,
            int maxAgeHours,
            boolean blocking,
            boolean waivable,
            IfMissing ifMissing,
            boolean notAssessedBlocks) {
        boolean has(String path) {
            return evidence.stream().anyMatch(glob -> DossierPolicy.matches(glob, path));
        }
    }

    /** @param schema path of a JSON schema */
    record FileSchema(String files, String schema) {}

    /**
     * One of {@code is}, {@code atMost} and {@code atLeast}.
     *
     * @param files glob of files, each of which is held against it
     * @param pointer JSON pointer (RFC 6901) to a value
     */
    record Requirement(
            String files,
            String pointer,
            @Nullable JsonNode is,
            @Nullable Double atMost,
            @Nullable Double atLeast) {
        boolean holds(JsonNode value) {
            if (is != null) {
                return is.equals(value);
            }
            return value.isNumber()
                    && (atMost == null || value.asDouble() <= atMost)
                    && (atLeast == null || value.asDouble() >= atLeast);
        }

        String text() {
            return pointer
                    + (is != null ? " is " + is : atMost != null ? " at most " + atMost : " at least " + atLeast);
        }
    }

    /** @throws CliException if it is no policy: nothing can be decided then */
    static DossierPolicy parse(Path file, byte[] json) {
        DossierPolicy policy = DossierJson.read(file.toString(), json, SCHEMA, DossierPolicy.class);
        Set<String> ids = new HashSet<>();
        for (Criterion criterion : policy.criteria()) {
            if (!ids.add(criterion.id())) {
                throw new CliException(
                        ExitCode.USAGE, file + " has criterion " + criterion.id() + " twice", "Give it another id.");
            }
        }
        policy.keys().waivers().forEach(Connection::parseKey);
        policy.evidenceKey();
        return policy;
    }

    NoteVerifier evidenceKey() {
        return Connection.parseKey(keys.evidence());
    }

    /** The schema of a file; empty if it has none. */
    String schemaOf(String path) {
        return criteria.stream()
                .flatMap(criterion -> criterion.schemas().stream())
                .filter(schema -> matches(schema.files(), path))
                .map(FileSchema::schema)
                .findFirst()
                .orElse("");
    }

    boolean hasEvidence(String path) {
        return criteria.stream().anyMatch(criterion -> criterion.has(path));
    }

    static boolean matches(String glob, String path) {
        Path relative = Path.of(path);
        return relative.getFileSystem().getPathMatcher("glob:" + glob).matches(relative);
    }
}
