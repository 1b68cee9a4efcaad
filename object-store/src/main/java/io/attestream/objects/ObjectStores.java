// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects;

import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;

/** Opens object stores. */
public final class ObjectStores {
    private ObjectStores() {}

    /** What is wrong with a location, seen without opening it; empty if nothing is. */
    public static Optional<String> problem(String location) {
        try {
            return ObjectLocation.parse(location) instanceof ObjectLocation.Directory directory
                            && !Files.isDirectory(directory.path())
                    ? Optional.of(directory + " is not a directory")
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /**
     * The store at a location, for who can wait: S3 is asked again for a minute before it counts as unavailable. Nothing is
     * asked yet.
     *
     * @param location see {@link ObjectLocation}
     * @throws IllegalArgumentException if it is no location
     * @throws IOException if it cannot be used
     */
    public static ObjectStore open(String location) throws IOException {
        return open(location, S3ObjectStore.Timeouts.PATIENT);
    }

    /** As {@link #open}, for who answers requests: seconds. */
    public static ObjectStore openForServing(String location) throws IOException {
        return open(location, S3ObjectStore.Timeouts.SERVING);
    }

    /**
     * As {@link #open}, for who writes.
     *
     * @throws IOException also if the store would let an object be overwritten, or takes one that was damaged on its way
     */
    public static ObjectStore openForWriting(String location) throws IOException {
        return keepingItsPromises(open(location));
    }

    /** As {@link #openForServing}, for who writes too; what it asks of the store is as in {@link #openForWriting}. */
    public static ObjectStore openForServingAndWriting(String location) throws IOException {
        return keepingItsPromises(openForServing(location));
    }

    private static ObjectStore keepingItsPromises(ObjectStore store) throws IOException {
        if (store instanceof S3ObjectStore s3) {
            s3.requireKeepsItsPromises();
        }
        return store;
    }

    private static ObjectStore open(String location, S3ObjectStore.Timeouts timeouts) throws IOException {
        ObjectLocation parsed = ObjectLocation.parse(location);
        if (parsed instanceof ObjectLocation.S3 s3) {
            return S3ObjectStore.open(s3, timeouts);
        }
        return new DirectoryObjectStore(((ObjectLocation.Directory) parsed).path());
    }
}
