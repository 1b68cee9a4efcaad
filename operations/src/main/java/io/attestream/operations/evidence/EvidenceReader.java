// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.evidence;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads the newest result of each case, scenario and scope out of a directory with {@code drills/<UTC>/drill_summary.json}, {@code
 * game-days/<UTC>/game_day_report.json} and {@code fsck/<UTC>/fsck_report.json}. Drills that were spoilt on purpose are left out: they are meant to fail. Signatures of
 * evidence are not checked here but by {@code attestream drill history}. Not thread-safe.
 */
public final class EvidenceReader {
    /** Of each kind, the newest; what was not run among so many is as good as never run. */
    static final int MAX_RUNS = 200;

    static final int MAX_FILE_SIZE_BYTES = 1 << 20;
    private static final int MAX_PROBLEMS = 10;
    private static final Pattern TIME = Pattern.compile("\\d{4}[0-9TZ:.-]{4,36}");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path directory;
    /** By the run's directory: results are written once. */
    private final Map<Path, Result> known = new HashMap<>();

    /** @param spoilt on purpose */
    private record Result(LastRun run, boolean spoilt) {}

    public EvidenceReader(Path directory) {
        this.directory = directory;
    }

    private static final class Unreadable extends Exception {
        Unreadable(String message) {
            super(message, null, false, false);
        }
    }

    /** Looks again. Never fails: what cannot be read is among the problems. */
    public Evidence read() {
        List<LastRun> runs = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        Set<Path> seen = new HashSet<>();
        for (LastRun.Kind kind : LastRun.Kind.values()) {
            Map<String, LastRun> newest = new HashMap<>();
            for (Path made : directories(kind, problems)) {
                seen.add(made);
                try {
                    Result result = result(kind, made);
                    if (!result.spoilt()) {
                        newest.merge(result.run().name(), result.run(), EvidenceReader::later);
                    }
                } catch (Unreadable e) {
                    problems.add(
                            kind.directory() + "/" + made.getFileName() + "/" + kind.file() + " " + e.getMessage());
                }
            }
            runs.addAll(newest.values());
        }
        known.keySet().retainAll(seen);
        runs.sort(Comparator.comparing(LastRun::endedAt).reversed().thenComparing(LastRun::name));
        return new Evidence(runs, problems.subList(0, Math.min(problems.size(), MAX_PROBLEMS)));
    }

    private static LastRun later(LastRun a, LastRun b) {
        return b.endedAt().isAfter(a.endedAt()) ? b : a;
    }

    /** Newest first. */
    private List<Path> directories(LastRun.Kind kind, List<String> problems) {
        try (Stream<Path> all = Files.list(directory.resolve(kind.directory()))) {
            return all.filter(
                            path -> TIME.matcher(path.getFileName().toString()).matches())
                    .sorted(Comparator.reverseOrder())
                    .limit(MAX_RUNS)
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of(); // Not one was carried out.
        } catch (IOException e) {
            problems.add(kind.directory() + " cannot be listed: " + e.getMessage());
            return List.of();
        }
    }

    private Result result(LastRun.Kind kind, Path made) throws Unreadable {
        Result old = known.get(made);
        if (old != null) {
            return old;
        }
        JsonNode json = json(made.resolve(kind.file()));
        String directoryName = made.getFileName().toString();
        Result read = switch (kind) {
            case DRILL -> drill(directoryName, json);
            case GAME_DAY -> gameDay(directoryName, json);
            case FSCK -> fsck(directoryName, json);
        };
        known.put(made, read);
        return read;
    }

    private static Result drill(String directory, JsonNode json) throws Unreadable {
        double recoveryMillis = json.path("rto").path("millis").asDouble(-1);
        LastRun run = new LastRun(
                LastRun.Kind.DRILL,
                name(json, LastRun.Kind.DRILL.nameLabel()),
                directory,
                endedAt(json),
                bool(json, "pass"),
                recoveryMillis < 0 ? OptionalDouble.empty() : OptionalDouble.of(recoveryMillis / 1000),
                count(json.path("rpo").path("events")));
        return new Result(run, !json.path("mutation").asText().isEmpty());
    }

    private static Result gameDay(String directory, JsonNode json) throws Unreadable {
        JsonNode recovery = json.path("mttrSeconds");
        OptionalLong lost = count(json.path("acknowledgedEventsLost"));
        LastRun run = new LastRun(
                LastRun.Kind.GAME_DAY,
                name(json, LastRun.Kind.GAME_DAY.nameLabel()),
                directory,
                endedAt(json),
                bool(json, "passed") && lost.orElse(0) == 0,
                recovery.isNumber() ? OptionalDouble.of(recovery.asDouble()) : OptionalDouble.empty(),
                lost);
        return new Result(run, false);
    }

    /** One that could not look at everything did not pass. */
    private static Result fsck(String directory, JsonNode json) throws Unreadable {
        LastRun run = new LastRun(
                LastRun.Kind.FSCK,
                name(json, LastRun.Kind.FSCK.nameLabel()),
                directory,
                endedAt(json),
                json.path("status").asText().equals("good"),
                OptionalDouble.empty(),
                OptionalLong.empty());
        return new Result(run, false);
    }

    private static JsonNode json(Path file) throws Unreadable {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_FILE_SIZE_BYTES + 1);
            if (bytes.length > MAX_FILE_SIZE_BYTES) {
                throw new Unreadable("is longer than " + MAX_FILE_SIZE_BYTES + " bytes");
            }
            return JSON.readTree(bytes);
        } catch (NoSuchFileException e) {
            throw new Unreadable("is missing");
        } catch (IOException e) {
            throw new Unreadable("is not JSON that can be read");
        }
    }

    private static String name(JsonNode json, String field) throws Unreadable {
        String name = json.path(field).asText();
        if (!NAME.matcher(name).matches()) {
            throw new Unreadable("must have a " + field + " of 1 to 100 letters, digits, '.', '_', '-'");
        }
        return name;
    }

    private static Instant endedAt(JsonNode json) throws Unreadable {
        try {
            return Instant.parse(json.path("endedAt").asText());
        } catch (DateTimeException e) {
            throw new Unreadable("must have endedAt, a time in UTC");
        }
    }

    /** What does not say that it passed did not. */
    private static boolean bool(JsonNode json, String field) throws Unreadable {
        if (!json.path(field).isBoolean()) {
            throw new Unreadable("must have " + field + ", true or false");
        }
        return json.path(field).asBoolean();
    }

    private static OptionalLong count(JsonNode value) {
        return value.canConvertToLong() ? OptionalLong.of(value.asLong()) : OptionalLong.empty();
    }
}
