// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteVerifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of commands that talk to a gateway. */
final class Connection {
    @Option(
            names = "--url",
            paramLabel = "<url>",
            defaultValue = "${env:ATTESTREAM_URL}",
            description = "Gateway. Default: ATTESTREAM_URL, or that of --data-dir.")
    private @Nullable String url;

    @Option(
            names = "--token",
            paramLabel = "<jwt>",
            defaultValue = "${env:ATTESTREAM_TOKEN}",
            description = "Bearer token; better kept out of the process list with --token-file or ATTESTREAM_TOKEN.")
    private @Nullable String token;

    @Option(names = "--token-file", paramLabel = "<file>", description = "File with the bearer token.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--ledger-key",
            paramLabel = "<vkey>",
            defaultValue = "${env:ATTESTREAM_LEDGER_KEY}",
            description = "Public key of the ledger. Default: ATTESTREAM_LEDGER_KEY, or that of --data-dir.")
    private @Nullable String ledgerKey;

    @Option(
            names = "--data-dir",
            paramLabel = "<dir>",
            description = "Data directory of a running local cluster: address, token and key are taken from it.")
    private @Nullable Path dataDirectory;

    /** @param role whose token of a local cluster is taken */
    Api api(String role) {
        return new Api(base(address()), token(role).orElse(null));
    }

    private static URI base(String address) {
        try {
            URI base = new URI(address);
            if (base.getHost() != null && ("http".equals(base.getScheme()) || "https".equals(base.getScheme()))) {
                return base;
            }
        } catch (URISyntaxException e) {
            // Said below.
        }
        throw new CliException(
                ExitCode.USAGE,
                "not the address of a gateway: " + address,
                "Example: --url https://ledger.example.com");
    }

    private String address() {
        if (url != null && !url.isBlank()) {
            return url.replaceAll("/+$", "");
        }
        return cluster()
                .map(ClusterFile::url)
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE, "no gateway was named", "Give --url or --data-dir, or set ATTESTREAM_URL."));
    }

    private Optional<String> token(String role) {
        try {
            if (tokenFile != null) {
                return Optional.of(bearer(LocalFiles.readText(tokenFile), tokenFile.toString()));
            }
            if (token != null && !token.isBlank()) {
                return Optional.of(bearer(token, "--token or ATTESTREAM_TOKEN"));
            }
            if (dataDirectory == null) {
                return Optional.empty();
            }
            Path file = ClusterFile.tokenFile(dataDirectory, role);
            return Optional.of(bearer(LocalFiles.readText(file), file.toString()));
        } catch (CliException e) {
            throw new CliException(ExitCode.AUTH, "no token: " + e.getMessage(), "Check --token-file.");
        }
    }

    /** Checked here, because an HTTP client that refuses a header quotes it, and a token is a secret. */
    private static String bearer(String text, String where) {
        String token = text.strip();
        if (!token.matches("[A-Za-z0-9._~+/=-]+")) {
            throw new CliException(ExitCode.AUTH, where + " holds no bearer token", "");
        }
        return token;
    }

    NoteVerifier ledgerKey() {
        if (ledgerKey != null && !ledgerKey.isBlank()) {
            return parseKey(ledgerKey);
        }
        String vkey = cluster()
                .map(ClusterFile::ledgerKey)
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "the ledger's public key was not given",
                        "Give --ledger-key or --data-dir, or set ATTESTREAM_LEDGER_KEY."));
        if (vkey.isEmpty()) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "the ledger in " + dataDirectory + " is not made yet",
                    "Try again in a minute.");
        }
        return parseKey(vkey);
    }

    static NoteVerifier parseKey(String vkey) {
        try {
            return NoteVerifier.parse(vkey);
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.USAGE, "not a public key: " + e.getMessage(), "A vkey is name+keyid+key; quote it.");
        }
    }

    Optional<Path> dataDirectory() {
        return Optional.ofNullable(dataDirectory);
    }

    Optional<ClusterFile> cluster() {
        return LocalFiles.cluster(dataDirectory);
    }
}
