// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterControl;
import io.attestream.chaos.Secrets;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.MlDsaSigner;
import io.attestream.proofs.note.MlDsaVerifier;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Keys of ledgers, and of the local cluster's tokens. */
@Command(
        name = "keys",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "<command>",
        header = "Make, show and change the keys of a ledger; replace the key of a local cluster's tokens.",
        description = {
            "The keys of ledgers are Ed25519 note keys, as golang.org/x/mod/sumdb/note has them. A ledger's first key stands in"
                    + " its genesis for ever; others follow when they are announced in the log.",
            ""
        },
        subcommands = {
            KeysCommand.Generate.class,
            KeysCommand.Show.class,
            KeysAnnounceCommand.class,
            KeysRetireCommand.class,
            KeysHistoryCommand.class,
            KeysCommand.RotateTokens.class
        })
final class KeysCommand {
    @Command(
            name = "generate",
            mixinStandardHelpOptions = true,
            header = "Make a signing key.",
            description = {"The secret goes into a new file that only you can read; the public key is printed.", ""},
            footer = {
                "",
                "Example:",
                "  attestream keys generate --origin ledger.example.com/prod \\",
                "      --key-file ledger.skey"
            })
    static final class Generate implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Option(
                names = "--origin",
                required = true,
                paramLabel = "<origin>",
                description = "Origin of the ledger, which is the key's name: a URL without scheme, space or +.")
        private String origin = "";

        @Option(names = "--key-file", required = true, paramLabel = "<file>", description = "New file for the secret.")
        private Path keyFile = Path.of("");

        @Option(
                names = "--ml-dsa",
                description = "Make an ML-DSA-44 key instead, to sign checkpoints with beside the ledger's own"
                        + " (attestream.ledger.ml-dsa-key-file). Java 24 or newer. A local cluster takes ledger-*.skey for"
                        + " keys of the ledger: name it otherwise.")
        private boolean mlDsa;

        /** A key as text, and its public half. */
        private record Made(String skey, String vkey) {}

        private Made make() {
            if (mlDsa) {
                MlDsaKeyOption.requireSupported();
                MlDsaSigner signer = MlDsaSigner.generate(origin, new SecureRandom());
                return new Made(signer.skey(), signer.verifier().vkey());
            }
            NoteSigner signer = NoteSigner.generate(origin, new SecureRandom());
            return new Made(signer.skey(), signer.verifier().vkey());
        }

        @Override
        public Integer call() {
            Output output = form.output();
            Made made;
            try {
                made = make();
            } catch (IllegalArgumentException e) {
                throw new CliException(
                        ExitCode.USAGE, "not an origin: " + e.getMessage(), "Example: ledger.example.com/prod");
            }
            try {
                Secrets.write(keyFile, made.skey() + "\n");
            } catch (FileAlreadyExistsException e) {
                throw new CliException(
                        ExitCode.ERROR, keyFile + " exists; a key is never overwritten", "Choose another file.");
            } catch (IOException e) {
                throw LocalFiles.failure("write", keyFile, e);
            }
            print(output, origin, mlDsa, made.vkey());
            output.say(
                    "The secret is in " + keyFile + ". Keep a copy apart: without it the ledger cannot be continued.");
            return ExitCode.OK;
        }
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            header = "Print the public key of a signing key.",
            footer = {"", "Example:", "  attestream keys show ledger.skey"})
    static final class Show implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Parameters(paramLabel = "<file>", description = "File with the secret.")
        private Path keyFile = Path.of("");

        @Option(names = "--ml-dsa", description = "It is an ML-DSA-44 key. Java 24 or newer.")
        private boolean mlDsa;

        @Override
        public Integer call() {
            String skey = LocalFiles.readText(keyFile).strip();
            try {
                if (mlDsa) {
                    MlDsaKeyOption.requireSupported();
                    MlDsaVerifier key = MlDsaSigner.parse(skey).verifier();
                    print(form.output(), key.keyName(), true, key.vkey());
                } else {
                    NoteVerifier key = NoteSigner.parse(skey).verifier();
                    print(form.output(), key.keyName(), false, key.vkey());
                }
                return ExitCode.OK;
            } catch (InvalidFormat e) {
                throw new CliException(
                        ExitCode.ERROR,
                        keyFile + " holds no " + (mlDsa ? "ML-DSA-44" : "Ed25519") + " signing key",
                        "Make one with attestream keys generate; keys show --ml-dsa prints one of ML-DSA-44.");
            }
        }
    }

    @Command(
            name = "rotate-tokens",
            mixinStandardHelpOptions = true,
            header = "Make new tokens for a running local cluster, signed by a new key.",
            description = {
                "Asks the launcher that runs in --data-dir (attestream up). Tokens that were given out before hold until this is"
                        + " run again; gateways that are not started again know their key for up to six minutes more.",
                ""
            },
            footer = {"", "Example:", "  attestream keys rotate-tokens --data-dir ./attestream-data"})
    static final class RotateTokens implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Option(
                names = "--data-dir",
                paramLabel = "<dir>",
                defaultValue = "attestream-data",
                description = "Of the cluster (default: ${DEFAULT-VALUE}).")
        private Path dataDirectory = Path.of("attestream-data");

        @Override
        public Integer call() {
            Output output = form.output();
            try {
                ClusterControl.of(dataDirectory).rotateTokens();
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.UNAVAILABLE,
                        String.valueOf(e.getMessage()),
                        "The launcher has to run: attestream up --data-dir " + dataDirectory);
            }
            output.print("new tokens  " + dataDirectory.resolve("keys") + "/{ingester,auditor,admin}.jwt");
            output.json(Output.object("rotated", true));
            return ExitCode.OK;
        }
    }

    private static void print(Output output, String origin, boolean mlDsa, String vkey) {
        output.print(vkey);
        output.json(Output.object("origin", origin, mlDsa ? "mlDsaKey" : "ledgerKey", vkey));
    }
}
