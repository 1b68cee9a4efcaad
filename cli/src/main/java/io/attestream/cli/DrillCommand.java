// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.Output.Tone;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows that a restore works, before it is needed. */
@Command(
        name = "drill",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "<command>",
        header = "Show that a restore works, before it is needed.",
        description = {
            "A drill starts a cluster of its own, sends events to it, loses a part of it, brings it back, and has what came"
                    + " back judged by what an auditor keeps: a public key, checkpoints, proofs, the events themselves.",
            ""
        },
        subcommands = {DrillCommand.Restore.class, FaultsCommand.class, DrillCommand.History.class})
final class DrillCommand {
    private static final String ALL = "all";
    private static final String DIRECTORY = "artifacts/drills";

    /** Where evidence is, and the key it is signed with. */
    static final class EvidenceOption {
        @Option(
                names = "--dir",
                paramLabel = "<dir>",
                defaultValue = DIRECTORY,
                description = "Directory of the evidence, one below it for each drill (default: ${DEFAULT-VALUE}).")
        private Path directory = Path.of(DIRECTORY);

        private Path defaultKeyFile() {
            return directory.resolve("drill.skey");
        }
    }

    @Command(
            name = "restore",
            mixinStandardHelpOptions = true,
            header = "Lose a part of an isolated cluster under load, restore it, and verify what came back.",
            description = {
                "Exit code 0 only if every check of every drill passed; with --mutate, only if every drill that was spoilt on"
                        + " purpose failed in the check it was to fail in, for the right reason. Takes some two minutes for"
                        + " each drill.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream drill restore --case object-store",
                "  attestream drill restore --case all --strict",
                "  attestream drill restore --mutate all",
                "  attestream drill history"
            })
    static final class Restore implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private EvidenceOption evidence = new EvidenceOption();

        @Option(
                names = "--key-file",
                paramLabel = "<file>",
                description = "Signing key of the evidence (default: drill.skey in that directory, made if absent, with"
                        + " its public half in drill.vkey).")
        private @Nullable Path keyFile;

        @Option(
                names = "--case",
                paramLabel = "<case>",
                defaultValue = ALL,
                description =
                        "What is lost: state-directories, changelogs, group-offsets, object-store, kafka, point-in-time"
                                + " (everything but the objects), or all (default: ${DEFAULT-VALUE}).")
        private String drill = ALL;

        @Option(
                names = "--mutate",
                paramLabel = "<mutation>",
                description = "Spoil the drill on purpose, to see that it fails: dropped-event, short-log,"
                        + " empty-changelogs, short-store, lost-snapshot, truncated-changelog, shifted-offset, altered-object, wrong-key, lost-epochs,"
                        + " stale-store, old-copy, altered-segment, new-ledger, altered-pack, stale-epoch,"
                        + " altered-entry, altered-tile, unrecorded-event, or all those of --case.")
        private @Nullable String mutation;

        @Option(
                names = "--strict",
                description = "A check that was not run, missing evidence and every warning is a failure.")
        private boolean strict;

        @Option(
                names = "--events",
                paramLabel = "<n>",
                defaultValue = "300",
                description =
                        "Events acknowledged before the damage is done; a pack is waited for too (default: ${DEFAULT-VALUE}).")
        private int events;

        @Option(
                names = "--shards",
                paramLabel = "<n>",
                defaultValue = "2",
                description = "Shards of the drill's ledger (default: ${DEFAULT-VALUE}).")
        private int shards;

        @Override
        public Integer call() {
            Output output = form.output();
            Limits.check("--events", events, 1, Limits.DRILL_EVENTS_MAX);
            Limits.check("--shards", shards, 1, Limits.LOCAL_SHARDS_MAX);
            NoteSigner key = DrillEvidence.key(keyFile == null ? evidence.defaultKeyFile() : keyFile);
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("case", "mutation", "result", "RPO events", "RTO ms", "evidence"));
            List<Object> results = new ArrayList<>();
            boolean good = true;
            for (Planned planned : plan()) {
                DrillEvidence written = run(planned, key, output);
                // Read back, with all that was there before it.
                List<DrillHistory.Entry> all =
                        DrillHistory.read(evidence.directory, key.verifier()).entries();
                DrillHistory.Entry entry = all.get(all.size() - 1);
                good &= entry.isAsExpected();
                rows.add(row(entry, written.directory().toString()));
                results.add(entry.summary());
            }
            Output.table(rows).forEach(output::print);
            output.print(good ? output.paint(Tone.GOOD, "as it has to be") : output.paint(Tone.BAD, "FAILED"));
            output.json(Output.object("ok", good, "drills", results));
            return good ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
        }

        private record Planned(DrillCase drill, Optional<DrillMutation> mutation) {}

        private List<Planned> plan() {
            List<DrillCase> cases =
                    drill.equals(ALL) ? Arrays.asList(DrillCase.values()) : List.of(DrillCase.of(drill));
            if (mutation == null) {
                return cases.stream()
                        .map(one -> new Planned(one, Optional.empty()))
                        .toList();
            }
            if (!mutation.equals(ALL)) {
                DrillMutation one = DrillMutation.of(mutation);
                if (!cases.contains(one.drill())) {
                    throw new CliException(
                            ExitCode.USAGE,
                            mutation + " is a mutation of " + one.drill().word(),
                            "Leave --case out, or give --case " + one.drill().word() + ".");
                }
                return List.of(new Planned(one.drill(), Optional.of(one)));
            }
            return cases.stream()
                    .flatMap(one -> DrillMutation.of(one).stream())
                    .map(one -> new Planned(one.drill(), Optional.of(one)))
                    .toList();
        }

        private DrillEvidence run(Planned planned, NoteSigner key, Output output) {
            output.say(
                    Tone.STRONG,
                    "Drill " + planned.drill().word()
                            + planned.mutation()
                                    .map(spoilt -> ", spoilt by " + spoilt.word())
                                    .orElse(""));
            EvidenceOrigin origin = EvidenceOrigin.now();
            Path data = temporaryDirectory();
            try {
                DrillEvidence written = DrillEvidence.create(evidence.directory);
                Drill.Outcomes outcomes = new Drill(
                                planned.drill(), planned.mutation(), new Drill.Settings(shards, events, strict), output)
                        .run(data);
                written.write(outcomes, origin, data.resolve("logs"), key);
                return written;
            } finally {
                remove(data);
            }
        }

        private static Path temporaryDirectory() {
            try {
                return Files.createTempDirectory("attestream-drill-");
            } catch (IOException e) {
                throw LocalFiles.failure("make a directory in", Path.of(System.getProperty("java.io.tmpdir")), e);
            }
        }

        private static void remove(Path data) {
            try (Stream<Path> files = Files.walk(data)) {
                for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            } catch (IOException e) {
                throw LocalFiles.failure("remove", data, e);
            }
        }
    }

    private static List<String> row(DrillHistory.Entry entry, String where) {
        return List.of(
                entry.drill(),
                entry.mutation().isEmpty() ? "-" : entry.mutation(),
                (entry.isPass() ? "pass" : "fail") + (entry.isAsExpected() ? "" : ", UNEXPECTED"),
                entry.summary().at("/rpo/events").asText(),
                entry.summary().at("/rto/millis").asText(),
                where);
    }

    @Command(
            name = "history",
            mixinStandardHelpOptions = true,
            header = "List the drills whose evidence is kept, and how many passed in a row.",
            description = {"Exit code 3 if a file of any evidence is not what was signed.", ""},
            footer = {"", "Example:", "  attestream drill history --dir artifacts/drills"})
    static final class History implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private EvidenceOption evidence = new EvidenceOption();

        @Option(
                names = "--drill-key",
                paramLabel = "<vkey>",
                description = "Public key of the evidence (default: that in drill.vkey in that directory).")
        private @Nullable String vkey;

        @Override
        public Integer call() {
            return form.reportingFailure("ok", () -> list(form.output()));
        }

        private int list(Output output) {
            NoteVerifier key = Connection.parseKey(
                    vkey != null
                            ? vkey
                            : LocalFiles.readText(DrillEvidence.publicHalf(evidence.defaultKeyFile()))
                                    .strip());
            DrillHistory history = DrillHistory.read(evidence.directory, key);
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("case", "mutation", "result", "RPO events", "RTO ms", "evidence"));
            history.entries().forEach(entry -> rows.add(row(entry, entry.name())));
            Output.table(rows).forEach(output::print);
            history.consecutivePasses()
                    .forEach((drill, passes) -> output.print(drill + ": " + passes + " passed in a row"));
            output.json(Output.object(
                    "ok", true,
                    "drills",
                            history.entries().stream()
                                    .map(DrillHistory.Entry::summary)
                                    .toList(),
                    "consecutivePasses", history.consecutivePasses()));
            return ExitCode.OK;
        }
    }
}
