// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.Output.Tone;
import io.attestream.cli.ReleaseVerifier.Check;
import io.attestream.cli.ReleaseVerifier.Outcome;
import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Envelope;
import io.attestream.proofs.attestation.PemKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What users download: made, signed, and verified. */
@Command(
        name = "release",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "<command>",
        header = "Gather, sign and verify the files of a release.",
        description = {
            "A release is an archive with the jars of services and command line, a bill of materials (CycloneDX) of these jars,"
                    + " the provenance of both (SLSA, signed), and checksums of all, signed.",
            ""
        },
        subcommands = {ReleaseCommand.Assemble.class, ReleaseCommand.Sign.class, ReleaseCommand.Verify.class})
final class ReleaseCommand {
    /** A release to look at or to go on with. */
    static final class DirectoryOption {
        @Option(
                names = "--dir",
                required = true,
                paramLabel = "<dir>",
                description = "Directory with the files of the release.")
        private Path directory = Path.of("");

        ReleaseFiles existing() {
            if (!Files.isDirectory(directory)) {
                throw new CliException(
                        ExitCode.USAGE, "--dir " + directory + " is no directory", "Name that with SHA256SUMS in it.");
            }
            return new ReleaseFiles(directory);
        }
    }

    private static CliException refused(String what, String next) {
        return new CliException(ExitCode.VERIFICATION_FAILED, what, next);
    }

    private static CliException usage(InvalidFormat e, Path file, String next) {
        return new CliException(ExitCode.USAGE, file + ": " + e.getMessage(), next);
    }

    @Command(
            name = "assemble",
            mixinStandardHelpOptions = true,
            header = "Gather what users download, with a bill of materials of the very jars in it.",
            description = {
                "Takes the archive and the SBOM that mvn package -Prelease made, and writes an SBOM that lists each jar of the"
                        + " archive by its SHA-256 and nothing else. A jar of others that the build's SBOM does not know, or a"
                        + " licence that is not allowed, is exit code 3; nothing is written then.",
                ""
            },
            footer = {
                "",
                "Example:",
                "  attestream release assemble --archive cli/target/attestream-0.1.0.zip --sbom target/bom.json \\",
                "      --licences .github/allowed-licences.txt --dir dist"
            })
    static final class Assemble implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Option(names = "--archive", required = true, paramLabel = "<file>", description = "The archive (*.zip).")
        private Path archive = Path.of("");

        @Option(names = "--sbom", required = true, paramLabel = "<file>", description = "SBOM of the build, as JSON.")
        private Path sbom = Path.of("");

        @Option(
                names = "--licences",
                required = true,
                paramLabel = "<file>",
                description = "Licences that are allowed, one a line, as CycloneDX names them; # begins a comment.")
        private Path licences = Path.of("");

        @Option(
                names = "--dir",
                required = true,
                paramLabel = "<dir>",
                description = "Where to; made if it is not there, and has to be empty.")
        private Path directory = Path.of("");

        @Override
        public Integer call() {
            String name = archive.getFileName().toString();
            if (!name.endsWith(ReleaseFiles.ARCHIVE)
                    || !Checksums.NAME.matcher(name).matches()) {
                throw new CliException(
                        ExitCode.USAGE,
                        "--archive must be named *.zip, in letters, digits, dots, dashes: " + name,
                        "Rename it.");
            }
            ReleaseSbom shipped = shipped();
            try {
                Files.createDirectories(directory);
                ReleaseFiles files = new ReleaseFiles(directory);
                if (!files.names().isEmpty()) {
                    throw new CliException(
                            ExitCode.USAGE, "--dir " + directory + " is not empty", "Name a new directory.");
                }
                Files.copy(archive, files.path(name));
                Files.write(files.path(ReleaseFiles.beside(name, ReleaseFiles.SBOM)), shipped.encode());
                report(form.output(), files);
            } catch (IOException e) {
                throw LocalFiles.failure("write", directory, e);
            }
            return ExitCode.OK;
        }

        private ReleaseSbom shipped() {
            Map<String, String> jars;
            try {
                jars = ReleaseArchive.jars(archive);
            } catch (InvalidFormat e) {
                throw usage(e, archive, "Make it with mvn package -Prelease.");
            } catch (IOException e) {
                throw LocalFiles.failure("read", archive, e);
            }
            ReleaseSbom build;
            try {
                build = ReleaseSbom.parse(LocalFiles.read(sbom));
            } catch (InvalidFormat e) {
                throw usage(e, sbom, "Make it with mvn package -Prelease.");
            }
            try {
                ReleaseSbom shipped = build.of(jars);
                List<String> outside = shipped.licencesOutside(allowed());
                if (!outside.isEmpty()) {
                    throw refused(
                            String.join("; ", outside),
                            "Replace it, or read the licence and add it to " + licences + ".");
                }
                return shipped;
            } catch (InvalidFormat e) {
                throw refused(
                        String.valueOf(e.getMessage()),
                        "Add what brings it to the build, so that the SBOM can name it.");
            }
        }

        private Set<String> allowed() {
            return LocalFiles.readText(licences)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .collect(Collectors.toSet());
        }
    }

    @Command(
            name = "sign",
            mixinStandardHelpOptions = true,
            header = "Say who built the files of a release and of what, and sign that and their checksums.",
            description = {
                "Writes *.intoto.jsonl (SLSA provenance v1, an in-toto statement in a DSSE envelope), SHA256SUMS, and"
                        + " SHA256SUMS.sig, which openssl and cosign verify too. The key is ECDSA over P-256 or Ed25519, in PKCS #8.",
                ""
            },
            footer = {
                "",
                "Example:",
                "  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out release.pem",
                "  attestream release sign --dir dist --key release.pem --commit $(git rev-parse HEAD) \\",
                "      --builder https://ci.example.com/release --repository https://github.com/attestream/attestream"
            })
    static final class Sign implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private DirectoryOption release = new DirectoryOption();

        @Option(names = "--key", required = true, paramLabel = "<pem>", description = "File with the secret key.")
        private Path key = Path.of("");

        @Option(
                names = "--commit",
                required = true,
                paramLabel = "<sha>",
                description = "Commit the files were built of.")
        private String commit = "";

        @Option(names = "--builder", required = true, paramLabel = "<uri>", description = "Who built them.")
        private String builder = "";

        @Option(names = "--repository", required = true, paramLabel = "<uri>", description = "Where the sources are.")
        private String repository = "";

        @Override
        public Integer call() {
            if (!Provenance.COMMIT.matcher(commit).matches()) {
                throw new CliException(
                        ExitCode.USAGE,
                        "--commit must be all 40 hexadecimal digits of a commit, is " + commit,
                        "Example: --commit $(git rev-parse HEAD)");
            }
            Envelope.Signer signer;
            try {
                signer = PemKeys.parseSigner(LocalFiles.readText(key));
            } catch (InvalidFormat e) {
                throw usage(e, key, "Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256");
            }
            ReleaseFiles files = release.existing();
            try {
                sign(files, signer);
                report(form.output(), files);
            } catch (FileAlreadyExistsException e) {
                throw new CliException(
                        ExitCode.ERROR, e.getFile() + " exists: the release is signed", "Assemble it again elsewhere.");
            } catch (IOException e) {
                throw LocalFiles.failure("write", files.directory(), e);
            }
            return ExitCode.OK;
        }

        private void sign(ReleaseFiles files, Envelope.Signer signer) throws IOException {
            Set<String> names = files.names();
            String archive = archive(names);
            String provenance = ReleaseFiles.beside(archive, ReleaseFiles.PROVENANCE);
            byte[] statement = new Provenance(builder, repository, commit)
                    .on(files.digests(names))
                    .sign(signer)
                    .encode();
            write(files, provenance, statement);
            Set<String> all = new TreeSet<>(names);
            all.add(provenance);
            byte[] checksums = Checksums.text(files.digests(all)).getBytes(StandardCharsets.UTF_8);
            write(files, ReleaseFiles.CHECKSUMS, checksums);
            String signature = Base64Text.encode(signer.sign(checksums)) + "\n";
            write(files, ReleaseFiles.SIGNATURE, signature.getBytes(StandardCharsets.US_ASCII));
        }

        private static void write(ReleaseFiles files, String name, byte[] bytes) throws IOException {
            Files.write(files.path(name), bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        }

        /** The one archive, if there is nothing but it and its SBOM. */
        private String archive(Set<String> names) throws FileAlreadyExistsException {
            if (names.contains(ReleaseFiles.CHECKSUMS)) {
                throw new FileAlreadyExistsException(ReleaseFiles.CHECKSUMS);
            }
            String archive = names.stream()
                    .filter(name -> name.endsWith(ReleaseFiles.ARCHIVE))
                    .findFirst()
                    .orElse(ReleaseFiles.ARCHIVE);
            if (!names.equals(Set.of(archive, ReleaseFiles.beside(archive, ReleaseFiles.SBOM)))) {
                throw new CliException(
                        ExitCode.USAGE,
                        "--dir must hold an archive and its SBOM and nothing else, holds " + names,
                        "Make it with attestream release assemble.");
            }
            return archive;
        }
    }

    private static void report(Output output, ReleaseFiles files) throws IOException {
        Map<String, String> digests = files.digests(files.names());
        digests.forEach((name, digest) -> output.print(digest + "  " + name));
        output.json(Output.object("files", digests));
    }

    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            header = "Verify the files of a release with a public key, without network.",
            description = {
                "Checks every signature and checksum, that provenance and checksums are of these files and of no other, and that"
                        + " the SBOM lists the jars of the archive and nothing else. A check is PASSED, FAILED, or NOT-ASSESSED:"
                        + " the last is what cannot be known here, and is never counted as passed. Exit code 3 if one FAILED."
                        + " Without --commit and --builder it is not verified what the release was built of, and by whom.",
                ""
            },
            footer = {
                "",
                "Example:",
                "  attestream release verify --dir dist --key release.pub.pem --commit $(git rev-parse v0.1.0) \\",
                "      --builder https://ci.example.com/release"
            })
    static final class Verify implements Callable<Integer> {
        private static final Set<String> ORIGIN = Set.of("provenance-commit", "provenance-builder");

        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private DirectoryOption release = new DirectoryOption();

        @Option(names = "--key", required = true, paramLabel = "<pem>", description = "File with the public key.")
        private Path key = Path.of("");

        @Option(names = "--commit", paramLabel = "<sha>", description = "Commit the release has to be built of.")
        private @Nullable String commit;

        @Option(names = "--builder", paramLabel = "<uri>", description = "Who has to have built it.")
        private @Nullable String builder;

        @Override
        public Integer call() {
            ReleaseFiles files = release.existing();
            Envelope.Verifier verifier;
            try {
                verifier = PemKeys.parseVerifier(LocalFiles.readText(key));
            } catch (InvalidFormat e) {
                throw usage(e, key, "Take the public key from where the publisher announces it.");
            }
            try {
                return verdict(
                        form.output(),
                        new ReleaseVerifier(
                                        files,
                                        verifier,
                                        new ReleaseVerifier.Expected(
                                                Optional.ofNullable(commit), Optional.ofNullable(builder)))
                                .run());
            } catch (IOException e) {
                throw LocalFiles.failure("read", files.directory(), e);
            }
        }

        private static int verdict(Output output, List<Check> checks) {
            boolean verified = checks.stream().noneMatch(check -> check.outcome() == Outcome.FAILED);
            long notAssessed = checks.stream()
                    .filter(check -> check.outcome() == Outcome.NOT_ASSESSED)
                    .count();
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("check", "outcome", "detail"));
            checks.forEach(check -> rows.add(List.of(check.name(), word(check), check.detail())));
            Output.table(rows).forEach(output::print);
            boolean isOriginVerified = verified
                    && checks.stream()
                            .filter(check -> ORIGIN.contains(check.name()))
                            .allMatch(check -> check.outcome() == Outcome.PASSED);
            String but = isOriginVerified
                    ? ", but for " + notAssessed + " checks NOT-ASSESSED"
                    : ", but not for which commit and builder: say with --commit and --builder which you expect";
            output.print(
                    verified
                            ? output.paint(isOriginVerified ? Tone.GOOD : Tone.WARNING, "VERIFIED") + but
                            : output.paint(Tone.BAD, "NOT VERIFIED") + ": do not use these files");
            output.json(Output.object(
                    "verified",
                    verified,
                    "originVerified",
                    isOriginVerified,
                    "checks",
                    checks.stream()
                            .map(check -> Output.object(
                                    "name",
                                    check.name(),
                                    "outcome",
                                    word(check).toLowerCase(Locale.ROOT),
                                    "detail",
                                    check.detail()))
                            .toList()));
            return verified ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
        }

        private static String word(Check check) {
            return check.outcome().name().replace('_', '-');
        }
    }
}
