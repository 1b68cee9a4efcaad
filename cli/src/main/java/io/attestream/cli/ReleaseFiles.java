// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The files of a release in their directory: an archive {@code X.zip}, its bill of materials {@code X.cdx.json}, its provenance
 * {@code X.intoto.jsonl}, and {@link #CHECKSUMS} of these three with a signature.
 */
record ReleaseFiles(Path directory) {
    static final String CHECKSUMS = "SHA256SUMS";
    static final String SIGNATURE = "SHA256SUMS.sig";
    /** A keyless signature, which only Sigstore's own tools with its log can verify. May be missing. */
    static final String SIGSTORE = "SHA256SUMS.sigstore.json";

    static final String ARCHIVE = ".zip";
    static final String SBOM = ".cdx.json";
    static final String PROVENANCE = ".intoto.jsonl";

    /** More are no release, and would have to be read. */
    private static final int FILES_MAX = 100;

    private static final long TEXT_BYTES_MAX = 64L << 20;

    /** What is there, directories and links too; sorted. */
    Set<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            Set<String> names = new TreeSet<>(files.limit(FILES_MAX + 1L)
                    .map(file -> file.getFileName().toString())
                    .toList());
            if (names.size() > FILES_MAX) {
                throw new IOException(directory + " has more than " + FILES_MAX + " files: it is no release");
            }
            return names;
        }
    }

    Path path(String name) {
        return directory.resolve(name);
    }

    boolean isFile(String name) {
        return Files.isRegularFile(path(name), LinkOption.NOFOLLOW_LINKS);
    }

    /** All of a file that is no archive. */
    byte[] read(String name) throws IOException {
        if (Files.size(path(name)) > TEXT_BYTES_MAX) {
            throw new IOException(name + " is larger than " + (TEXT_BYTES_MAX >> 20) + " MiB");
        }
        return Files.readAllBytes(path(name));
    }

    /** SHA-256 of files by their names. */
    Map<String, String> digests(Set<String> names) throws IOException {
        Map<String, String> digests = new TreeMap<>();
        for (String name : names) {
            digests.put(name, Checksums.sha256(path(name)));
        }
        return digests;
    }

    /** Whether the signatures are made over it: all but the checksums and what signs these. */
    static boolean isListed(String name) {
        return !Set.of(CHECKSUMS, SIGNATURE, SIGSTORE).contains(name);
    }

    /** The name of what belongs to an archive. */
    static String beside(String archive, String suffix) {
        return archive.substring(0, archive.length() - ARCHIVE.length()) + suffix;
    }
}
