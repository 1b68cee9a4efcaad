// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A C2SP signed note (v1.0.0): a text ending in a newline, a blank line, and signature lines.
 *
 * @param text what is signed, with its final newline
 * @param signatures 1 to 100
 */
public record SignedNote(String text, List<NoteSignature> signatures) {
    /** As Go's note package: more make the note malformed. */
    public static final int MAX_SIGNATURES = 100;

    public static final int MAX_SIZE_BYTES = 1_000_000;

    public SignedNote {
        requireText(text);
        signatures = List.copyOf(signatures);
        if (signatures.isEmpty() || signatures.size() > MAX_SIGNATURES) {
            throw new IllegalArgumentException("a note has 1 to 100 signatures, not " + signatures.size());
        }
    }

    /** A text signed by one key. */
    public static SignedNote sign(String text, NoteSigner signer) {
        return new SignedNote(text, List.of(signer.sign(text)));
    }

    public static SignedNote parse(String note) throws InvalidFormat {
        if (note.length() > MAX_SIZE_BYTES || note.getBytes(StandardCharsets.UTF_8).length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("note", "is longer than 1,000,000 bytes");
        }
        int blank = note.lastIndexOf("\n\n");
        if (blank < 0) {
            throw new InvalidFormat("note", "must have a blank line before its signatures");
        }
        String text = note.substring(0, blank + 1);
        String lines = note.substring(blank + 2);
        Optional<String> wrong = problemOf(text);
        if (wrong.isPresent()) {
            throw new InvalidFormat("note text", wrong.get());
        }
        if (!lines.endsWith("\n")) {
            throw new InvalidFormat("note", "must have at least one signature line and end in a newline");
        }
        String[] each = lines.substring(0, lines.length() - 1).split("\n", -1);
        if (each.length > MAX_SIGNATURES) {
            throw new InvalidFormat("note", "has more than 100 signatures");
        }
        List<NoteSignature> signatures = new ArrayList<>(each.length);
        for (String line : each) {
            signatures.add(parseLine(line));
        }
        return new SignedNote(text, signatures);
    }

    /** As {@link #parse(String)}; refuses what is not UTF-8. */
    public static SignedNote parse(byte[] note) throws InvalidFormat {
        try {
            return parse(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(note))
                    .toString());
        } catch (CharacterCodingException e) {
            throw new InvalidFormat("note", "must be UTF-8");
        }
    }

    private static NoteSignature parseLine(String line) throws InvalidFormat {
        if (!line.startsWith("\u2014 ")) {
            throw new InvalidFormat("signature line", "must begin with an em dash and a space");
        }
        int space = line.indexOf(' ', 2);
        String name = space < 0 ? "" : line.substring(2, space);
        if (!NoteKeys.isKeyName(name)) {
            throw new InvalidFormat("signature line", "must have a key name and a signature");
        }
        byte[] idAndBlob = Base64Text.decode(line.substring(space + 1), "signature line");
        if (idAndBlob.length < 5 || idAndBlob.length > 4 + NoteSignature.MAX_BLOB_SIZE_BYTES) {
            throw new InvalidFormat("signature line", "must have a key id and a signature of at most 65,536 bytes");
        }
        return new NoteSignature(
                name, NoteKeys.getKeyId(idAndBlob), Arrays.copyOfRange(idAndBlob, 4, idAndBlob.length));
    }

    /** The whole note as it is published. */
    public String encode() {
        StringBuilder note = new StringBuilder(text).append('\n');
        signatures.forEach(signature -> note.append(signature.line()));
        return note.toString();
    }

    /** This note with further signatures behind those it has. */
    public SignedNote with(Collection<NoteSignature> more) {
        List<NoteSignature> all = new ArrayList<>(signatures);
        all.addAll(more);
        return new SignedNote(text, all);
    }

    /**
     * Verifies the signatures of known keys. Unknown keys are ignored; a known key whose signature fails rejects the whole
     * note; of several signatures by one key the first counts.
     *
     * @param known keys of which at least one must have signed
     */
    public NoteVerification verify(Collection<NoteVerifier> known) {
        List<NoteSignature> verified = new ArrayList<>();
        List<NoteSignature> unknown = new ArrayList<>();
        Set<NoteVerifier> seen = new HashSet<>();
        if (known.stream().distinct().map(NoteKeys::nameAndId).distinct().count()
                < known.stream().distinct().count()) {
            return new NoteVerification.Rejected("two known keys have the same name and key id");
        }
        for (NoteSignature signature : signatures) {
            Optional<NoteVerifier> key = find(known, signature);
            if (key.isEmpty()) {
                unknown.add(signature);
            } else if (seen.add(key.get())) {
                if (!key.get().verify(text, signature.blob())) {
                    return new NoteVerification.Rejected("the signature of " + signature.keyName() + " (key id "
                            + NoteKeys.keyIdHex(signature.keyId()) + ") does not verify");
                }
                verified.add(signature);
            }
        }
        return verified.isEmpty()
                ? new NoteVerification.Rejected("no signature by a known key")
                : new NoteVerification.Verified(text, List.copyOf(verified), List.copyOf(unknown));
    }

    private static Optional<NoteVerifier> find(Collection<NoteVerifier> known, NoteSignature signature) {
        return known.stream()
                .filter(key -> key.keyId() == signature.keyId() && key.keyName().equals(signature.keyName()))
                .findFirst();
    }

    static void requireText(String text) {
        problemOf(text).ifPresent(problem -> {
            throw new IllegalArgumentException("a note text " + problem);
        });
    }

    private static Optional<String> problemOf(String text) {
        if (!text.endsWith("\n")) {
            return Optional.of("must end in a newline");
        }
        boolean control = text.chars().anyMatch(c -> (c < 0x20 && c != '\n'));
        if (control) {
            return Optional.of("must not have control characters other than newline");
        }
        boolean unpaired =
                text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
        return unpaired ? Optional.of("must be valid Unicode") : Optional.empty();
    }
}
