// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import java.io.FilterInputStream;
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
    private static final long JARS_BYTES_MAX = 1L << 30;

    private ReleaseArchive() {}

    /**
     * SHA-256 of every jar, by its path in the archive.
     *
     * @throws InvalidFormat if it is no archive, or one that two programs could unpack differently
     */
    static Map<String, String> jars(Path file) throws IOException, InvalidFormat {
        return jars(file, JARS_BYTES_MAX);
    }

    /** @param bytesMax of all jars together, unpacked */
    static Map<String, String> jars(Path file, long bytesMax) throws IOException, InvalidFormat {
        long left = bytesMax;
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
                    try (Bounded in = new Bounded(archive.getInputStream(entry), left)) {
                        jars.put(name, Checksums.sha256(in));
                        left = in.left;
                    }
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

    /** Ends with an error when it has more bytes than it may, whatever the archive says of its size. */
    private static final class Bounded extends FilterInputStream {
        private long left;

        private Bounded(InputStream in, long bytesMax) {
            super(in);
            this.left = bytesMax;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int count = super.read(bytes, offset, length);
            left -= Math.max(0, count);
            if (left < 0) {
                throw new ZipException("its jars are too large");
            }
            return count;
        }
    }
}
