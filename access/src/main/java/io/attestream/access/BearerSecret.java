// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The secret that services of one ledger present to each other (RFC 6750). Never printed. */
public final class BearerSecret {
    private static final String SCHEME = "Bearer ";
    private static final int SIZE_BYTES_MIN = 16;

    private final byte[] secret;

    private BearerSecret(byte[] secret) {
        this.secret = secret;
    }

    /**
     * Out of its file, without white space around.
     *
     * @throws IOException if the file cannot be read, or holds less than 16 bytes
     */
    public static BearerSecret read(Path file) throws IOException {
        byte[] secret = Files.readString(file).strip().getBytes(StandardCharsets.UTF_8);
        if (secret.length < SIZE_BYTES_MIN) {
            throw new IOException(file + " must hold at least " + SIZE_BYTES_MIN + " characters");
        }
        return new BearerSecret(secret);
    }

    /**
     * Whether a request presents it, compared in a time that tells nothing.
     *
     * @param authorization values of the header {@code Authorization}; null if there is none. Two are none
     */
    public boolean isPresented(@Nullable List<String> authorization) {
        if (authorization == null || authorization.size() != 1) {
            return false;
        }
        String header = authorization.get(0);
        return header.startsWith(SCHEME)
                && MessageDigest.isEqual(header.substring(SCHEME.length()).getBytes(StandardCharsets.UTF_8), secret);
    }

    @Override
    public String toString() {
        return "a secret of the services";
    }
}
