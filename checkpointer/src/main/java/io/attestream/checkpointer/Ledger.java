// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayList;
import java.util.List;

/**
 * Who this ledger is, as genesis says it: its origin, its public key and its number of shards; and the checks that need
 * nothing else.
 */
record Ledger(String origin, NoteVerifier key, int shards) {

    /** The heads before anything was sealed. */
    List<ShardHead> emptyHeads() {
        List<ShardHead> heads = new ArrayList<>();
        for (int shard = 0; shard < shards; shard++) {
            heads.add(new ShardHead(shard, new TreeSize(0), Rfc6962.EMPTY_ROOT, 0));
        }
        return heads;
    }

    /** The log origin, and key name, of one shard's own checkpoints. */
    String shardOrigin(int shard) {
        return origin + "/shard/" + shard;
    }

    /** Fails unless there is one head for each shard, in order, under this vector root. */
    void requireVector(List<ShardHead> heads, Hash vectorRoot, long epoch) {
        if (heads.size() != shards) {
            throw new FatalDoubtException(
                    "epoch " + epoch + " has " + heads.size() + " heads, the ledger " + shards + " shards");
        }
        for (int shard = 0; shard < shards; shard++) {
            if (heads.get(shard).shard() != shard) {
                throw new FatalDoubtException("epoch " + epoch + " has the head of shard "
                        + heads.get(shard).shard() + " in place " + shard);
            }
        }
        Hash computed = ShardHead.vectorRoot(heads);
        if (!computed.equals(vectorRoot)) {
            throw new FatalDoubtException("epoch " + epoch + " has vector root " + vectorRoot.base64()
                    + ", its heads give " + computed.base64());
        }
    }

    /** Fails unless the note has exactly this text and a good signature of the ledger's key. */
    void requireSigned(String note, String text, long epoch) {
        requireSigned(note, text, key, "checkpoint of epoch " + epoch);
    }

    /** Fails unless the note is the checkpoint of this shard head, signed by the ledger's key under the shard's origin. */
    void requireShardSigned(String note, ShardHead head, long epoch) {
        String origin = shardOrigin(head.shard());
        String text = new Checkpoint(origin, head.size(), head.root()).text();
        requireSigned(note, text, key.withName(origin), "note of shard " + head.shard() + " in epoch " + epoch);
    }

    private static void requireSigned(String note, String text, NoteVerifier verifier, String what) {
        SignedNote signed;
        try {
            signed = SignedNote.parse(note);
        } catch (InvalidFormat e) {
            throw new FatalDoubtException(what + " is not a signed note: " + e.getMessage(), e);
        }
        if (!signed.text().equals(text)) {
            throw new FatalDoubtException(what + " has another text than it must have");
        }
        if (signed.verify(List.of(verifier)) instanceof NoteVerification.Rejected rejected) {
            throw new FatalDoubtException(what + " is not signed by " + verifier.vkey() + ": " + rejected.reason());
        }
    }
}
