// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.NoteSignature;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One change of the keys that sign a ledger's checkpoints: a signed note whose text is the line {@code <origin>/keys} and a line of
 * canonical JSON, signed under the name {@code <origin>/keys}, so that it is never taken for anything else these keys sign. It
 * holds from the epoch behind the one that logs its digest; {@link KeyHistory} says whether it may follow.
 */
public final class KeyChange {
    /** What the names of all changes begin with, in an epoch leaf and in the object store. */
    public static final String KEYS = "keys/";

    /** Two changes a month for forty years. */
    public static final int CHANGES_MAX = 1_000;

    /** An epoch logs so many at most, and nothing else with them: its leaf is in the published history once for each. */
    public static final int LOGGED_MAX = 16;

    static final int MAX_SIZE_BYTES = 8_192;

    /** What becomes of the key. */
    public enum Kind {
        /** It signs beside those there are, and is from then on the one that has to. */
        ANNOUNCE("announce"),
        /** It signs no more. */
        RETIRE("retire");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        private static Kind ofWord(String word) throws InvalidFormat {
            for (Kind kind : values()) {
                if (kind.word.equals(word)) {
                    return kind;
                }
            }
            throw new InvalidFormat("change", "must be announce or retire");
        }
    }

    private final SignedNote note;
    private final int number;
    private final Kind kind;
    private final NoteVerifier key;
    private final Hash prior;

    private KeyChange(SignedNote note, int number, Kind kind, NoteVerifier key, Hash prior) {
        this.note = note;
        this.number = number;
        this.kind = kind;
        this.key = key;
        this.prior = prior;
    }

    static KeyChange sign(int number, Kind kind, NoteVerifier key, Hash prior, List<NoteSigner> signers) {
        String name = name(key.keyName());
        byte[] json = Jcs.encode(new JsonObject(Map.of(
                "change", new JsonString(kind.word),
                "key", new JsonString(key.vkey()),
                "number", new JsonInteger(number),
                "prior", new JsonString(prior.base64()),
                "v", new JsonInteger(1))));
        String text = name + "\n" + new String(json, StandardCharsets.UTF_8) + "\n";
        List<NoteSignature> signatures = new ArrayList<>();
        signers.forEach(signer -> signatures.add(signer.withName(name).sign(text)));
        return new KeyChange(new SignedNote(text, signatures), number, kind, key, prior);
    }

    /** Reads a change; its signatures are {@link KeyHistory}'s to verify. */
    public static KeyChange parse(byte[] object) throws InvalidFormat {
        if (object.length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("key change", "must be at most 8,192 bytes, is " + object.length);
        }
        SignedNote note = SignedNote.parse(object);
        String[] lines = note.text().split("\n", -1);
        if (lines.length != 3 || !lines[2].isEmpty()) {
            throw new InvalidFormat("key change", "must be the line <origin>/keys and a line of JSON");
        }
        JsonObject json = Jcs.parseCanonicalObject(lines[1].getBytes(StandardCharsets.UTF_8));
        json.allowOnly("change", "key", "number", "prior", "v");
        if (json.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        long number = json.integer("number");
        if (number < 1 || number > CHANGES_MAX) {
            throw new InvalidFormat("number", "must be 1 to 1,000");
        }
        NoteVerifier key = NoteVerifier.parse(json.string("key"));
        if (!lines[0].equals(name(key.keyName()))) {
            throw new InvalidFormat("key change", "must begin with the line " + name(key.keyName()));
        }
        return new KeyChange(
                note,
                (int) number,
                Kind.ofWord(json.string("change")),
                key,
                Hash.ofBase64(json.string("prior"), "prior"));
    }

    /** The bytes whose digest is logged. */
    public byte[] encode() {
        return note.encode().getBytes(StandardCharsets.UTF_8);
    }

    /** Its name in the epoch leaf and in the object store: {@code keys/<number, 10 digits>-<sha256>.change}. */
    public String name() {
        return KEYS + String.format(Locale.ROOT, "%010d", number) + "-" + digest().hex() + ".change";
    }

    /** Whether it is meant to be the name of a change. */
    public static boolean isName(String name) {
        return name.startsWith(KEYS);
    }

    /** As an epoch leaf logs it. */
    public EpochLeaf.Logged logged() {
        return new EpochLeaf.Logged(name(), digest());
    }

    /** SHA-256 of {@link #encode}. */
    public Hash digest() {
        return sha256(encode());
    }

    /** 1 for the first change of a ledger. */
    public int number() {
        return number;
    }

    public Kind kind() {
        return kind;
    }

    /** The key it is about, under the ledger's origin. */
    public NoteVerifier key() {
        return key;
    }

    /** Digest of the change before it; of the first key's vkey for the first. */
    public Hash prior() {
        return prior;
    }

    /** Whether the key signed it. */
    boolean isSignedBy(NoteVerifier signer) {
        return note.verify(List.of(signer.withName(name(key.keyName())))) instanceof NoteVerification.Verified;
    }

    private static String name(String origin) {
        return origin + "/keys";
    }

    static Hash sha256(byte[] bytes) {
        try {
            return Hash.of(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof KeyChange that && note.equals(that.note);
    }

    @Override
    public int hashCode() {
        return note.hashCode();
    }

    /** What it says, for people. */
    @Override
    public String toString() {
        return "change " + number + ": " + kind.word + " " + key.vkey();
    }
}
