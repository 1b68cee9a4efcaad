// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.StoredKeys;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.PublishedKeys;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.file.Path;

/** The keys of a ledger in the course of its life, proved to whoever trusts the first. */
final class LedgerKeys {
    private LedgerKeys() {}

    /** As a file has them that somebody kept. */
    static KeyHistory kept(Path file, NoteVerifier first) {
        return verified(LocalFiles.read(file), first, file.toString());
    }

    /**
     * As the gateway tells them now; one of before there was a history says nothing.
     *
     * @param known what is known of them, at least the first: the gateway's history must go on from it, or be a part of it
     */
    static KeyHistory told(Api api, KeyHistory known) {
        Api.Reply reply = api.get("/v1/keys", "application/json");
        return reply.status() == 404
                ? known
                : longer(
                        verified(
                                Api.good("GET /v1/keys", reply).body(),
                                known.first(),
                                "the key history of the gateway"),
                        known);
    }

    /** Of two histories of one ledger the one that has all of the other; a gateway may be behind. */
    static KeyHistory longer(KeyHistory told, KeyHistory known) {
        if (told.continues(known)) {
            return told;
        }
        if (known.continues(told)) {
            return known;
        }
        throw Checkpoints.failed(
                "the key history of the gateway does not go on from the one that was kept: it is of another log");
    }

    /** As the object store has them. */
    static KeyHistory stored(ObjectStore store, NoteVerifier first) {
        try {
            return StoredKeys.read(store, first).verify(first);
        } catch (InvalidFormat e) {
            throw Checkpoints.failed("the key history in the object store does not hold: " + e.getMessage());
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "the object store cannot be read: " + e.getMessage(), "Check --objects.");
        }
    }

    static KeyHistory verified(byte[] history, NoteVerifier first, String what) {
        try {
            return PublishedKeys.parse(history).verify(first);
        } catch (InvalidFormat e) {
            throw Checkpoints.failed(what + " does not hold: " + e.getMessage());
        }
    }
}
