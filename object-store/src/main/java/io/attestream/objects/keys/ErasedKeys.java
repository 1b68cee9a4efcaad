// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.keys;

import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What became of keys that were, or are to be, destroyed; for those who hold no key themselves. Thread-safe as its store is. */
public final class ErasedKeys {
    /** What is in the place of a key begins with it; a proof that a door wrote it follows, which needs the key of the doors. */
    static final byte[] DESTROYED = "destroyed\n".getBytes(StandardCharsets.US_ASCII);

    /** A mark of which nothing is to be done but packs. */
    private static final byte[] AGAIN = "again\n".getBytes(StandardCharsets.US_ASCII);

    /** Keys whose receipt is asked for one by one; of more, all there are are listed. */
    private static final int ASKED_MAX = 100;

    private final ObjectStore store;

    private final String id;

    ErasedKeys(ObjectStore store, String id) {
        this.store = store;
        this.id = id;
    }

    /**
     * Opens a store of keys that was made; that it is under the right key is not known here.
     *
     * @param store that of the keys, not that of the ledger
     * @throws IOException if the store does not answer, or {@link SubjectKeyStore.NotMadeException}
     */
    public static ErasedKeys open(ObjectStore store) throws IOException {
        return new ErasedKeys(store, SubjectKeyStore.idOf(SubjectKeyStore.requireMade(store)));
    }

    /** Of the store, as {@link SubjectKeyStore#id}. */
    public String id() {
        return id;
    }

    static boolean isDestroyed(byte[] object) {
        return object.length >= DESTROYED.length
                && Arrays.equals(object, 0, DESTROYED.length, DESTROYED, 0, DESTROYED.length);
    }

    static boolean isAgain(byte[] mark) {
        return Arrays.equals(mark, AGAIN);
    }

    public boolean isDestroyed(String keyId) throws IOException {
        Optional<KeyId> id = KeyId.parse(keyId);
        return id.isPresent()
                && store.get(id.get().key()).filter(ErasedKeys::isDestroyed).isPresent();
    }

    /**
     * Where the ledger says that the key was destroyed; empty if it does not yet.
     *
     * @throws IOException also if it is damaged; erasing the subject again makes it again
     */
    public Optional<ErasureReceipt> receipt(String keyId) throws IOException {
        Optional<KeyId> id = KeyId.parse(keyId);
        if (id.isEmpty()) {
            return Optional.empty();
        }
        Optional<byte[]> object = store.get(id.get().receipt());
        Optional<ErasureReceipt> receipt = object.flatMap(ErasureReceipt::parse);
        if (object.isPresent() && receipt.isEmpty()) {
            throw new IOException("object " + id.get().receipt()
                    + " of the payload keys is no receipt: erase its subject again, which makes it again");
        }
        return receipt;
    }

    /** As {@link #receipt}; empty also if it is damaged. */
    public Optional<ErasureReceipt> readableReceipt(String keyId) throws IOException {
        Optional<KeyId> id = KeyId.parse(keyId);
        return id.isEmpty() ? Optional.empty() : standing(id.get(), 0);
    }

    /** Keys under which nothing more is encrypted, and of which something encrypted may be left in packs. */
    public List<String> pending() throws IOException {
        return store.list(KeyId.PENDING).stream()
                .map(name -> name.substring(KeyId.PENDING.length()))
                .filter(id -> KeyId.parse(id).isPresent())
                .toList();
    }

    /**
     * Puts the mark back of those keys of which the ledger says that they were destroyed: something encrypted under them is about
     * to be packed.
     */
    public void againPending(Set<String> keyIds) throws IOException {
        if (!keyIds.isEmpty()) {
            SubjectKeyStore.requireMade(store); // an empty place knows of no receipt
        }
        for (KeyId id : keyIds.size() > ASKED_MAX ? withReceipt(keyIds) : parsed(keyIds)) {
            if (hasReceipt(id)) {
                store.putIfAbsent(id.pending(), AGAIN);
            }
        }
    }

    private static List<KeyId> parsed(Collection<String> keyIds) {
        return keyIds.stream().map(KeyId::parse).flatMap(Optional::stream).toList();
    }

    private List<KeyId> withReceipt(Set<String> keyIds) throws IOException {
        return parsed(store.list(KeyId.RECEIPTS).stream()
                .map(name -> name.substring(name.lastIndexOf('/') + 1))
                .filter(keyIds::contains)
                .toList());
    }

    /** Nothing that was encrypted under a destroyed key is left in packs. */
    public void done(String keyId) throws IOException {
        store.delete(of(keyId).pending());
    }

    // ---- the steps of an erasure

    boolean hasReceipt(KeyId id) throws IOException {
        return store.get(id.receipt()).isPresent();
    }

    boolean isPending(KeyId id) throws IOException {
        return store.get(id.pending()).isPresent();
    }

    /** The receipt, unless it is of an earlier incarnation, or damaged, which is as if there were none. */
    Optional<ErasureReceipt> standing(KeyId id, int incarnation) throws IOException {
        return store.get(id.receipt())
                .flatMap(ErasureReceipt::parse)
                .filter(receipt -> receipt.incarnation() >= incarnation);
    }

    /** The first one given in an incarnation is kept. */
    ErasureReceipt keep(KeyId id, ErasureReceipt receipt) throws IOException {
        if (hasReceipt(id) && standing(id, receipt.incarnation()).isEmpty()) {
            store.replace(id.receipt(), receipt.encode());
        } else {
            store.putIfAbsent(id.receipt(), receipt.encode());
        }
        return receipt(id.text()).orElseThrow(() -> new IOException("the receipt of " + id.text() + " was not kept"));
    }

    private static KeyId of(String keyId) {
        return KeyId.parse(keyId).orElseThrow(() -> new IllegalArgumentException(keyId + " is not the id of a key"));
    }
}
