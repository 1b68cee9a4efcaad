// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.Decimal;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A C2SP tlog-proof file ({@code .tlog-proof}): inclusion of one leaf in one signed checkpoint.
 *
 * @param extra unauthenticated bytes, below 48 KB because Go's reader takes lines below 64 KiB only
 * @param path audit path, leaf sibling first
 * @param note the checkpoint with all its signature lines
 */
public record TlogProof(byte @Nullable [] extra, LeafIndex index, List<Hash> path, SignedNote note) {
    private static final String HEADER = "c2sp.org/tlog-proof@v1";
    private static final int MAX_EXTRA_SIZE_BYTES = 48_000;
    private static final int MAX_PATH = 64;

    public TlogProof {
        path = List.copyOf(path);
        if (path.size() > MAX_PATH) {
            throw new IllegalArgumentException("an audit path has at most 64 hashes");
        }
        if (extra != null) {
            extra = extra.clone();
            if (extra.length > MAX_EXTRA_SIZE_BYTES) {
                throw new IllegalArgumentException("extra has at most 48,000 bytes");
            }
        }
    }

    @Override
    public byte @Nullable [] extra() {
        return extra == null ? null : extra.clone();
    }

    /** What verifying a proof came to. */
    public sealed interface Verification {
        /** The entry is in the log of this checkpoint. Witnesses, if asked for, are still to be verified on its note. */
        record Proved(Checkpoint checkpoint) implements Verification {}

        record Rejected(String reason) implements Verification {}
    }

    /**
     * Verifies that this entry is a leaf of a log.
     *
     * @param entry leaf data
     * @param log the log's key, whose name is its origin
     */
    public Verification verify(byte[] entry, NoteVerifier log) {
        if (log.isWitness()) {
            return new Verification.Rejected("a log signs with a key of type 0x01, this is a witness's: " + log.vkey());
        }
        if (note.verify(List.of(log)) instanceof NoteVerification.Rejected rejected) {
            return new Verification.Rejected(rejected.reason() + "; asked for " + log.vkey());
        }
        Checkpoint checkpoint;
        try {
            checkpoint = Checkpoint.parse(note.text());
        } catch (InvalidFormat e) {
            return new Verification.Rejected(String.valueOf(e.getMessage()));
        }
        if (!checkpoint.origin().equals(log.keyName())) {
            return new Verification.Rejected(
                    "the checkpoint is of " + checkpoint.origin() + ", expected " + log.keyName());
        }
        String place = "index " + index + " of size " + checkpoint.size();
        Optional<Hash> root = Proofs.rootFromInclusion(index, checkpoint.size(), Rfc6962.leafHash(entry), path);
        if (root.isEmpty()) {
            return new Verification.Rejected("no leaf at " + place + " has a path of " + path.size());
        }
        return root.get().equals(checkpoint.root())
                ? new Verification.Proved(checkpoint)
                : new Verification.Rejected(
                        "the entry at " + place + " leads to root " + root.get() + ", expected " + checkpoint.root());
    }

    public String encode() {
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        if (extra != null) {
            text.append("extra ").append(Base64Text.encode(extra)).append('\n');
        }
        text.append("index ").append(index).append('\n');
        path.forEach(hash -> text.append(hash.base64()).append('\n'));
        return text.append('\n').append(note.encode()).toString();
    }

    public static TlogProof parse(String text) throws InvalidFormat {
        if (text.length() > SignedNote.MAX_SIZE_BYTES + 2 * MAX_EXTRA_SIZE_BYTES) {
            throw new InvalidFormat("proof", "is too long");
        }
        int blank = text.indexOf("\n\n");
        if (blank < 0) {
            throw new InvalidFormat("proof", "must have a blank line before the checkpoint");
        }
        List<String> lines = new ArrayList<>(List.of(text.substring(0, blank).split("\n", -1)));
        if (!lines.remove(0).equals(HEADER)) {
            throw new InvalidFormat("proof", "must begin with " + HEADER);
        }
        byte[] extra = null;
        if (!lines.isEmpty() && lines.get(0).startsWith("extra ")) {
            extra = Base64Text.decode(lines.remove(0).substring(6), "extra");
            if (extra.length > MAX_EXTRA_SIZE_BYTES) {
                throw new InvalidFormat("extra", "must be at most 48,000 bytes");
            }
        }
        if (lines.isEmpty() || !lines.get(0).startsWith("index ")) {
            throw new InvalidFormat("index", "is missing");
        }
        LeafIndex index = new LeafIndex(Decimal.parseUnsigned(lines.remove(0).substring(6), "index"));
        if (lines.size() > MAX_PATH) {
            throw new InvalidFormat("path", "must have at most 64 hashes");
        }
        List<Hash> path = new ArrayList<>();
        for (String line : lines) {
            path.add(Hash.ofBase64(line, "path"));
        }
        return new TlogProof(extra, index, path, SignedNote.parse(text.substring(blank + 2)));
    }
}
