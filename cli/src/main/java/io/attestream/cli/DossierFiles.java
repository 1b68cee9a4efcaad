// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import io.attestream.cli.DossierManifest.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The files of evidence in a tree. */
final class DossierFiles {
    static final String NOT_COMMITTED = "is not as it was committed";
    private static final int FILE_BYTES_MAX = 16 << 20;
    private static final int FILES_MAX = 2_000;

    private final Path root;
    /** By their digest; many files have the same. */
    private final Map<String, JsonSchema> schemas = new HashMap<>();

    DossierFiles(Path root) {
        this.root = root;
    }

    /** Every file that is evidence by the policy, ordered. */
    List<String> found(DossierPolicy policy) {
        TreeSet<String> found = new TreeSet<>();
        for (DossierPolicy.Criterion criterion : policy.criteria()) {
            for (String glob : criterion.evidence()) {
                Path from = root.resolve(fixedPart(glob));
                if (Files.exists(from, LinkOption.NOFOLLOW_LINKS)) {
                    found.addAll(below(from, glob));
                }
            }
        }
        if (found.size() > FILES_MAX) {
            throw new CliException(
                    ExitCode.USAGE,
                    "there are " + found.size() + " files of evidence, at most " + FILES_MAX + " are read",
                    "Narrow the globs of the policy.");
        }
        return List.copyOf(found);
    }

    private List<String> below(Path from, String glob) {
        try (Stream<Path> files = Files.walk(from)) {
            return files.filter(file -> !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS))
                    .map(file -> String.join("/", names(root.relativize(file))))
                    .filter(path -> DossierPolicy.matches(glob, path))
                    .toList();
        } catch (IOException e) {
            throw LocalFiles.failure("read", from, e);
        }
    }

    private static List<String> names(Path path) {
        List<String> names = new ArrayList<>();
        path.forEach(name -> names.add(name.toString()));
        return names;
    }

    /** The directories before the first one that is a pattern. */
    private static String fixedPart(String glob) {
        int pattern = glob.replaceAll("[*?\\[{]", "*").indexOf('*');
        return pattern < 0 ? glob : glob.substring(0, Math.max(0, glob.lastIndexOf('/', pattern)));
    }

    /** What is there under a path. */
    sealed interface Content {
        /** A regular file of the tree. */
        record Bytes(byte[] bytes) implements Content {}

        record None(String why) implements Content {}
    }

    /** Reads a file, which has to be one in the tree: not a link that leads elsewhere. */
    Content read(String path) {
        Path file = root.resolve(path);
        try {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                return new Content.None("is missing");
            }
            if (!file.toRealPath().equals(root.toRealPath().resolve(path))
                    || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                return new Content.None("is no regular file of the tree");
            }
            if (Files.size(file) > FILE_BYTES_MAX) {
                return new Content.None("has more than " + FILE_BYTES_MAX + " bytes");
            }
            return new Content.Bytes(Files.readAllBytes(file));
        } catch (IOException e) {
            return new Content.None("cannot be read: " + e.getMessage());
        }
    }

    byte[] required(String path) {
        Content content = read(path);
        if (content instanceof Content.None none) {
            throw new CliException(ExitCode.USAGE, path + " " + none.why(), "Put it there, or name another.");
        }
        return ((Content.Bytes) content).bytes();
    }

    /** As it is now, for the manifest. */
    Entry entry(String path, String schema, String commit, Instant madeAt) {
        byte[] bytes = required(path);
        return new Entry(
                path,
                DrillEvidence.sha256(bytes),
                bytes.length,
                mediaType(path),
                schema,
                schema.isEmpty() ? "" : DrillEvidence.sha256(required(schema)),
                commit,
                ownTime(path, bytes).orElse(madeAt).toString());
    }

    /**
     * The manifest of what is there now. What is as it was, of a commit in this tree, keeps its entry; what is new is evidence of
     * the commit that changed it last.
     *
     * @param commit of all that is new, instead; empty: as above, or what is checked out if it is not committed yet
     */
    DossierManifest collect(DossierPolicy policy, DossierTree tree, DossierManifest before, Optional<String> commit) {
        List<Entry> entries = new ArrayList<>();
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        for (String path : found(policy)) {
            Optional<DossierTree.Change> change = tree.lastChange(path);
            String of = commit.or(() -> change.map(DossierTree.Change::commit)).orElseGet(tree::head);
            Instant at = change.map(DossierTree.Change::at).orElse(now);
            Entry entry = entry(path, policy.schemaOf(path), of, at);
            entries.add(before.find(path)
                    .filter(old -> old.sha256().equals(entry.sha256())
                            && old.schema().equals(entry.schema())
                            && old.schemaSha256().equals(entry.schemaSha256())
                            && tree.isAncestor(old.commit()))
                    .orElse(entry));
        }
        return new DossierManifest(1, entries);
    }

    private static String mediaType(String path) {
        return switch (path.substring(path.lastIndexOf('.') + 1)) {
            case "json" -> "application/json";
            case "md" -> "text/markdown";
            case "csv" -> "text/csv";
            case "svg" -> "image/svg+xml";
            case "yaml", "yml" -> "application/yaml";
            case "note", "vkey" -> "text/plain";
            default -> "application/octet-stream";
        };
    }

    /** When evidence says of itself that it was taken: a whole matrix when the oldest part of it was. */
    static Optional<Instant> ownTime(String path, byte[] bytes) {
        if (!path.endsWith(".json")) {
            return Optional.empty();
        }
        try {
            JsonNode document = DossierJson.tree(bytes);
            List<String> times = new ArrayList<>();
            for (String member : List.of("endedAt", "takenAt")) {
                if (times.isEmpty() && document.path(member).isTextual()) {
                    times.add(document.path(member).asText());
                }
            }
            if (times.isEmpty()) {
                document.path("faults").forEach(fault -> {
                    if (!FaultMatrix.isUntested(fault)) {
                        times.add(fault.path("takenAt").asText());
                    }
                });
            }
            return times.stream().map(Instant::parse).min(Instant::compareTo);
        } catch (IOException | DateTimeException e) {
            return Optional.empty(); // its schema says what it lacks
        }
    }

    /** The bytes of a file if it is what was collected, of a commit that is in this tree; else what is wrong with it. */
    Content verified(Entry entry, DossierTree tree, Instant at) {
        Content content = read(entry.path());
        if (!(content instanceof Content.Bytes read)) {
            return content;
        }
        return problem(entry, read.bytes(), tree, at)
                .<Content>map(Content.None::new)
                .orElse(content);
    }

    private Optional<String> problem(Entry entry, byte[] bytes, DossierTree tree, Instant at) {
        String digest = DrillEvidence.sha256(bytes);
        if (!digest.equals(entry.sha256()) || bytes.length != entry.sizeBytes()) {
            return Optional.of("has SHA-256 " + digest + " and " + bytes.length + " bytes; collected was "
                    + entry.sha256() + " with " + entry.sizeBytes());
        }
        if (!tree.isCommitted(entry.path(), bytes)) {
            return Optional.of(NOT_COMMITTED);
        }
        if (!tree.isAncestor(entry.commit())) {
            return Optional.of("is evidence of commit " + entry.commit()
                    + ", which is not the one that is checked out or one before it");
        }
        if (entry.madeAtInstant().isAfter(at)) {
            return Optional.of("is of " + entry.madeAt() + ", after the time of the decision");
        }
        Optional<Instant> own = ownTime(entry.path(), bytes);
        if (own.isPresent() && !own.get().equals(entry.madeAtInstant())) {
            return Optional.of("says that it is of " + own.get() + "; collected was " + entry.madeAt());
        }
        return originProblem(entry.path(), bytes, tree).or(() -> schemaProblem(entry, bytes, tree));
    }

    /** Of a document, or of the parts of a matrix, which were made one by one. */
    private static Optional<String> originProblem(String path, byte[] bytes, DossierTree tree) {
        if (!path.endsWith(".json")) {
            return Optional.empty();
        }
        try {
            JsonNode document = DossierJson.tree(bytes);
            List<JsonNode> parts = new ArrayList<>(List.of(document));
            document.path("faults").forEach(parts::add);
            return parts.stream()
                    .flatMap(part -> EvidenceOrigin.problem(part, tree).stream())
                    .findFirst();
        } catch (IOException e) {
            return Optional.of("is no JSON");
        }
    }

    private Optional<String> schemaProblem(Entry entry, byte[] bytes, DossierTree tree) {
        if (entry.schema().isEmpty()) {
            return Optional.empty();
        }
        if (!(read(entry.schema()) instanceof Content.Bytes schema)) {
            return Optional.of("has a schema, " + entry.schema() + ", that is not there");
        }
        if (!DrillEvidence.sha256(schema.bytes()).equals(entry.schemaSha256())) {
            return Optional.of("has a schema, " + entry.schema() + ", that was changed since it was collected");
        }
        if (!tree.isCommitted(entry.schema(), schema.bytes())) {
            return Optional.of("has a schema, " + entry.schema() + ", that " + NOT_COMMITTED);
        }
        try {
            JsonSchema compiled = schemas.get(entry.schemaSha256());
            if (compiled == null) {
                compiled = DossierJson.schema(schema.bytes());
                schemas.put(entry.schemaSha256(), compiled);
            }
            return DossierJson.violation(compiled, bytes)
                    .map(violation -> "is not of its schema " + entry.schema() + ": " + violation);
        } catch (IOException e) {
            return Optional.of("has a schema, " + entry.schema() + ", that is no JSON");
        }
    }
}
