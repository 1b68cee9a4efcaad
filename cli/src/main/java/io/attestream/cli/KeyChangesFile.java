// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import picocli.CommandLine.Option;

/** The operator's file of key changes, which grows at its end. */
final class KeyChangesFile {
    @Option(
            names = "--changes",
            required = true,
            paramLabel = "<file>",
            description =
                    "The ledger's key changes, which the checkpointer is given (attestream.ledger.key-changes-file).")
    private Path file = Path.of("");

    @Option(
            names = "--key-file",
            required = true,
            paramLabel = "<file>",
            description = "The newest signing key, announced or first, which has to sign.")
    private Path keyFile = Path.of("");

    /** The signing key; what is new is signed by it. */
    NoteSigner newest() {
        return Bootstrap.read(keyFile);
    }

    private KeyChanges read(NoteVerifier newest) {
        if (!Files.exists(file)) {
            return KeyChanges.none(newest); // nothing was changed yet: the newest is the first
        }
        try {
            return KeyChanges.parse(LocalFiles.read(file));
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.USAGE, file + " holds no key changes: " + e.getMessage(), "Check --changes.");
        }
    }

    /** Makes a change behind those there are. */
    interface Maker {
        KeyChange make(KeyHistory history) throws InvalidFormat;
    }

    /** Writes the file with one change more, or leaves it as it is. */
    KeyChange append(NoteSigner newest, Maker maker) {
        KeyChanges before = read(newest.verifier());
        KeyChange change;
        try {
            KeyHistory first = KeyHistory.of(NoteVerifier.parse(before.vkey()));
            change = maker.make(KeyChanges.after(first, before.pending(first)));
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.USAGE, e.reason(), "Nothing was written. Look at them: attestream keys history.");
        }
        try {
            replace(before.with(change).encode());
        } catch (IOException e) {
            throw LocalFiles.failure("write", file, e);
        }
        return change;
    }

    private void replace(byte[] json) throws IOException {
        Path directory = Objects.requireNonNull(file.toAbsolutePath().getParent(), "a file has a directory");
        Path temporary = Files.createTempFile(directory, "key-changes", ".tmp");
        try {
            Files.write(temporary, json);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    int report(Output output, KeyChange change) {
        output.print(change.toString());
        output.say("Give " + file
                + " and the signing keys to the checkpointer and start it again; the next epoch logs it.");
        output.json(Output.object(
                "number", change.number(),
                "key", change.key().vkey(),
                "name", change.name(),
                "changes", file.toString()));
        return ExitCode.OK;
    }
}
