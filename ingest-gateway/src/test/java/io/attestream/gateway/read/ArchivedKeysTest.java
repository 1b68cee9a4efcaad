// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a gateway knows of the ledger's keys, and how seldom it asks. */
class ArchivedKeysTest {
    private static final String ORIGIN = "ledger.example/keys";
    private static final long SECOND_NANOS = Duration.ofSeconds(1).toNanos();

    private final Map<String, byte[]> objects = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final AtomicLong nanos = new AtomicLong(1);
    /** Nobody waits at it until it is another one. */
    private volatile CountDownLatch gate = new CountDownLatch(0);

    private final CountDownLatch waiting = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();

    private final List<NoteSigner> signers = new ArrayList<>(List.of(key()));
    private final NoteVerifier first = signers.get(0).verifier();
    private final CompactRange log = CompactRange.empty();
    private KeyHistory history = KeyHistory.of(first);
    private final ArchivedKeys keys = new ArchivedKeys(store(), nanos::get);

    @AfterEach
    void end() {
        gate.countDown();
        threads.shutdownNow();
    }

    private static NoteSigner key() {
        return NoteSigner.generate(ORIGIN, new SecureRandom());
    }

    private ObjectStore store() {
        return (ObjectStore) Proxy.newProxyInstance(
                ObjectStore.class.getClassLoader(), new Class<?>[] {ObjectStore.class}, (proxy, method, arguments) -> {
                    String name = (String) arguments[0];
                    if (method.getName().equals("list")) {
                        return objects.keySet().stream()
                                .filter(each -> each.startsWith(name))
                                .sorted()
                                .toList();
                    }
                    asked.add(name);
                    if (gate.getCount() > 0) {
                        waiting.countDown();
                        assertThat(gate.await(30, TimeUnit.SECONDS)).isTrue();
                    }
                    return Optional.ofNullable(objects.get(name));
                });
    }

    /** An epoch that announces one key more, as the object store has it. */
    private String announce() throws Exception {
        NoteSigner added = key();
        KeyChange change = history.announce(signers.get(signers.size() - 1), added);
        byte[] leaf = new EpochLeaf(
                        log.size().value(),
                        "2026-01-05T09:00:00.000Z",
                        Map.of("events", 1L),
                        List.of(change.logged()),
                        Rfc6962.EMPTY_ROOT)
                .encode();
        CompactRange before = log.copy();
        log.append(Rfc6962.leafHash(leaf));
        String text = new Checkpoint(ORIGIN, log.size(), log.root()).text();
        String note = new SignedNote(
                        text, signers.stream().map(signer -> signer.sign(text)).toList())
                .encode();
        KeyStep step = KeyStep.of(change, leaf, before, note);
        history = step.extend(history);
        signers.add(added);
        String name = KeyStep.name(signers.size() - 1);
        objects.put(name, step.encode());
        return name;
    }

    @Test
    void aStepThatWasVerifiedIsNotReadAgain() throws Exception {
        // given
        announce();
        announce();
        assertThat(keys.newest(first).history()).isEqualTo(history);
        asked.clear();

        // when
        announce();
        nanos.addAndGet(SECOND_NANOS);

        // then
        assertThat(keys.recent(first).history()).isEqualTo(history);
        assertThat(asked).containsExactly(KeyStep.name(3), KeyStep.name(4));
    }

    @Test
    void nobodyAsksAgainWithinASecondButWhoMustKnow() throws Exception {
        // given
        keys.recent(first);
        announce();
        asked.clear();

        // then
        nanos.addAndGet(SECOND_NANOS - 1);
        assertThat(keys.recent(first).history()).isEqualTo(KeyHistory.of(first));
        assertThat(asked).isEmpty();
        assertThat(keys.newest(first).history()).isEqualTo(history);
        assertThat(keys.recent(first).history()).isEqualTo(history);
    }

    @Test
    void whileOneLooksTheOthersGoOnWithWhatWasKnown() throws Exception {
        // given
        keys.recent(first);
        announce();
        nanos.addAndGet(SECOND_NANOS);
        gate = new CountDownLatch(1);
        Future<Archive.Keys> look = threads.submit(() -> keys.recent(first));
        assertThat(waiting.await(30, TimeUnit.SECONDS)).isTrue();

        // then
        assertThat(threads.submit(() -> keys.recent(first))
                        .get(30, TimeUnit.SECONDS)
                        .history())
                .isEqualTo(KeyHistory.of(first));
        gate.countDown();
        assertThat(look.get(30, TimeUnit.SECONDS).history()).isEqualTo(history);
    }

    @Test
    void aDamagedStepTakesNothingAwayFromTheHistoryBeforeIt() throws Exception {
        // given
        announce();
        keys.recent(first);
        KeyHistory known = history;
        objects.put(announce(), "rotten".getBytes(StandardCharsets.UTF_8));
        nanos.addAndGet(SECOND_NANOS);

        // then
        assertThat(keys.recent(first).history()).isEqualTo(known);
        assertThatThrownBy(() -> keys.newest(first))
                .isInstanceOf(Archive.Broken.class)
                .hasMessageContaining(KeyStep.name(2));
    }

    @Test
    void aStepThatIsMissingBeforeAnotherIsNotTheEndOfTheHistory() throws Exception {
        // given
        String lost = announce();
        announce();
        objects.remove(lost);

        // then
        assertThatThrownBy(() -> keys.recent(first))
                .isInstanceOf(Archive.Broken.class)
                .hasMessageContaining(KeyStep.name(1));
    }

    @Test
    void aStepThatIsGoneStaysKnown() throws Exception {
        // given
        String name = announce();
        keys.recent(first);

        // when
        objects.remove(name);

        // then
        assertThat(keys.newest(first).history()).isEqualTo(history);
        assertThat(keys.newest(first).published())
                .contains(signers.get(1).verifier().keyName());
    }
}
