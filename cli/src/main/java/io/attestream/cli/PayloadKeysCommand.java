// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.Secrets;
import io.attestream.objects.keys.PayloadKeysSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a location for the keys of subjects. */
@Command(
        name = "payload-keys",
        mixinStandardHelpOptions = true,
        header = "Make the place where the keys of subjects are kept.",
        description = {
            "Once, before attestream.payload-keys.location is set at gateways, processors and the checkpointer, which refuse a"
                    + " place that was not made: it may be a disk that is not mounted. Run again it changes nothing. What the"
                    + " keys are for: docs/privacy.md.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  (umask 077; head -c 32 /dev/urandom | base64 > payload-keys.key)",
            "  attestream payload-keys --location s3://keys-of-the-ledger --key-file payload-keys.key"
        })
final class PayloadKeysCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--location",
            required = true,
            paramLabel = "<location>",
            description = "A directory, or s3://bucket/prefix, for nothing else, and not in the object store.")
    private String location = "";

    @Option(
            names = "--key-file",
            required = true,
            paramLabel = "<file>",
            description =
                    "The key the keys are encrypted under: 32 random bytes in base64, in a file only its owner can read.")
    private Path keyFile = Path.of("");

    @Override
    public Integer call() {
        Output output = form.output();
        try {
            PayloadKeysSetting.create(location, keyFile);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "no place for keys was made: " + e.getMessage(), "Check --location.");
        } catch (IllegalArgumentException e) {
            throw new CliException(
                    ExitCode.USAGE,
                    "no place for keys was made: " + e.getMessage(),
                    "Check --location; --key-file must have 32 bytes in base64, and be readable by its owner only.");
        }
        output.print("payload keys can be kept in " + location);
        output.json(Output.object("status", "made", "location", location));
        return ExitCode.OK;
    }

    /**
     * From the next start on, payloads of a local cluster are encrypted, whose directory the caller holds. The key file gets its
     * name last: until then nothing has begun, and is begun anew. What was lost behind that is never made again.
     *
     * @throws CliException if it cannot be done, or there are keys whose key file was lost
     */
    static void encryptPayloads(Path data) {
        Path keyFile = data.resolve(LocalCluster.PAYLOAD_KEYS_KEY);
        if (Files.exists(keyFile)) {
            return;
        }
        Path keys = data.resolve(LocalCluster.PAYLOAD_KEYS);
        Path newKeyFile = keyFile.resolveSibling(keyFile.getFileName() + ".new");
        try {
            if (!Files.exists(keys)) {
                Files.createDirectories(data.resolve("keys"));
                Files.deleteIfExists(newKeyFile);
                Secrets.writeRandom(newKeyFile);
                make(keys, newKeyFile);
            } else if (!Files.exists(newKeyFile)) {
                throw new CliException(
                        ExitCode.ERROR,
                        keys + " has payload keys, and " + keyFile + " is not there: nothing was changed",
                        "Put the key file back from a copy: without it those payloads cannot be read.");
            }
            Files.move(newKeyFile, keyFile, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "no place for payload keys was made: " + e.getMessage(),
                    "Check --data-dir, and run it again.");
        }
    }

    /** It is there at once, or not at all. */
    private static void make(Path keys, Path keyFile) throws IOException {
        Path newKeys = keys.resolveSibling(keys.getFileName() + ".new");
        removeUnfinished(newKeys);
        Files.createDirectories(newKeys);
        PayloadKeysSetting.create(newKeys.toString(), keyFile);
        Files.move(newKeys, keys, StandardCopyOption.ATOMIC_MOVE);
    }

    /** What was killed left it. */
    private static void removeUnfinished(Path newKeys) throws IOException {
        if (Files.exists(newKeys)) {
            try (Stream<Path> all = Files.walk(newKeys)) {
                for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(each);
                }
            }
        }
    }
}
