// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.keys;

import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.envelope.SubjectKey;
import io.attestream.proofs.envelope.SubjectKeys;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The keys of subjects in an object store of their own: one object a key, encrypted under a key-encryption key. A key is
 * destroyed by putting something else in its place, so that nobody who is late can make it again; its successor has the next
 * number.
 *
 * <p>A store is made once ({@link #create}), with an id of its own that every key id depends on: an empty location is none, and
 * what is made in another place gives no id again.
 *
 * <p>A door encrypts under a key for {@link #USE_MAX} at most before it looks again whether it may. Whoever destroys one first
 * marks it, waits for longer than that, and then destroys it ({@link Eraser}): so nothing is accepted under a key that is gone
 * already. Reading never uses a key that is remembered.
 *
 * <p>Layout: docs/entry-format.md, "Keys of subjects". Thread-safe.
 */
public final class SubjectKeyStore implements SubjectKeys {
    public static final int KEY_ENCRYPTION_KEY_SIZE_BYTES = 32;

    /** How long a door encrypts under a key without looking again. */
    public static final Duration USE_MAX = Duration.ofSeconds(10);

    private static final byte[] MAGIC = "ATSKEY\0\1".getBytes(StandardCharsets.US_ASCII);
    private static final String CHECK = "check";
    private static final int ID_SIZE_BYTES = 16;
    private static final int MAC_SIZE_BYTES = 32;
    private static final int NONCE_SIZE_BYTES = 12;
    private static final int TAG_SIZE_BITS = 128;
    private static final int PSEUDONYM_SIZE_BYTES = 16;
    private static final long PAUSE_NANOS = 1_000_000_000L;

    private final ObjectStore store;
    private final ErasedKeys erased;
    private final byte[] check;
    private final String id;
    private final byte[] namingKey;
    private final byte[] wrappingKey;
    private final byte[] destroyedKey;
    private final SecureRandom random;
    private final Clocks clocks;

    private final AtomicReference<@Nullable Long> failedNanos = new AtomicReference<>();

    /** By pseudonym, those used longest ago dropped first. Guarded by itself. */
    private final Map<String, InUse> inUse;

    /** Two clocks: the one stands still while a machine is suspended, the other may be set back. */
    record Clocks(LongSupplier nanos, LongSupplier wallMillis) {
        static final Clocks SYSTEM = new Clocks(System::nanoTime, System::currentTimeMillis);

        Moment now() {
            return new Moment(nanos.getAsLong(), wallMillis.getAsLong());
        }
    }

    private record Moment(long nanos, long wallMillis) {
        boolean isWithinUse(Moment since) {
            long millis = wallMillis - since.wallMillis;
            return nanos - since.nanos < USE_MAX.toNanos() && millis >= 0 && millis < USE_MAX.toMillis();
        }
    }

    private record InUse(SubjectKey key, Moment since) {}

    /** The keys there are under another key-encryption key: with the one given, keys would be made that no erasure finds. */
    public static final class WrongKeyException extends IOException {
        private static final long serialVersionUID = 1L;

        WrongKeyException() {
            super("the payload keys there are under another key-encryption key than the one given");
        }
    }

    /** Nobody made a store of keys there: its disk is not mounted, or the location is another one. */
    public static final class NotMadeException extends IOException {
        private static final long serialVersionUID = 1L;

        NotMadeException() {
            super(
                    "the location of the payload keys has no object check as it must be: is it mounted, and the right one? A new one is"
                            + " made once, by attestream payload-keys");
        }
    }

    /** Who is erased, as a mark says it: what is needed to go on without whoever asked for it. */
    record Mark(String tenant, String actor) {}

    /** What is found under the id of a key. */
    public sealed interface Found {
        record Key(SubjectKey key) implements Found {}

        /** It was destroyed. */
        record Destroyed() implements Found {}

        /** There never was one, or it was lost. */
        record Missing() implements Found {}
    }

    private SubjectKeyStore(
            ObjectStore store, byte[] check, byte[] keyEncryptionKey, int rememberedMax, Clocks clocks) {
        this.store = store;
        this.check = check;
        this.id = idOf(check);
        this.erased = new ErasedKeys(store, id);
        this.namingKey = hmac(keyEncryptionKey, "attestream/subject-key/name/v1");
        this.wrappingKey = hmac(keyEncryptionKey, "attestream/subject-key/wrap/v1");
        this.destroyedKey = hmac(keyEncryptionKey, "attestream/subject-key/destroyed/v1");
        this.random = new SecureRandom();
        this.clocks = clocks;
        this.inUse = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, InUse> eldest) {
                return size() > rememberedMax;
            }
        };
    }

    /**
     * Makes a store of keys, once; one that is there already stays.
     *
     * @param store empty, or made with the same key before
     * @param keyEncryptionKey 32 bytes, the same for all who open the store
     * @throws IOException if keys are there that belong to no store, the store does not answer, or {@link WrongKeyException}
     */
    public static void create(ObjectStore store, byte[] keyEncryptionKey) throws IOException {
        requireSize(keyEncryptionKey);
        if (store.get(CHECK).isEmpty()) {
            for (String prefix : List.of("keys/", "receipts/", KeyId.PENDING)) {
                if (!store.list(prefix).isEmpty()) {
                    throw new IOException("the location has payload keys and no object check, which was lost: put it"
                            + " back from a copy. Nothing was changed");
                }
            }
            byte[] newId = new byte[ID_SIZE_BYTES];
            new SecureRandom().nextBytes(newId);
            store.putIfAbsent(CHECK, check(newId, keyEncryptionKey));
        }
        requireCheck(store, keyEncryptionKey);
    }

    /**
     * Opens a store that was made.
     *
     * @param store of nothing but these keys
     * @param keyEncryptionKey 32 bytes, the same for all who open the store
     * @param rememberedMax keys in memory, at least 1
     * @throws IOException if the store does not answer, {@link NotMadeException} or {@link WrongKeyException}
     */
    public static SubjectKeyStore open(ObjectStore store, byte[] keyEncryptionKey, int rememberedMax)
            throws IOException {
        return open(store, keyEncryptionKey, rememberedMax, Clocks.SYSTEM);
    }

    static SubjectKeyStore open(ObjectStore store, byte[] keyEncryptionKey, int rememberedMax, Clocks clocks)
            throws IOException {
        requireSize(keyEncryptionKey);
        return new SubjectKeyStore(
                store, requireCheck(store, keyEncryptionKey), keyEncryptionKey, rememberedMax, clocks);
    }

    private static void requireSize(byte[] keyEncryptionKey) {
        if (keyEncryptionKey.length != KEY_ENCRYPTION_KEY_SIZE_BYTES) {
            throw new IllegalArgumentException("a key-encryption key has 32 bytes, not " + keyEncryptionKey.length);
        }
    }

    private static byte[] requireCheck(ObjectStore store, byte[] keyEncryptionKey) throws IOException {
        byte[] check = requireMade(store);
        if (!MessageDigest.isEqual(check, check(Arrays.copyOf(check, ID_SIZE_BYTES), keyEncryptionKey))) {
            throw new WrongKeyException();
        }
        return check;
    }

    /**
     * A disk that is not mounted any more looks like an empty store: what is made there is lost, and what is destroyed there is
     * not.
     *
     * @throws NotMadeException if this is not the store that was opened
     */
    void requireSame() throws IOException {
        if (!Arrays.equals(requireMade(store), check)) {
            throw new NotMadeException();
        }
    }

    /** Returns the object that tells a store of keys from an empty place, or the root of a bucket. */
    static byte[] requireMade(ObjectStore store) throws IOException {
        return store.get(CHECK)
                .filter(check -> check.length == ID_SIZE_BYTES + MAC_SIZE_BYTES)
                .orElseThrow(NotMadeException::new);
    }

    static String idOf(byte[] check) {
        return HexFormat.of().formatHex(check, 0, ID_SIZE_BYTES);
    }

    private static byte[] check(byte[] ofId, byte[] keyEncryptionKey) {
        byte[] mac = hmac(
                hmac(keyEncryptionKey, "attestream/subject-key/check/v1"),
                HexFormat.of().formatHex(ofId));
        return ByteBuffer.allocate(ID_SIZE_BYTES + mac.length)
                .put(ofId)
                .put(mac)
                .array();
    }

    /** Of this store, 32 hexadecimal digits: doors that work together have the same. */
    public String id() {
        return id;
    }

    @Override
    public SubjectKey current(String tenant, String subject) throws IOException {
        String pseudonym = pseudonym(tenant, subject);
        Moment now = clocks.now(); // before the look: it may take its time
        synchronized (inUse) {
            InUse known = inUse.get(pseudonym);
            if (known != null && now.isWithinUse(known.since())) {
                return known.key();
            }
        }
        requireAnswering(now.nanos());
        SubjectKey key = loadOrFail(pseudonym);
        if (!clocks.now().isWithinUse(now)) {
            throw new IOException("the payload keys answered too slowly: the key may be gone already");
        }
        synchronized (inUse) {
            inUse.put(pseudonym, new InUse(key, now));
        }
        return key;
    }

    /** Who asks right behind a failure would only wait as long again, for each event of a batch. */
    private void requireAnswering(long now) throws IOException {
        Long failed = failedNanos.get();
        if (failed != null && now - failed < PAUSE_NANOS) {
            throw new IOException("the payload keys did not answer a moment ago");
        }
    }

    private SubjectKey loadOrFail(String pseudonym) throws IOException {
        try {
            return load(pseudonym);
        } catch (UnusableKeyException e) {
            throw e; // the store answers: other subjects are not to wait
        } catch (IOException e) {
            failedNanos.set(clocks.now().nanos());
            throw e;
        }
    }

    /** Most subjects have one key. Of others the newest is looked for, so that no number of erasures makes this slow. */
    private SubjectKey load(String pseudonym) throws IOException {
        Optional<SubjectKey> first = usable(new KeyId(pseudonym, 1));
        if (first.isPresent()) {
            return first.get();
        }
        List<KeyId> all = all(pseudonym);
        int number = all.isEmpty() ? 0 : all.get(all.size() - 1).number();
        Optional<SubjectKey> key = number > 1 ? usable(new KeyId(pseudonym, number)) : Optional.empty();
        while (key.isEmpty() && number < KeyId.NUMBER_MAX) {
            number++;
            key = made(new KeyId(pseudonym, number));
        }
        if (key.isPresent()) {
            return key.get();
        }
        throw new UnusableKeyException(
                "subject " + pseudonym + " had " + KeyId.NUMBER_MAX + " keys that were destroyed; no more are made",
                null);
    }

    /** Empty if the ledger says that it was destroyed, whatever became of it: a key of this id is not made again. */
    private Optional<SubjectKey> made(KeyId key) throws IOException {
        if (erased.hasReceipt(key)) {
            return Optional.empty();
        }
        make(key);
        requireSame();
        return usable(key);
    }

    /** Empty if it is marked, was destroyed, or is not there. The mark first: whoever sets it later waits before it destroys. */
    private Optional<SubjectKey> usable(KeyId key) throws IOException {
        if (erased.isPending(key)) {
            return Optional.empty();
        }
        Optional<byte[]> object = store.get(key.key());
        return object.isEmpty() || isDestroyed(key, object.get())
                ? Optional.empty()
                : Optional.of(unwrap(key, object.get()));
    }

    /** Leaves alone what is there. */
    private void make(KeyId key) throws IOException {
        byte[] secret = new byte[SubjectKey.SIZE_BYTES];
        random.nextBytes(secret);
        store.putIfAbsent(key.key(), wrap(key.text(), secret));
    }

    /** The key with this id, as the store has it in this moment. */
    public Found find(String keyId) throws IOException {
        Optional<KeyId> named = KeyId.parse(keyId);
        Optional<byte[]> object =
                named.isEmpty() ? Optional.empty() : store.get(named.get().key());
        if (object.isEmpty()) {
            return new Found.Missing();
        }
        return isDestroyed(named.orElseThrow(), object.get())
                ? new Found.Destroyed()
                : new Found.Key(unwrap(named.orElseThrow(), object.get()));
    }

    /** Whether a key can be one of this subject: whoever writes to the ledger's objects may name another one. */
    public boolean isOf(String keyId, String tenant, String subject) {
        return KeyId.parse(keyId)
                .filter(key -> key.subject().equals(pseudonym(tenant, subject)))
                .isPresent();
    }

    public ErasedKeys erased() {
        return erased;
    }

    /** Every key a subject has or had, oldest first, also if one between them was lost. */
    List<KeyId> all(String tenant, String subject) throws IOException {
        return all(pseudonym(tenant, subject));
    }

    private List<KeyId> all(String pseudonym) throws IOException {
        String prefix = KeyId.directory(pseudonym);
        return store.list(prefix + pseudonym + "-").stream()
                .map(name -> KeyId.parse(name.substring(prefix.length())))
                .flatMap(Optional::stream)
                .sorted(Comparator.comparingInt(KeyId::number))
                .toList();
    }

    private String pseudonym(String tenant, String subject) {
        byte[] digest = hmac(namingKey, id + "\0" + tenant + "\0" + subject);
        return HexFormat.of().formatHex(Arrays.copyOf(digest, PSEUDONYM_SIZE_BYTES));
    }

    // ---- the steps of an erasure

    boolean isDestroyed(KeyId key) throws IOException {
        Optional<byte[]> object = store.get(key.key());
        return object.isPresent() && Arrays.equals(object.get(), destroyed(key));
    }

    /** Only who holds the key-encryption key can say so. */
    private boolean isDestroyed(KeyId key, byte[] object) throws IOException {
        if (!ErasedKeys.isDestroyed(object)) {
            return false;
        }
        if (!MessageDigest.isEqual(object, destroyed(key))) {
            throw new UnusableKeyException(
                    "object " + key.key() + " of the payload keys is damaged: it says destroyed, and no door wrote it",
                    null);
        }
        return true;
    }

    private byte[] destroyed(KeyId key) {
        return ByteBuffer.allocate(ErasedKeys.DESTROYED.length + MAC_SIZE_BYTES)
                .put(ErasedKeys.DESTROYED)
                .put(hmac(destroyedKey, key.text()))
                .array();
    }

    /** From now on no door takes the key up. */
    void retire(KeyId key, Mark mark) throws IOException {
        byte[] text = (mark.tenant() + "\0" + mark.actor()).getBytes(StandardCharsets.UTF_8);
        store.putIfAbsent(key.pending(), wrap(key.pending(), text));
    }

    void destroy(KeyId key) throws IOException {
        store.replace(key.key(), destroyed(key));
        requireSame();
        if (!isDestroyed(key)) {
            throw new IOException("the key " + key.text() + " was destroyed, and is still there when read back");
        }
        requireSame();
    }

    /** Who asked for the key to be destroyed; empty if nothing of it is to be done any more. */
    Optional<Mark> mark(KeyId key) throws IOException {
        Optional<byte[]> object = store.get(key.pending());
        if (object.isEmpty() || ErasedKeys.isAgain(object.get())) {
            return Optional.empty();
        }
        String text = new String(unwrap(key.pending(), object.get()), StandardCharsets.UTF_8);
        int end = text.indexOf('\0');
        return Optional.of(new Mark(text.substring(0, end), text.substring(end + 1)));
    }

    /** @param name what it is, which is authenticated beside it */
    private byte[] wrap(String name, byte[] plain) {
        byte[] nonce = new byte[NONCE_SIZE_BYTES];
        random.nextBytes(nonce);
        try {
            byte[] wrapped = cipher(Cipher.ENCRYPT_MODE, name, nonce).doFinal(plain);
            return ByteBuffer.allocate(MAGIC.length + nonce.length + wrapped.length)
                    .put(MAGIC)
                    .put(nonce)
                    .put(wrapped)
                    .array();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-GCM", e);
        }
    }

    private SubjectKey unwrap(KeyId key, byte[] object) throws IOException {
        byte[] secret = unwrap(key.text(), object);
        if (secret.length != SubjectKey.SIZE_BYTES) {
            throw new UnusableKeyException(
                    "object " + key.key() + " of the payload keys is damaged: it is no key", null);
        }
        return new SubjectKey(key.text(), secret);
    }

    private byte[] unwrap(String name, byte[] object) throws IOException {
        int bodyAt = MAGIC.length + NONCE_SIZE_BYTES;
        if (object.length < bodyAt + TAG_SIZE_BITS / 8
                || !Arrays.equals(object, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new UnusableKeyException("object " + name + " of the payload keys is damaged: it is no key", null);
        }
        try {
            byte[] nonce = Arrays.copyOfRange(object, MAGIC.length, bodyAt);
            return cipher(Cipher.DECRYPT_MODE, name, nonce).doFinal(object, bodyAt, object.length - bodyAt);
        } catch (AEADBadTagException e) {
            throw new UnusableKeyException("object " + name + " of the payload keys is damaged: it does not open", e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-GCM", e);
        }
    }

    private Cipher cipher(int mode, String name, byte[] nonce) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(wrappingKey, "AES"), new GCMParameterSpec(TAG_SIZE_BITS, nonce));
        cipher.updateAAD(name.getBytes(StandardCharsets.US_ASCII));
        return cipher;
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }
}
