// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.chaos.Installation;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The tree whose build was tried when evidence was made.
 *
 * @param commit that was checked out; "" where there is no repository, as in an unpacked release
 * @param treeClean whether the build was of it, and nothing but evidence was different from it, as far as git says
 */
record EvidenceOrigin(String commit, boolean treeClean) {
    private static final String COMMIT = "commit";
    private static final String TREE_CLEAN = "treeClean";
    /** Not a name, which would be of another commit tomorrow. */
    private static final Pattern FULL_ID = Pattern.compile("[0-9a-f]{40}");

    /** Where runs before this one may have left theirs, not committed yet; what else they write to, git ignores. */
    private static final List<String> EVIDENCE =
            List.of("docs/drill-evidence/", "docs/game-day-evidence/", "docs/durability-matrix.json");

    /** System property, set by the start script. */
    private static final String STALE = "attestream.build.stale";

    private static final EvidenceOrigin UNKNOWN = new EvidenceOrigin("", false);

    /** As it is now, which is to be asked before the evidence is made. */
    static EvidenceOrigin now() {
        Path home = Installation.find().home();
        try {
            return of(DossierTree.of(home), Boolean.getBoolean(STALE));
        } catch (CliException e) {
            return UNKNOWN; // a drill needs no git; its evidence is not taken for a release's
        }
    }

    /** @param stale whether sources are newer than the build: what is tried is not what is checked out */
    static EvidenceOrigin of(DossierTree tree, boolean stale) {
        boolean clean = !stale
                && tree.changes().stream().allMatch(path -> EVIDENCE.stream().anyMatch(path::startsWith));
        return new EvidenceOrigin(tree.head(), clean);
    }

    void putInto(Map<String, Object> document) {
        document.put(COMMIT, commit);
        document.put(TREE_CLEAN, treeClean);
    }

    /** What is wrong with a document that says where it is from; empty also if it does not say. */
    static Optional<String> problem(JsonNode document, DossierTree tree) {
        JsonNode commit = document.path(COMMIT);
        JsonNode clean = document.path(TREE_CLEAN);
        if (commit.isMissingNode() && clean.isMissingNode()) {
            return Optional.empty();
        }
        if (!clean.isBoolean() || !clean.booleanValue()) {
            return Optional.of("was made in a tree with changes that no commit has");
        }
        return FULL_ID.matcher(commit.asText()).matches() && tree.isAncestor(commit.asText())
                ? Optional.empty()
                : Optional.of("was made of commit " + commit.asText()
                        + ", which is not the one that is checked out or one before it");
    }
}
