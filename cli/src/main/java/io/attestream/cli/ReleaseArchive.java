// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** The jars in an archive that users download. */
final class ReleaseArchive {
    private static final int ENTRIES_MAX = 50_000;
    /** Bounds what a stranger's archive makes of the time of who looks into it. */
    private static final long JAR_BYTES_MAX = 1L << 30;

    private ReleaseArchive() {}

    /**
     * SHA-256 of every jar, by its path in the archive.
     *
     * @throws InvalidFormat if it is no archive, or one that two programs could unpack differently
     */
    static Map<String, String> jars(Path file) throws IOException, InvalidFormat {
        Map<String, String> jars = new TreeMap<>();
        Set<String> names = new HashSet<>();
        try (ZipFile archive = new ZipFile(file.toFile())) {
            if (archive.size() > ENTRIES_MAX) {
                throw new InvalidFormat(file.getFileName().toString(), "must not have more than 50,000 entries");
            }
            for (Enumeration<? extends ZipEntry> entries = archive.entries(); entries.hasMoreElements(); ) {
                ZipEntry entry = entries.nextElement();
                String name = entry.getName();
                if (!names.add(name) || name.startsWith("/") || name.contains("\\") || hasParent(name)) {
                    throw new InvalidFormat(name, "is there twice, or leads out of the archive");
                }
                if (name.endsWith(".jar")) {
                    jars.put(name, digest(archive, entry));
                }
            }
        } catch (ZipException e) {
            throw new InvalidFormat(file.getFileName().toString(), "is no archive that can be read: " + e.getMessage());
        }
        return jars;
    }

    private static boolean hasParent(String name) {
        return List.of(name.split("/", -1)).contains("..");
    }

    private static String digest(ZipFile archive, ZipEntry entry) throws IOException, InvalidFormat {
        if (entry.getSize() > JAR_BYTES_MAX) {
            throw new InvalidFormat(entry.getName(), "must not be larger than 1 GiB");
        }
        try (InputStream in = archive.getInputStream(entry)) {
            return Checksums.sha256(in);
        }
    }
}
