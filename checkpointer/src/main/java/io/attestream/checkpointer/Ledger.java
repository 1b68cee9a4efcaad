// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Who this ledger is, as genesis says it: its origin, its public key and its number of shards; and the checks that need
 * nothing else.
 *
 * @param key the first; {@link KeyHistory} says which there were later
 */
record Ledger(String origin, NoteVerifier key, int shards, KeyChangeReader keyChanges) {
    /** For who has no object store: ledgers whose keys changed cannot be read then. */
    Ledger(String origin, NoteVerifier key, int shards) {
        this(origin, key, shards, KeyChangeReader.NONE);
    }

    /** Of a ledger whose objects lie there. */
    Ledger(String origin, NoteVerifier key, int shards, ObjectStore store) {
        this(origin, key, shards, KeyChangeReader.of(store));
    }

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

    /** Fails unless the note has exactly this text and a good signature of every key that signs its epoch. */
    void requireSigned(String note, String text, long epoch, KeyHistory keys) {
        for (NoteVerifier signer : keys.activeAt(epoch)) {
            requireSigned(note, text, signer, "checkpoint of epoch " + epoch);
        }
    }

    /**
     * Fails unless the note is the checkpoint of this shard head, signed under the shard's origin by every key there is behind the
     * epoch.
     */
    void requireShardSigned(String note, ShardHead head, long epoch, KeyHistory keys) {
        String origin = shardOrigin(head.shard());
        String text = new Checkpoint(origin, head.size(), head.root()).text();
        for (NoteVerifier signer : keys.activeAt(epoch + 1)) {
            requireSigned(note, text, signer.withName(origin), "note of shard " + head.shard() + " in epoch " + epoch);
        }
    }

    /**
     * The keys behind an epoch, with the changes it logs.
     *
     * @param before those behind the epoch before
     * @throws FatalDoubtException if one cannot be read, is another than was logged, or does not follow
     */
    KeyHistory keysAfter(KeyHistory before, EpochLeaf leaf) {
        KeyHistory after = before;
        for (EpochLeaf.Logged logged : leaf.logged()) {
            if (KeyChange.isName(logged.name())) {
                after = with(after, logged, leaf.epoch());
            }
        }
        return after;
    }

    private KeyHistory with(KeyHistory before, EpochLeaf.Logged logged, long epoch) {
        String what = "epoch " + epoch + " logs " + logged.name();
        try {
            int number = before.changes().size() + 1;
            KeyChange change = KeyChange.parse(keyChanges.read(logged.name(), number));
            if (!change.logged().equals(logged)) {
                throw new InvalidFormat(logged.name(), "is " + change + " with digest " + change.digest());
            }
            return before.with(change, epoch);
        } catch (InvalidFormat e) {
            throw new FatalDoubtException(what + ", which does not hold: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new FatalDoubtException(what + ", which cannot be read: " + e.getMessage(), e);
        }
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
