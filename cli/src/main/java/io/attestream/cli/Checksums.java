// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** SHA-256 of files, and the text that {@code sha256sum} writes and reads. */
final class Checksums {
    /** No directory, no space, nothing hidden: a name that a shell and a person read in one way. */
    static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,199}");

    private static final Pattern LINE = Pattern.compile("([0-9a-f]{64})  (" + NAME.pattern() + ")");

    private Checksums() {}

    /** Digests by the name of the file, sorted. */
    static Map<String, String> parse(String text) throws InvalidFormat {
        Map<String, String> digests = new TreeMap<>();
        for (String line : text.split("\n", -1)) {
            Matcher matcher = LINE.matcher(line);
            if (matcher.matches()) {
                if (digests.put(matcher.group(2), matcher.group(1)) != null) {
                    throw new InvalidFormat(matcher.group(2), "must not be listed twice");
                }
            } else if (!line.isEmpty()) {
                throw new InvalidFormat(line, "must be a SHA-256, two spaces, and the name of a file");
            }
        }
        return digests;
    }

    static String text(Map<String, String> digests) {
        StringBuilder text = new StringBuilder();
        digests.forEach(
                (name, digest) -> text.append(digest).append("  ").append(name).append('\n'));
        return text.toString();
    }

    /** Of a file of any size. */
    static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return sha256(in);
        }
    }

    /** To the end of the stream. */
    static String sha256(InputStream in) throws IOException {
        try {
            DigestInputStream digested = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"));
            digested.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(digested.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
