// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.objects.ObjectStores;
import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the object store is. */
final class ObjectStoreOption {
    @Option(
            names = "--objects",
            paramLabel = "<location>",
            description = "The object store: a directory, or s3://<bucket>/<prefix>[?region=…&endpoint=…]."
                    + " Default: that of --data-dir.")
    private @Nullable String objects;

    /** For who only reads. */
    ObjectStore open(Connection connection) {
        return open(connection, ObjectStores::open);
    }

    /** For who can do without it: empty if none is named, or it cannot be used. */
    Optional<ObjectStore> find(Connection connection) {
        try {
            return Optional.of(open(connection));
        } catch (CliException e) {
            return Optional.empty();
        }
    }

    ObjectStore openForWriting(Connection connection) {
        return open(connection, ObjectStores::openForWriting);
    }

    private interface Opener {
        ObjectStore open(String location) throws IOException;
    }

    private ObjectStore open(Connection connection, Opener opener) {
        String location = objects != null
                ? objects
                : connection
                        .dataDirectory()
                        .map(data -> data.resolve("objects").toString())
                        .orElseThrow(() -> new CliException(
                                ExitCode.USAGE, "no object store was named", "Give --objects or --data-dir."));
        Optional<String> problem = ObjectStores.problem(location);
        if (problem.isPresent()) {
            throw new CliException(ExitCode.USAGE, problem.get(), "Check --objects.");
        }
        try {
            return opener.open(location);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "the object store cannot be used: " + e.getMessage(), "Check --objects.");
        }
    }
}
