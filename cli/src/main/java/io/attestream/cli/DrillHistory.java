// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All drills whose evidence is in one directory, oldest first. */
final class DrillHistory {
    private final List<Entry> entries;

    /** @param name of the directory */
    record Entry(String name, JsonNode summary) {
        String drill() {
            return summary.path("case").asText();
        }

        String mutation() {
            return summary.path("mutation").asText();
        }

        boolean isPass() {
            return summary.path("pass").asBoolean();
        }

        /** A spoilt drill that failed in the right way says of the check that it works, not that a restore does. */
        boolean isAsExpected() {
            return summary.path("asExpected").asBoolean();
        }
    }

    private DrillHistory(List<Entry> entries) {
        this.entries = entries;
    }

    /** @throws CliException if any evidence is not what was signed */
    static DrillHistory read(Path root, NoteVerifier key) {
        return read(root, key, true);
    }

    /** As {@link #read}, of evidence whose logs are kept elsewhere: what is there of them has to be what was signed. */
    static DrillHistory readWithoutLogs(Path root, NoteVerifier key) {
        return read(root, key, false);
    }

    private static DrillHistory read(Path root, NoteVerifier key, boolean withLogs) {
        List<Entry> entries = new ArrayList<>();
        try {
            Optional<DrillEvidence> before = Optional.empty();
            for (DrillEvidence evidence : DrillEvidence.all(root)) {
                entries.add(new Entry(
                        evidence.directory().getFileName().toString(), evidence.verified(key, before, withLogs)));
                before = Optional.of(evidence);
            }
        } catch (IOException e) {
            throw LocalFiles.failure("read", root, e);
        }
        if (entries.isEmpty()) {
            throw new CliException(
                    ExitCode.NOT_FOUND_OR_PENDING, root + " has no drill", "Run attestream drill restore first.");
        }
        return new DrillHistory(entries);
    }

    List<Entry> entries() {
        return entries;
    }

    /** How many of the newest unspoilt drills of each case passed in a row. */
    Map<String, Integer> consecutivePasses() {
        Map<String, Integer> passes = new LinkedHashMap<>();
        for (Entry entry : entries) {
            if (entry.mutation().isEmpty()) {
                passes.put(entry.drill(), entry.isPass() ? passes.getOrDefault(entry.drill(), 0) + 1 : 0);
            }
        }
        return passes;
    }
}
