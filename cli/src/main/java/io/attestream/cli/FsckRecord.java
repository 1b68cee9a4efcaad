// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.attestream.operations.evidence.LastRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;

/** What came of an fsck, kept where a gateway looks for it: below a directory, in one named by its time in UTC. */
final class FsckRecord {
    private static final String RUNNING = ".running";
    private static final DateTimeFormatter NAME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH-mm-ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private FsckRecord() {}

    /** Makes it if it is not there: an fsck of hours is not to end without a place for what it found. */
    static void requireDirectory(Path root) {
        try {
            Files.createDirectories(root);
        } catch (IOException e) {
            throw LocalFiles.failure("write", root, e);
        }
    }

    /**
     * Writes it; the directory gets its name when it is complete.
     *
     * @param root of all; made if it is not there
     * @param scope what was looked at: {@code ledger}, or {@code archive} if it was that alone
     * @param found its verdict as {@code status}, and figures
     * @return the directory
     */
    static Path write(Path root, String scope, Instant endedAt, Map<String, Object> found) {
        String name = NAME.format(endedAt);
        Path running = root.resolve(name + RUNNING);
        Map<String, Object> report = new LinkedHashMap<>(
                Map.of("v", 1, LastRun.Kind.FSCK.nameLabel(), scope, "endedAt", endedAt.toString()));
        report.putAll(found);
        try {
            Files.createDirectories(running);
            Files.write(running.resolve(LastRun.Kind.FSCK.file()), JSON.writeValueAsBytes(report));
            return Files.move(running, root.resolve(name));
        } catch (IOException e) {
            throw LocalFiles.failure("write", running, e);
        }
    }
}
