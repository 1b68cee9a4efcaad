// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.objects.keys.SubjectKeyStore.Found;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.envelope.SubjectKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SubjectKeyStoreTest {
    private static final byte[] KEK = new byte[32];
    private static final Duration SETTLING = Duration.ofSeconds(18);

    @TempDir
    Path directory;

    private ObjectStore store;
    private SubjectKeyStore door;
    private long nanos;
    private long wallAheadMillis;
    private final List<String> logged = new ArrayList<>();
    private boolean booksAreClosed;
    private int incarnation = 1;

    @BeforeEach
    void open() throws IOException {
        store = new DirectoryObjectStore(directory.resolve("keys"));
        SubjectKeyStore.create(store, KEK);
        door = another();
    }

    private SubjectKeyStore another() throws IOException {
        return open(store);
    }

    private SubjectKeyStore open(ObjectStore from) throws IOException {
        return SubjectKeyStore.open(
                from, KEK, 100, new SubjectKeyStore.Clocks(() -> nanos, () -> nanos / 1_000_000 + wallAheadMillis));
    }

    private ErasureReceipt log(String tenant, String actor, String keyId) throws IOException {
        assertThat(tenant + " " + actor).isEqualTo("acme admin");
        assertThat(door.erased().isDestroyed(keyId))
                .as("destroyed before it is said")
                .isTrue();
        if (booksAreClosed) {
            throw new IOException("no answer");
        }
        logged.add(keyId);
        return new ErasureReceipt(incarnation, 0, logged.size());
    }

    private List<Eraser.Erased> erase(String subject) throws Exception {
        return eraser(time -> nanos += time.toNanos()).erase(request(subject), incarnation, this::log);
    }

    private static Eraser.Request request(String subject) {
        return new Eraser.Request("acme", subject, "admin");
    }

    private Eraser eraser(Eraser.Waiting waiting) throws IOException {
        return new Eraser(another(), SETTLING, waiting);
    }

    /** The objects were made by a program that shares no code with this one (Python, cryptography 48). */
    @Test
    void readsTheGoldenKey() throws IOException {
        // given
        String id = "eb12c635f834bb4c6e3073e01d29149f-1";
        byte[] kek = new byte[32];
        for (int i = 0; i < 32; i++) {
            kek[i] = (byte) (64 + i);
        }
        ObjectStore golden = new DirectoryObjectStore(directory.resolve("golden"));
        golden.putIfAbsent(
                "check",
                HexFormat.of()
                        .parseHex("a0a1a2a3a4a5a6a7a8a9aaabacadaeafd2f01ea8e9455485c7120dacb981985a49422a70f3ff2ac2"
                                + "9b58a30ee97131e2"));
        golden.putIfAbsent(
                "keys/eb/" + id,
                HexFormat.of()
                        .parseHex("4154534b45590001000102030405060708090a0bfa64008eb55cb1c33ee827c3b88e28db0577f1ad"
                                + "679857e9de0d7f32d1cacb71e823c94858c467a1255025b00dcf07c1"));

        // when
        SubjectKeyStore keys = SubjectKeyStore.open(golden, kek, 1);
        SubjectKey key = keys.current("ten\u00e4nt", "Codertocat");

        // then
        assertThat(key.id()).isEqualTo(id);
        assertThat(HexFormat.of().formatHex(key.secret()))
                .isEqualTo("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

        // when
        golden.putIfAbsent(
                "pending/" + id,
                HexFormat.of()
                        .parseHex("4154534b45590001000102030405060708090a0b8e006c4e1537c3c4578259a7c6ae1734c0587686"
                                + "dd25af88730f6f55217400"));
        golden.replace(
                "keys/eb/" + id,
                HexFormat.of()
                        .parseHex("64657374726f7965640ac50343cf944a83928ac24cb837998d8ed6bf3de4e6f68eb831056d1bde72"
                                + "6cc4"));

        // then
        assertThat(keys.find(id)).isEqualTo(new Found.Destroyed());
        List<String> told = new ArrayList<>();
        new Eraser(keys, SETTLING, time -> {}).finish(1, (tenant, actor, keyId) -> {
            told.add(tenant + " " + actor + " " + keyId);
            return new ErasureReceipt(1, 0, 7);
        });
        assertThat(told).containsExactly("ten\u00e4nt actor-1 " + id);
        assertThat(golden.get("receipts/eb/" + id).map(object -> new String(object, StandardCharsets.US_ASCII)))
                .contains("1/0/7");
    }

    @Test
    void everySubjectOfEveryTenantHasAKeyOfItsOwnTheSameAtEveryDoor() throws IOException {
        // given
        SubjectKey key = door.current("acme", "ann");

        // then
        assertThat(door.current("acme", "ann").secret()).isEqualTo(key.secret());
        assertThat(another().current("acme", "ann").secret()).isEqualTo(key.secret());
        assertThat(door.current("acme", "bob").secret()).isNotEqualTo(key.secret());
        assertThat(door.current("acm", "eann").id()).isNotEqualTo(key.id());
        assertThat(door.current("other", "ann").id()).isNotEqualTo(key.id());
        assertThat(((Found.Key) another().find(key.id())).key().secret()).isEqualTo(key.secret());
    }

    @Test
    void neitherNamesNorKeysAreInTheStoreInTheClear() throws IOException {
        // given
        SubjectKey key = door.current("acme", "ann");

        // then
        for (String name : store.list("")) {
            String object = new String(store.get(name).orElseThrow(), StandardCharsets.ISO_8859_1);
            assertThat(name + object)
                    .doesNotContain("acme", "ann", new String(key.secret(), StandardCharsets.ISO_8859_1));
        }
    }

    @Test
    void whoHasAnotherKeyEncryptionKeyIsRefused() throws IOException {
        byte[] other = new byte[32];
        other[5] = 1;
        assertThatThrownBy(() -> SubjectKeyStore.open(store, other, 100))
                .isInstanceOf(SubjectKeyStore.WrongKeyException.class);
    }

    @Test
    void aDamagedKeyIsNoKey() throws IOException {
        // given
        String id = door.current("acme", "ann").id();
        String name = store.list("keys/").get(0);
        byte[] damaged = store.get(name).orElseThrow();
        damaged[30] ^= 1;
        store.replace(name, damaged);

        // then
        assertThatThrownBy(() -> another().find(id)).hasMessageContaining("damaged");
        assertThatThrownBy(() -> another().current("acme", "ann")).hasMessageContaining("damaged");
    }

    @Test
    void aDestroyedKeyIsFoundByNobodyAndTheNextEventGetsAnother() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        byte[] wrapped = store.get("keys/" + id.substring(0, 2) + "/" + id).orElseThrow();

        // when
        List<Eraser.Erased> erased = erase("ann");

        // then
        assertThat(erased).containsExactly(new Eraser.Erased(id, new ErasureReceipt(1, 0, 1)));
        assertThat(door.find(id)).isEqualTo(new Found.Destroyed());
        assertThat(door.current("acme", "ann").id()).isEqualTo(id.replaceFirst("-1$", "-2"));
        for (String name : store.list("")) {
            assertThat(store.get(name).orElseThrow()).isNotEqualTo(wrapped);
        }
        assertThat(door.current("acme", "bob").id()).endsWith("-1");
    }

    /** An event that is encrypted under a key that is gone already would be acknowledged and never be read. */
    @Test
    void noDoorEncryptsUnderAKeyThatIsGone() throws Exception {
        // given
        String id = door.current("acme", "ann").id();

        // when
        SubjectKeyStore looking = another();
        Eraser eraser = eraser(time -> {
            assertThat(idOfAnn(door)).as("until it looks again").isEqualTo(id);
            assertThat(idOfAnn(looking)).as("who looks").isNotEqualTo(id);
            assertThat(logged).as("nothing is done yet").isEmpty();
            nanos += time.toNanos();
            assertThat(idOfAnn(door)).as("behind the wait").isNotEqualTo(id);
        });

        // then
        assertThat(eraser.erase(request("ann"), 1, this::log)).hasSize(1);
    }

    private static String idOfAnn(SubjectKeyStore keys) {
        try {
            return keys.current("acme", "ann").id();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aDoorThatWasTooSlowToLookGetsNoKey() throws IOException {
        // given
        ObjectStore slow =
                new SlowStore(store, () -> nanos += Duration.ofSeconds(11).toNanos());
        SubjectKeyStore late = open(slow);

        // then
        assertThatThrownBy(() -> late.current("acme", "ann")).hasMessageContaining("too slowly");
    }

    /** Who creates a key must not be able to undo that it was destroyed, however late. */
    @Test
    void aKeyThatWasDestroyedIsNotMadeAgain() throws Exception {
        // given a door that stands still between its look, which finds no key, and the key it makes
        String[] made = {""};
        ObjectStore paused = new SlowStore(store, () -> {}) {
            @Override
            public PutResult putIfAbsent(String name, byte[] bytes) throws IOException {
                if (name.startsWith("keys/") && made[0].isEmpty()) {
                    made[0] = door.current("acme", "ann").id();
                    eraseOrFail("ann");
                    nanos = 0;
                }
                return super.putIfAbsent(name, bytes);
            }
        };

        // when
        SubjectKey late = open(paused).current("acme", "ann");

        // then
        assertThat(door.find(made[0])).isEqualTo(new Found.Destroyed());
        assertThat(late.id()).isEqualTo(made[0].replaceFirst("-1$", "-2"));
    }

    private void eraseOrFail(String subject) {
        try {
            erase(subject);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Read before its mark is looked for, a key could be gone, and its mark too, when that look comes. */
    @Test
    void aDoorThatStandsStillBetweenItsLooksGetsNoKeyThatIsGone() throws Exception {
        // given a machine that is suspended between the first look and the second
        String id = door.current("acme", "ann").id();
        boolean[] looked = {false};
        ObjectStore paused = new SlowStore(store, () -> {}) {
            @Override
            public Optional<byte[]> get(String name) throws IOException {
                Optional<byte[]> object = super.get(name);
                if (name.endsWith(id) && !looked[0]) {
                    looked[0] = true;
                    eraseOrFail("ann");
                    door.erased().done(id);
                    nanos = 0;
                }
                return object;
            }
        };

        // then
        assertThat(open(paused).current("acme", "ann").id()).isNotEqualTo(id);
        assertThat(looked[0]).isTrue();
    }

    /** The clock that measures stands still while a machine is suspended; the other does not. */
    @Test
    void aDoorThatWasSuspendedLooksAgain() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        SubjectKeyStore other = another();
        new Eraser(other, SETTLING, time -> {}).erase(request("ann"), 1, this::log);
        assertThat(door.current("acme", "ann").id()).isEqualTo(id);

        // when
        wallAheadMillis = 10_000;

        // then
        assertThat(door.current("acme", "ann").id()).isNotEqualTo(id);
    }

    /** What was encrypted in the last moment may be acknowledged as late as the door's settings allow. */
    @Test
    void waitsForTheUseOfAKeyAndForWhatIsUnderWay() throws Exception {
        // given
        door.current("acme", "ann");
        List<Duration> waited = new ArrayList<>();

        // when
        eraser(waited::add).erase(request("ann"), 1, this::log);

        // then
        assertThat(waited)
                .containsExactly(SubjectKeyStore.USE_MAX.plus(SETTLING).plus(Duration.ofSeconds(5)));
    }

    /** Its settings are its own, and longer than those a gateway may have. */
    @Test
    void waitsForWhatAdmissionHasUnderWayWhateverTheGatewaysSettings() throws Exception {
        // given
        door.current("acme", "ann");
        List<Duration> waited = new ArrayList<>();

        // when
        new Eraser(another(), Duration.ZERO, waited::add).erase(request("ann"), 1, this::log);

        // then
        assertThat(waited)
                .containsExactly(SubjectKeyStore.USE_MAX
                        .plus(Eraser.ADMISSION_MAX_BLOCK)
                        .plus(Eraser.ADMISSION_DELIVERY_TIMEOUT)
                        .plus(Duration.ofSeconds(5)));
    }

    /** An empty location is a disk that is not mounted: keys made there would have ids of others, and be nobody's. */
    @Test
    void aLocationThatNobodyMadeIsRefusedAndLeftAlone() throws Exception {
        // given
        ObjectStore empty = new DirectoryObjectStore(directory.resolve("unmounted"));

        // then
        assertThatThrownBy(() -> open(empty)).isInstanceOf(SubjectKeyStore.NotMadeException.class);
        assertThatThrownBy(() -> ErasedKeys.open(empty)).isInstanceOf(SubjectKeyStore.NotMadeException.class);
        assertThat(empty.list("")).isEmpty();
        empty.putIfAbsent("check", "x".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> ErasedKeys.open(empty)).isInstanceOf(SubjectKeyStore.NotMadeException.class);
        assertThat(ErasedKeys.open(store).id()).isEqualTo(door.id());
    }

    @Test
    void aStoreThatIsMadeAgainGivesNoIdAgain() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        ObjectStore other = new DirectoryObjectStore(directory.resolve("other"));

        // when
        SubjectKeyStore.create(other, KEK);

        // then
        assertThat(open(other).current("acme", "ann").id()).isNotEqualTo(id);
        assertThat(open(other).id()).isNotEqualTo(door.id());
        assertThat(open(other).find(id)).isEqualTo(new Found.Missing());
        SubjectKeyStore.create(store, KEK);
        assertThat(another().current("acme", "ann").id()).isEqualTo(id);
        byte[] otherKey = new byte[32];
        otherKey[0] = 1;
        assertThatThrownBy(() -> SubjectKeyStore.create(store, otherKey))
                .isInstanceOf(SubjectKeyStore.WrongKeyException.class);
    }

    /** As a disk that is not mounted any more, in whose place there is an empty directory. */
    private void goAway() throws IOException {
        Files.move(directory.resolve("keys"), directory.resolve("elsewhere"));
        Files.createDirectory(directory.resolve("keys"));
    }

    private void comeBack() throws IOException {
        Files.move(directory.resolve("keys"), directory.resolve("empty"));
        Files.move(directory.resolve("elsewhere"), directory.resolve("keys"));
    }

    @Test
    void aStoreThatWentAwayGivesNoKey() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        SubjectKeyStore other = open(new DirectoryObjectStore(directory.resolve("keys")));

        // when
        goAway();

        // then
        assertThatThrownBy(() -> other.current("acme", "ann")).isInstanceOf(SubjectKeyStore.NotMadeException.class);
        comeBack();
        assertThat(another().current("acme", "ann").id()).isEqualTo(id);
    }

    @Test
    void aStoreThatWentAwayIsNotSaidToHaveNoKeysOfASubject() throws Exception {
        // given
        door.current("acme", "ann");
        Eraser eraser = eraser(time -> {});

        // when
        goAway();

        // then
        assertThatThrownBy(() -> eraser.erase(request("ann"), 1, this::log))
                .isInstanceOf(SubjectKeyStore.NotMadeException.class);
    }

    @Test
    void whatIsDestroyedInAnotherPlaceIsNotLogged() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        ObjectStore goneWhileWaiting = new DirectoryObjectStore(directory.resolve("keys"));
        Eraser eraser = new Eraser(open(goneWhileWaiting), SETTLING, time -> {
            try {
                goAway();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });

        // then
        assertThatThrownBy(() -> eraser.erase(request("ann"), 1, this::log)).isInstanceOf(IOException.class);
        assertThat(logged).isEmpty();
        comeBack();
        assertThat(another().find(id)).isInstanceOf(Found.Key.class);
    }

    /** Keys were put back from an older copy than receipts. */
    @Test
    void noKeyIsMadeOfWhichTheLedgerSaysThatItWasDestroyed() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        erase("ann");

        // when
        store.delete("keys/" + id.substring(0, 2) + "/" + id);
        store.delete("pending/" + id);

        // then
        assertThat(another().current("acme", "ann").id()).isEqualTo(id.replaceFirst("-1$", "-2"));
        assertThat(another().find(id)).isEqualTo(new Found.Missing());
    }

    @Test
    void keysWhoseCheckWasLostAreNotTakenForAnotherStore() throws Exception {
        // given
        door.current("acme", "ann");
        store.delete("check");

        // then
        assertThatThrownBy(() -> SubjectKeyStore.create(store, KEK)).hasMessageContaining("put it back from a copy");
        assertThat(store.get("check")).isEmpty();
    }

    @Test
    void aKeyThatWasLostHidesNoneBehindIt() throws Exception {
        // given
        String first = door.current("acme", "ann").id();
        erase("ann");
        String second = door.current("acme", "ann").id();
        store.delete("keys/" + first.substring(0, 2) + "/" + first);

        // then
        assertThat(another().current("acme", "ann").id()).isEqualTo(second);
        assertThat(erase("ann")).extracting(Eraser.Erased::keyId).containsExactly(second);
        assertThat(door.find(second)).isEqualTo(new Found.Destroyed());
    }

    /** Whoever writes to the location, as the checkpointer does, cannot say that something was erased. */
    @Test
    void onlyADoorSaysThatAKeyIsDestroyed() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        store.replace("keys/" + id.substring(0, 2) + "/" + id, "destroyed\n".getBytes(StandardCharsets.US_ASCII));

        // then
        assertThatThrownBy(() -> door.find(id)).hasMessageContaining("no door wrote it");
        assertThat(erase("ann")).hasSize(1);
        assertThat(door.find(id)).isEqualTo(new Found.Destroyed());
    }

    @Test
    void aDamagedKeyStopsNoOtherSubjectAndErasingItsOwnMendsIt() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        store.replace("keys/" + id.substring(0, 2) + "/" + id, new byte[60]);
        SubjectKeyStore fresh = another();
        assertThatThrownBy(() -> fresh.current("acme", "ann")).hasMessageContaining("damaged");

        // then at once
        assertThat(fresh.current("acme", "bob").id()).endsWith("-1");

        // when
        erase("ann");
        nanos += Duration.ofSeconds(10).toNanos();

        // then
        assertThat(fresh.current("acme", "ann").id()).endsWith("-2");
    }

    @Test
    void aSubjectThatWasErasedOftenIsFoundAsFast() throws Exception {
        // given
        for (int i = 0; i < 20; i++) {
            door.current("acme", "ann");
            erase("ann");
        }
        String id = door.current("acme", "ann").id();
        int[] looks = {0};

        // when
        SubjectKey key = open(new SlowStore(store, () -> looks[0]++)).current("acme", "ann");

        // then
        assertThat(key.id()).isEqualTo(id).endsWith("-21");
        assertThat(looks[0]).isLessThan(6);
    }

    /** A door that was killed, on its way to the ledger, in a store of files, may leave a key under another name. */
    @Test
    void noOtherNameOfTheFileOfAKeyIsLeft() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        Path key = directory.resolve("keys/keys/" + id.substring(0, 2) + "/" + id);
        Path left = key.resolveSibling(".tmp-left");
        Files.createLink(left, key);

        // when
        erase("ann");

        // then
        assertThat(left).doesNotExist();
        assertThat(key).exists();
    }

    @Test
    void theNextDoorTellsTheLedgerWhatOneThatWasKilledDidNot() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        booksAreClosed = true;
        assertThatThrownBy(() -> erase("ann")).hasMessageContaining("no answer");
        booksAreClosed = false;
        String marked = door.current("acme", "bob").id();
        Eraser killed = eraser(time -> {
            throw new InterruptedException();
        });
        assertThatThrownBy(() -> killed.erase(request("bob"), 1, this::log)).isInstanceOf(InterruptedException.class);

        // when
        int finished = eraser(time -> {}).finish(1, this::log);

        // then
        assertThat(finished).isEqualTo(1);
        assertThat(logged).containsExactly(id);
        assertThat(door.erased().receipt(id)).isPresent();
        assertThat(door.find(marked)).isInstanceOf(Found.Key.class);
        assertThat(eraser(time -> {}).finish(1, this::log)).isZero();
    }

    @Test
    void oneDamagedMarkKeepsNoOtherErasureFromBeingFinished() throws Exception {
        // given
        booksAreClosed = true;
        for (String subject : List.of("ann", "bob")) {
            door.current("acme", subject);
            assertThatThrownBy(() -> erase(subject)).hasMessageContaining("no answer");
        }
        booksAreClosed = false;
        List<String> pending = door.erased().pending();
        store.replace("pending/" + pending.get(0), new byte[60]);

        // then
        assertThatThrownBy(() -> eraser(time -> {}).finish(1, this::log)).hasMessageContaining("damaged");
        assertThat(logged).containsExactly(pending.get(1));
    }

    @Test
    void aDamagedReceiptIsMadeAgain() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        erase("ann");
        for (String damaged : List.of("", "1/0", "0/0/1", "1/0/999999999999999999")) {
            store.replace("receipts/" + id.substring(0, 2) + "/" + id, damaged.getBytes(StandardCharsets.UTF_8));
            assertThatThrownBy(() -> door.erased().receipt(id)).hasMessageContaining("erase its subject again");
        }

        // when
        List<Eraser.Erased> erased = erase("ann");

        // then
        assertThat(erased).containsExactly(new Eraser.Erased(id, new ErasureReceipt(1, 0, 2)));
        assertThat(door.erased().receipt(id)).contains(new ErasureReceipt(1, 0, 2));
    }

    /** In two threads, which meet before they destroy. */
    @Test
    void twoErasersAtOnceAnswerTheSame() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        CyclicBarrier both = new CyclicBarrier(2);
        AtomicInteger offsets = new AtomicInteger();
        Eraser.Books books = (tenant, actor, keyId) -> new ErasureReceipt(1, 0, offsets.incrementAndGet());
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Callable<List<Eraser.Erased>>> erasing = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                Eraser eraser = eraser(time -> await(both));
                erasing.add(() -> eraser.erase(request("ann"), 1, books));
            }

            // when
            List<Future<List<Eraser.Erased>>> erased = threads.invokeAll(erasing, 60, TimeUnit.SECONDS);

            // then
            assertThat(erased.get(0).get()).isEqualTo(erased.get(1).get());
            assertThat(erased.get(0).get()).extracting(Eraser.Erased::keyId).containsExactly(id);
            assertThat(door.find(id)).isEqualTo(new Found.Destroyed());
            assertThat(offsets.get()).isBetween(1, 2);
        } finally {
            threads.shutdownNow();
        }
    }

    private static void await(CyclicBarrier barrier) throws InterruptedException {
        try {
            barrier.await(30, TimeUnit.SECONDS);
        } catch (BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Kafka may have lost what it was told: said again it is a duplicate at worst. */
    @Test
    void whatAnEarlierLifeOfTheLedgerWasToldIsToldAgain() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        erase("ann");

        // when
        incarnation = 2;
        assertThat(eraser(time -> {}).finish(2, this::log)).isEqualTo(1);

        // then
        assertThat(door.erased().receipt(id)).contains(new ErasureReceipt(2, 0, 2));
        assertThat(erase("ann")).containsExactly(new Eraser.Erased(id, new ErasureReceipt(2, 0, 2)));
    }

    @Test
    void aMarkComesBackForWhatIsPackedLate() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        String live = door.current("acme", "bob").id();
        erase("ann");
        door.erased().done(id);

        // when
        door.erased().againPending(Set.of(id, live));

        // then
        assertThat(door.erased().pending()).containsExactly(id);
        assertThat(eraser(time -> {}).finish(1, this::log)).isZero();
        assertThat(door.erased().isDestroyed(id)).isTrue();
    }

    /** Two doors asked at once: one key, one end. */
    @Test
    void twoWhoEraseAtOnceDestroyTheSameOnce() throws Exception {
        // given
        String id = door.current("acme", "ann").id();

        // when
        List<Eraser.Erased> both = new ArrayList<>();
        eraser(time -> {
                    try {
                        both.addAll(eraser(inner -> {}).erase(request("ann"), 1, this::log));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .erase(request("ann"), 1, this::log)
                .forEach(both::add);

        // then
        assertThat(both).hasSize(2);
        assertThat(both.get(0)).isEqualTo(both.get(1));
        assertThat(door.find(id)).isEqualTo(new Found.Destroyed());
    }

    @Test
    void whatEndedBeforeTheLedgerWasToldGoesOnThere() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        booksAreClosed = true;
        assertThatThrownBy(() -> erase("ann")).hasMessageContaining("no answer");
        assertThat(door.find(id)).isEqualTo(new Found.Destroyed());
        assertThat(door.erased().receipt(id)).isEmpty();
        assertThat(door.erased().pending()).containsExactly(id);

        // when
        booksAreClosed = false;
        List<Eraser.Erased> erased = erase("ann");

        // then
        assertThat(erased).containsExactly(new Eraser.Erased(id, new ErasureReceipt(1, 0, 1)));
        assertThat(logged).containsExactly(id);
    }

    @Test
    void whatEndedInTheWaitGoesOnThere() throws Exception {
        // given
        String id = door.current("acme", "ann").id();
        Eraser killed = eraser(time -> {
            throw new InterruptedException();
        });
        assertThatThrownBy(() -> killed.erase(request("ann"), 1, this::log)).isInstanceOf(InterruptedException.class);
        assertThat(door.find(id)).isInstanceOf(Found.Key.class);

        // then
        assertThat(erase("ann")).hasSize(1);
        assertThat(door.find(id)).isEqualTo(new Found.Destroyed());
    }

    @Test
    void askedAgainItAnswersTheSameAndErasesWhatCameMeanwhile() throws Exception {
        // given
        String first = door.current("acme", "ann").id();
        erase("ann");
        assertThat(erase("ann")).hasSize(1);
        assertThat(logged).containsExactly(first);

        // when
        String second = door.current("acme", "ann").id();

        // then
        assertThat(erase("ann"))
                .containsExactly(
                        new Eraser.Erased(first, new ErasureReceipt(1, 0, 1)),
                        new Eraser.Erased(second, new ErasureReceipt(1, 0, 2)));
        assertThat(door.find(second)).isEqualTo(new Found.Destroyed());
        door.erased().done(first);
        assertThat(door.erased().pending()).containsExactly(second);
    }

    @Test
    void aSubjectOfWhomNothingIsKnownHasNothingToErase() throws Exception {
        assertThat(erase("nobody")).isEmpty();
        assertThat(store.list("pending/")).isEmpty();
    }

    @Test
    void whatIsNoKeyIdIsNotFound() throws IOException {
        for (String id : List.of("", "key-1", "../../etc/passwd", "ca83e7bf4746466ac10aabac3d2531dc-0")) {
            assertThat(door.find(id)).isEqualTo(new Found.Missing());
            assertThat(door.erased().isDestroyed(id)).isFalse();
        }
    }

    /** A batch must not wait for each of its events. */
    @Test
    void behindAFailureNobodyAsksForAMoment() throws IOException {
        // given
        int[] asked = {0};
        boolean[] isDown = {false};
        ObjectStore down = new SlowStore(store, () -> {
            if (isDown[0]) {
                asked[0]++;
                throw new IOException("down");
            }
        });
        SubjectKeyStore waiting = open(down);
        isDown[0] = true;

        // when
        for (int i = 0; i < 5; i++) {
            assertThatThrownBy(() -> waiting.current("acme", "ann")).isInstanceOf(IOException.class);
        }
        assertThat(asked[0]).isEqualTo(1);
        nanos += Duration.ofSeconds(1).toNanos();
        assertThatThrownBy(() -> waiting.current("acme", "ann")).hasMessageContaining("down");

        // then
        assertThat(asked[0]).isEqualTo(2);
    }

    @Test
    void settingsNameWhatIsWrong() throws IOException {
        Path good = ofItsOwner(
                Files.writeString(directory.resolve("kek"), Base64.getEncoder().encodeToString(new byte[32])));
        Path open = Files.copy(good, directory.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r-----"));
        Path bad = Files.writeString(directory.resolve("bad"), "x");
        Path objects = Files.createDirectories(directory.resolve("objects"));
        Path inside = Files.createDirectories(objects.resolve("keys"));
        Optional<String> where = Optional.of(directory.resolve("keys").toString());
        Optional<String> archive = Optional.of(objects.toString());

        assertThat(PayloadKeysSetting.problems(where, Optional.of(good), 1, archive))
                .isEmpty();
        assertThat(PayloadKeysSetting.problems(Optional.empty(), Optional.empty(), 1, archive))
                .isEmpty();
        assertThat(PayloadKeysSetting.problems(where, Optional.empty(), 1, archive))
                .singleElement()
                .asString()
                .contains("key-file");
        assertThat(PayloadKeysSetting.problems(where, Optional.of(open), 1, archive))
                .singleElement()
                .asString()
                .contains("chmod 600");
        assertThatThrownBy(() -> PayloadKeysSetting.open(where, Optional.of(open), 1))
                .hasMessageContaining("chmod 600");
        assertThat(PayloadKeysSetting.problems(where, Optional.of(bad), 0, archive))
                .hasSize(2)
                .anyMatch(problem -> problem.contains("32 bytes"))
                .anyMatch(problem -> problem.contains("remembered-max"));
        assertThat(PayloadKeysSetting.problems(Optional.of(inside.toString()), Optional.of(good), 1, archive))
                .singleElement()
                .asString()
                .contains("bring destroyed keys back");
        assertThat(PayloadKeysSetting.problems("s3://bucket/ledger/keys", Optional.of("s3://bucket/ledger")))
                .hasSize(1);
        assertThat(PayloadKeysSetting.problems("s3://bucket/keys", Optional.of("s3://bucket/ledger")))
                .isEmpty();
    }

    private static Path ofItsOwner(Path file) throws IOException {
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    /** Something happens at each look at a key. */
    private static class SlowStore implements ObjectStore {
        private final ObjectStore store;
        private final Look look;

        SlowStore(ObjectStore store, Look look) {
            this.store = store;
            this.look = look;
        }

        interface Look {
            void happens() throws IOException;
        }

        @Override
        public Optional<byte[]> get(String name) throws IOException {
            look.happens();
            return store.get(name);
        }

        @Override
        public Optional<byte[]> get(String name, long offset, int length) throws IOException {
            return store.get(name, offset, length);
        }

        @Override
        public PutResult putIfAbsent(String name, byte[] bytes) throws IOException {
            return store.putIfAbsent(name, bytes);
        }

        @Override
        public void replace(String name, byte[] bytes) throws IOException {
            store.replace(name, bytes);
        }

        @Override
        public void delete(String name) throws IOException {
            store.delete(name);
        }

        @Override
        public List<String> list(String prefix) throws IOException {
            return store.list(prefix);
        }
    }
}
