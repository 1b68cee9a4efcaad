// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.DossierDecision.Criterion;
import io.attestream.cli.DossierDecision.Verdict;
import io.attestream.cli.DossierManifest.Entry;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteSigner;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Whether to launch, decided by evidence. */
@Command(
        name = "dossier",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "<command>",
        header = "Decide by evidence whether to launch.",
        description = {
            "A policy says what has to be shown, and by what. The evidence is collected in a signed manifest and recorded in a ledger;"
                    + " a dossier verifies all of it, judges it again, and comes to GO, NO-GO or GO-WITH-WAIVERS.",
            ""
        },
        subcommands = {
            DossierCommand.Build.class,
            DossierCommand.Collect.class,
            DossierCommand.Recording.class,
            DossierCommand.Waive.class
        })
final class DossierCommand {
    /** Where everything is. */
    static final class Places {
        @Option(
                names = "--repository",
                paramLabel = "<dir>",
                defaultValue = ".",
                description = "Top of the repository; the other paths are from there (default: the current directory).")
        private Path root = Path.of(".");

        @Option(
                names = "--policy",
                paramLabel = "<file>",
                defaultValue = "release/policy.json",
                description = "What has to be shown (default: ${DEFAULT-VALUE}).")
        private String policy = "release/policy.json";

        @Option(
                names = "--evidence",
                paramLabel = "<file>",
                defaultValue = "release/evidence.json",
                description = "Manifest of the evidence (default: ${DEFAULT-VALUE}).")
        private String manifest = "release/evidence.json";

        private DossierFiles files() {
            return new DossierFiles(root);
        }

        private DossierPolicy readPolicy() {
            return DossierPolicy.parse(Path.of(policy), files().required(policy));
        }

        private Path manifestFile() {
            return root.resolve(manifest);
        }

        /** As it was signed; empty if there is none. */
        private Optional<DossierManifest> readManifest(DossierPolicy trusted) {
            if (!Files.exists(manifestFile())) {
                return Optional.empty();
            }
            byte[] json = LocalFiles.read(manifestFile());
            DossierManifest.problem(
                            manifestFile(),
                            json,
                            LocalFiles.read(DossierManifest.envelope(manifestFile())),
                            trusted.evidenceKey())
                    .ifPresent(problem -> {
                        throw new CliException(
                                ExitCode.VERIFICATION_FAILED,
                                manifest + " " + problem,
                                "Put back what was signed, or delete it with its envelope to collect anew.");
                    });
            return Optional.of(DossierManifest.parse(manifestFile(), json));
        }

        private void write(DossierManifest evidence, NoteSigner key) {
            byte[] envelope = evidence.sign(manifestFile(), key);
            try {
                Files.write(manifestFile(), DossierJson.write(evidence));
                Files.write(DossierManifest.envelope(manifestFile()), envelope);
            } catch (IOException e) {
                throw LocalFiles.failure("write", manifestFile(), e);
            }
        }
    }

    /** What is said of new evidence, and by whom. */
    static final class Signing {
        @Option(
                names = "--key",
                required = true,
                paramLabel = "<file>",
                description = "Signing key of the evidence: that of keys.evidence in the policy.")
        private Path keyFile = Path.of("");

        @Option(
                names = "--commit",
                paramLabel = "<sha1>",
                description = "Commit the new files are evidence of (default: of each, the one that changed it last).")
        private @Nullable String commit;

        /** The key the policy believes. */
        private NoteSigner key(DossierPolicy policy) {
            NoteSigner key = DossierCommand.key(keyFile);
            if (!key.verifier().equals(policy.evidenceKey())) {
                throw new CliException(
                        ExitCode.USAGE,
                        "the policy believes key " + policy.keys().evidence() + ", this is "
                                + key.verifier().vkey(),
                        "Give that key, or put this one into keys.evidence of the policy.");
            }
            return key;
        }

        private Optional<String> commit() {
            if (commit != null && !commit.matches("[0-9a-f]{40}")) {
                throw new CliException(
                        ExitCode.USAGE, "--commit is no commit: " + commit, "Write all 40 hexadecimal digits.");
            }
            return Optional.ofNullable(commit);
        }
    }

    private static NoteSigner key(Path file) {
        try {
            return NoteSigner.parse(LocalFiles.readText(file).strip());
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.USAGE, file + " holds no signing key", "Make one with attestream keys generate.");
        }
    }

    private static Instant instant(String option, String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeException e) {
            throw new CliException(
                    ExitCode.USAGE, option + " is no time: " + text, "Write it as 2026-01-05T09:00:00Z.");
        }
    }

    @Command(
            name = "build",
            mixinStandardHelpOptions = true,
            header = "Verify all evidence, judge it by the policy, and write the dossier.",
            description = {
                "Opens no connection. Writes decision.json, DOSSIER.md, dossier.html, a copy of all that was judged, and with --key a"
                        + " signed statement. Exit code 0 for GO and GO-WITH-WAIVERS, 3 for NO-GO. With the same files, --at and"
                        + " --key every byte is the same.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream dossier build --dir artifacts/dossier",
                "  attestream dossier build --dir artifacts/dossier \\",
                "      --key release.skey --at 2026-01-05T09:00:00Z"
            })
    static final class Build implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Places places = new Places();

        @Option(
                names = "--waivers",
                paramLabel = "<dir>",
                defaultValue = "release/waivers",
                description = "Directory of signed waivers (default: ${DEFAULT-VALUE}).")
        private String waivers = "release/waivers";

        @Option(names = "--dir", required = true, paramLabel = "<dir>", description = "New directory for the dossier.")
        private Path out = Path.of("");

        @Option(names = "--key", paramLabel = "<file>", description = "Key that signs the decision.")
        private @Nullable Path keyFile;

        @Option(
                names = "--at",
                paramLabel = "<time>",
                description = "Time of the decision, by which evidence is too old or not (default: now).")
        private @Nullable String at;

        @Override
        public Integer call() {
            Output output = form.output();
            Instant time = at == null ? Instant.now().truncatedTo(ChronoUnit.SECONDS) : instant("--at", at);
            Optional<NoteSigner> key = Optional.ofNullable(keyFile).map(DossierCommand::key);
            DossierDecision decision = Dossier.build(
                    new Dossier.Inputs(
                            places.root,
                            DossierTree.of(places.root),
                            places.policy,
                            places.manifest,
                            waivers,
                            out,
                            time),
                    key);
            print(output, decision);
            output.json(decision);
            output.say("Wrote " + out.resolve(Dossier.HTML)
                    + (key.isEmpty() ? "; without --key nothing is signed." : " and " + Dossier.STATEMENT + "."));
            return decision.decision() == Verdict.NO_GO ? ExitCode.VERIFICATION_FAILED : ExitCode.OK;
        }

        private static void print(Output output, DossierDecision decision) {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("criterion", "outcome", "claim"));
            for (Criterion criterion : decision.criteria()) {
                rows.add(List.of(criterion.id(), DossierPages.outcome(criterion), criterion.claim()));
            }
            Output.table(rows).forEach(output::print);
            decision.reasons()
                    .forEach(reason -> output.print("NO-GO  "
                            + String.join(
                                    "  ",
                                    List.of(reason.criterion(), reason.file(), DossierDecision.shown(reason.what()))
                                            .stream()
                                            .filter(text -> !text.isEmpty())
                                            .toList())));
            output.print(decision.decision().word());
        }
    }

    @Command(
            name = "collect",
            mixinStandardHelpOptions = true,
            header = "Write and sign the manifest of all evidence.",
            description = {
                "Finds every file the policy names. One that is as it was keeps its entry, if that is of a commit in this history;"
                        + " one that is new or was changed gets a new one. Commit both files.",
                ""
            },
            footer = {"", "Example:", "  attestream dossier collect --key evidence.skey"})
    static final class Collect implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Places places = new Places();

        @Mixin
        private Signing signing = new Signing();

        @Override
        public Integer call() {
            Output output = form.output();
            DossierPolicy policy = places.readPolicy();
            NoteSigner key = signing.key(policy);
            DossierManifest before = places.readManifest(policy).orElse(DossierManifest.EMPTY);
            DossierManifest now = places.files().collect(policy, DossierTree.of(places.root), before, signing.commit());
            places.write(now, key);
            long kept = now.files().stream().filter(before.files()::contains).count();
            output.print(now.files().size() + " files, " + kept + " of them as before  " + places.manifest);
            output.json(Output.object("files", now.files().size(), "kept", kept));
            return ExitCode.OK;
        }
    }

    @Command(
            name = "record",
            mixinStandardHelpOptions = true,
            header = "Record the digest of every file of evidence in a ledger, and keep the proofs.",
            description = {
                "Appends an event for each file of the manifest, waits for publication, verifies every proof, and writes them to the file"
                        + " that the policy names for them, which is added to the manifest. The ledger's key has to be keys.ledger"
                        + " of the policy when the dossier is built.",
                ""
            },
            footer = {"", "Example:", "  attestream dossier record --data-dir ./attestream-data --key evidence.skey"})
    static final class Recording implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Places places = new Places();

        @Mixin
        private Connection connection = new Connection();

        @Mixin
        private Signing signing = new Signing();

        @Option(
                names = "--wait",
                paramLabel = "<seconds>",
                defaultValue = "60",
                description = "Wait so long for each publication (default: ${DEFAULT-VALUE}).")
        private int waitSeconds;

        @Override
        public Integer call() {
            Output output = form.output();
            Limits.check("--wait", waitSeconds, 0, Limits.WAIT_SECONDS_MAX);
            DossierPolicy policy = places.readPolicy();
            NoteSigner key = signing.key(policy);
            DossierManifest evidence = places.readManifest(policy)
                    .orElseThrow(() -> new CliException(
                            ExitCode.USAGE, "there is no " + places.manifest, "Run attestream dossier collect first."));
            DossierPolicy.Criterion books = books(policy);
            List<Entry> files = DossierBooks.recorded(evidence, books);
            byte[] proofs = DossierBooks.record(
                    files,
                    connection.api("ingester"),
                    connection.api("auditor"),
                    connection.ledgerKey(),
                    Duration.ofSeconds(waitSeconds));
            Path file = places.root.resolve(books.evidence().get(0));
            try {
                Files.write(file, proofs);
            } catch (IOException e) {
                throw LocalFiles.failure("write", file, e);
            }
            places.write(places.files().collect(policy, DossierTree.of(places.root), evidence, signing.commit()), key);
            output.print(files.size() + " files are recorded and proved  "
                    + books.evidence().get(0));
            output.print("ledger  " + connection.ledgerKey().vkey());
            output.json(Output.object(
                    "recorded",
                    files.size(),
                    "ledgerKey",
                    connection.ledgerKey().vkey()));
            return ExitCode.OK;
        }

        private static DossierPolicy.Criterion books(DossierPolicy policy) {
            return policy.criteria().stream()
                    .filter(criterion -> criterion.verify() == DossierCheck.BOOKS)
                    .findFirst()
                    .orElseThrow(() -> new CliException(
                            ExitCode.USAGE,
                            "the policy has no criterion with verify: books",
                            "It names the file the proofs are kept in."));
        }
    }

    @Command(
            name = "waive",
            mixinStandardHelpOptions = true,
            header = "Sign a waiver: somebody answers for a criterion that is not met, for a while.",
            footer = {
                "",
                "Example:",
                "  attestream dossier waive --criterion vulnerability-scan --owner ops@example.com \\",
                "      --reason 'scanned by hand, see ticket 12' --expires 2026-02-01T00:00:00Z \\",
                "      --key owner.skey --file release/waivers/vulnerability-scan.json"
            })
    static final class Waive implements Callable<Integer> {
        private static final Pattern DAYS = Pattern.compile("[0-9]{1,4}d");

        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Places places = new Places();

        @Option(names = "--criterion", required = true, paramLabel = "<id>", description = "What is waived.")
        private String criterion = "";

        @Option(names = "--owner", required = true, paramLabel = "<who>", description = "Who answers for it.")
        private String owner = "";

        @Option(names = "--reason", required = true, paramLabel = "<why>", description = "Why it may be.")
        private String reason = "";

        @Option(
                names = "--expires",
                required = true,
                paramLabel = "<time>",
                description = "When it ends, or in how many days: 2026-02-01T00:00:00Z, 7d.")
        private String expires = "";

        @Option(
                names = "--key",
                required = true,
                paramLabel = "<file>",
                description = "Signing key of the owner: one of keys.waivers in the policy.")
        private Path keyFile = Path.of("");

        @Option(names = "--file", required = true, paramLabel = "<file>", description = "New file for the waiver.")
        private Path file = Path.of("");

        @Override
        public Integer call() {
            Output output = form.output();
            DossierPolicy policy = places.readPolicy();
            Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
            Instant end = DAYS.matcher(expires).matches()
                    ? now.plus(Duration.ofDays(Integer.parseInt(expires.substring(0, expires.length() - 1))))
                    : instant("--expires", expires);
            byte[] waiver = new DossierWaiver(criterion, owner, reason, end).sign(key(keyFile));
            DossierWaiver.Judged judged = DossierWaiver.judge(file.toString(), waiver, policy, now);
            if (!judged.counts()) {
                throw new CliException(
                        ExitCode.USAGE,
                        "such a waiver would count for nothing: it " + judged.problem(),
                        "See keys.waivers, waiverDaysMax and waivable in the policy.");
            }
            try {
                Files.createDirectories(file.toAbsolutePath().resolveSibling(""));
                Files.write(file, waiver, StandardOpenOption.CREATE_NEW);
            } catch (FileAlreadyExistsException e) {
                throw new CliException(ExitCode.USAGE, file + " exists", "Give a new --file.");
            } catch (IOException e) {
                throw LocalFiles.failure("write", file, e);
            }
            output.print("waived  " + criterion + " until " + end + "  " + file);
            output.json(Output.object("criterion", criterion, "expiresAt", end.toString()));
            return ExitCode.OK;
        }
    }
}
