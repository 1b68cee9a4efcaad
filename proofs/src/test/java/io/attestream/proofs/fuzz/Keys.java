// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Envelope;
import io.attestream.proofs.attestation.PemKeys;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** The keys of the golden files. */
final class Keys {
    static final NoteSigner SIGNER;
    static final NoteVerifier LEDGER;
    static final NoteVerifier WITNESS;

    /** Of an envelope in the corpus, and what was signed by it. */
    static final Envelope.Verifier RELEASE;

    static final byte[] STATEMENT;

    /** Texts under which there are true signatures of these keys in the corpus. */
    private static final List<String> SIGNED;

    static {
        try {
            String[] keys = golden("keys-v1.txt").split("\n", -1);
            SIGNER = NoteSigner.parse(keys[0]);
            LEDGER = NoteVerifier.parse(keys[1]);
            WITNESS = NoteVerifier.parse(keys[2]);
            RELEASE = PemKeys.parseVerifier(golden("attestation-p256-v1.pub.pem"));
            STATEMENT = golden("attestation-statement-v1.json").getBytes(StandardCharsets.UTF_8);
            SIGNED = List.of(SignedNote.parse(golden("checkpoint-v1.txt")).text());
        } catch (InvalidFormat e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Keys() {}

    static boolean wasSigned(String text) {
        return SIGNED.contains(text);
    }

    static byte[] id(NoteVerifier key) {
        return ByteBuffer.allocate(4).putInt(key.keyId()).array();
    }

    static byte[] concat(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static String golden(String name) {
        try (InputStream in = Keys.class.getResourceAsStream("/golden/" + name)) {
            if (in == null) {
                throw new IllegalStateException("no golden file " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
