// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.chaos.Installation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The tree whose build was tried when evidence was made.
 *
 * @param commit that was checked out; "" where there is no repository, as in an unpacked release
 * @param treeClean whether nothing else was different from it than evidence
 */
record EvidenceOrigin(String commit, boolean treeClean) {
    private static final String COMMIT = "commit";
    private static final String TREE_CLEAN = "treeClean";
    /** Not a name, which would be of another commit tomorrow. */
    private static final Pattern FULL_ID = Pattern.compile("[0-9a-f]{40}");

    private static final EvidenceOrigin UNKNOWN = new EvidenceOrigin("", false);

    /**
     * As it is now, which is to be asked before the evidence is made.
     *
     * @param evidence file or directory into which it goes: what is there is no change of the tree
     */
    static EvidenceOrigin now(Path evidence) {
        Path home = Installation.find().home();
        try {
            return of(DossierTree.of(home), home, evidence);
        } catch (CliException e) {
            return UNKNOWN; // a drill needs no git; its evidence is not taken for a release's
        }
    }

    static EvidenceOrigin of(DossierTree tree, Path home, Path evidence) {
        List<String> names = new ArrayList<>();
        home.relativize(evidence.toAbsolutePath().normalize()).forEach(name -> names.add(name.toString()));
        String own = String.join("/", names);
        boolean clean = tree.changes().stream().allMatch(path -> path.equals(own) || path.startsWith(own + "/"));
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
