// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.objects.ZstdBlocks;
import io.attestream.objects.keys.ErasedKeys;
import io.attestream.objects.keys.SubjectKeyStore;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.envelope.SubjectKey;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the archive when the key of a subject is destroyed. */
class PayloadErasureTest {
    private static final Unpacked.Limits EVERY_256 = new Unpacked.Limits(256, Long.MAX_VALUE, 0);

    @TempDir
    private Path directory;

    private final TestClock clock = new TestClock();
    private Scene scene;
    private Scene.Instance process;
    private ObjectStore keyStore;
    private ErasedKeys erased;
    private SubjectKey ann;
    private SubjectKey bob;

    @BeforeEach
    void publishTwoPacksWithEncryptedPayloads() throws Exception {
        keyStore = new DirectoryObjectStore(directory.resolve("keys"));
        SubjectKeyStore.create(keyStore, new byte[32]);
        SubjectKeyStore keys = SubjectKeyStore.open(keyStore, new byte[32], 10);
        ann = keys.current(TestLedger.TENANT, "ann");
        bob = keys.current(TestLedger.TENANT, "bob");
        erased = keys.erased();
        scene = new Scene(directory.resolve("objects"), 2);
        scene.packLimits = EVERY_256;
        scene.erased = Optional.of(erased);
        start();
        grow("first", 300);
        publish();
        packAndLog("second");
    }

    private void start() throws Exception {
        process = scene.start();
        process.checkpointer.takeUp();
    }

    private void publish() {
        process.read();
        process.checkpointer.publishNewest();
    }

    private void packAndLog(String tag) {
        process.packer.round();
        grow(tag, 3);
        publish();
    }

    /** A third of them about ann, a third about bob, a third about nobody. */
    private void grow(String tag, int events) {
        for (TestShard shard : scene.shards) {
            grow(shard, tag, events);
        }
    }

    private void grow(TestShard shard, String tag, int events) {
        for (int i = 0; i < events; i++) {
            String id = tag + "-" + i;
            String source = scene.ledger.sourceOf(shard.shard);
            shard.append(
                    i % 3 == 2
                            ? TestLedger.eventValue(source, id, "payload " + i, Map.of())
                            : TestLedger.sealedValue(source, id, "payload " + i, i % 3 == 0 ? ann : bob));
        }
        shard.seal();
    }

    /** As an eraser leaves the keys: marked and gone. */
    private void destroy(SubjectKey key) throws IOException {
        keyStore.putIfAbsent("pending/" + key.id(), utf8(key.id()));
        keyStore.replace("keys/" + key.id().substring(0, 2) + "/" + key.id(), utf8("destroyed\n"));
        assertThat(erased.isDestroyed(key.id())).isTrue();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void log(SubjectKey key) throws IOException {
        int shard = Routing.shard(TestLedger.TENANT, "urn:attestream:erasure", null, 2);
        TestShard of = scene.shards.get(shard);
        long offset =
                of.append(TestLedger.erasureValue(TestLedger.TENANT, key.id())).offset();
        of.seal();
        keyStore.putIfAbsent(
                "receipts/" + key.id().substring(0, 2) + "/" + key.id(), utf8("1/" + shard + "/" + offset));
    }

    private void erase(SubjectKey key) throws Exception {
        destroy(key);
        log(key);
        publish();
        start(); // a sweep is due at once
        process.packer.round();
        assertThat(process.packer.problem()).isEmpty();
    }

    private long packed(Predicate<Payload> which) throws Exception {
        return packed(0, which) + packed(1, which);
    }

    private long packed(int shard, Predicate<Payload> which) throws Exception {
        long count = 0;
        for (String object : scene.store.list(PackName.PACKS)) {
            PackName name = PackName.parse(object);
            PayloadPack pack =
                    PayloadPack.open(scene.store, name, new ZstdBlocks()).orElseThrow();
            for (long index = name.first(); name.shard() == shard && index < name.end(); index++) {
                count += which.test(pack.block(index).payload(index)) ? 1 : 0;
            }
        }
        return count;
    }

    private static Predicate<Payload> encryptedUnder(SubjectKey key) {
        return payload ->
                payload instanceof Payload.Encrypted sealed && sealed.keyId().equals(key.id());
    }

    private Map<String, byte[]> objects(String prefix) throws IOException {
        Map<String, byte[]> objects = new TreeMap<>();
        for (String name : scene.store.list(prefix)) {
            objects.put(name, scene.store.get(name).orElseThrow());
        }
        return objects;
    }

    private ArchiveCheck check(ObjectStore store, List<LogRecord> checkpoints) {
        return new ArchiveCheck(
                store,
                scene.ledger.ledger,
                "topic checkpoints",
                reader -> List.copyOf(checkpoints).forEach(reader),
                new ArchiveCheck.Pace(Long.MAX_VALUE),
                ArchiveCheck.Listener.NONE);
    }

    private ArchiveCheck.Report check() throws Exception {
        return ((ArchiveCheck.Result.Checked)
                        check(scene.store, scene.log.committed).run())
                .report();
    }

    @Test
    void takesWhatWasErasedOutOfPayloadPacksAndNothingElse() throws Exception {
        // given
        long ofAnn = packed(encryptedUnder(ann));
        long ofBob = packed(encryptedUnder(bob));
        long plain = packed(Payload.Plain.class::isInstance);
        Map<String, byte[]> proofs = objects(PackName.PACKS);
        assertThat(ofAnn).isPositive();

        // when
        erase(ann);

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
        assertThat(packed(Payload.Erased.class::isInstance)).isEqualTo(ofAnn);
        assertThat(packed(encryptedUnder(bob))).isEqualTo(ofBob);
        assertThat(packed(Payload.Plain.class::isInstance)).isEqualTo(plain);
        assertThat(objects(PackName.PACKS)).containsAllEntriesOf(proofs);
        ArchiveCheck.Report report = check();
        assertThat(report.findings()).isEmpty();
        assertThat(report.erased()).isEqualTo(ofAnn);
        assertThat(report.erasures()).isEqualTo(1);
        ArchiveCheck.Result alone = ArchiveCheck.openAlone(
                        scene.ledger.ledger.key(), scene.store, Long.MAX_VALUE, ArchiveCheck.Listener.NONE)
                .run();
        assertThat(((ArchiveCheck.Result.Checked) alone).report().findings()).isEmpty();
    }

    @Test
    void isDoneWhenEverythingThatWasPublishedThenIsInPacks() throws Exception {
        // given
        erase(ann);
        assertThat(erased.pending()).containsExactly(ann.id());

        // when
        grow("third", 300);
        publish();
        packAndLog("fourth");
        process.packer.round();

        // then
        assertThat(erased.pending()).isEmpty();
        assertThat(erased.isDestroyed(ann.id())).isTrue();
    }

    @Test
    void whatIsPackedLaterIsErasedToo() throws Exception {
        // given leaves about ann that are in no pack yet
        grow("third", 300);
        publish();
        erase(ann);

        // when
        packAndLog("fourth");
        start();
        process.packer.round();

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
        assertThat(check().findings()).isEmpty();
    }

    /** Who finds a payload erased has to find the leaf that says so. */
    @Test
    void rewritesNothingBeforeItIsPublishedThatTheKeyIsGone() throws Exception {
        // given
        Map<String, byte[]> before = objects(PackName.PAYLOAD_PACKS);
        destroy(ann);

        // then
        start();
        process.packer.round();
        assertThat(objects(PackName.PAYLOAD_PACKS)).containsExactlyEntriesOf(before);
        log(ann);
        start();
        process.packer.round();
        assertThat(objects(PackName.PAYLOAD_PACKS)).containsExactlyEntriesOf(before);
    }

    @Test
    void rewritesNothingOfAKeyThatIsOnlyMarked() throws Exception {
        // given
        Map<String, byte[]> before = objects(PackName.PAYLOAD_PACKS);
        keyStore.putIfAbsent("pending/" + ann.id(), utf8(ann.id()));
        log(ann);
        publish();

        // when
        start();
        process.packer.round();

        // then
        assertThat(objects(PackName.PAYLOAD_PACKS)).containsExactlyEntriesOf(before);
    }

    @Test
    void segmentsWhosePayloadsWereErasedInThePackAreRemoved() throws Exception {
        // given
        erase(ann);
        EpochIntent first = scene.published().get(0).intent();
        assertThat(scene.store.list("segments/")).contains(first.segment());

        // when
        grow("third", 300);
        publish();
        packAndLog("fourth");
        start();
        process.packer.round();

        // then
        assertThat(process.packer.problem()).isEmpty();
        assertThat(scene.store.list("segments/")).doesNotContain(first.segment());
        assertThat(scene.store.list("payloads/")).doesNotContain(first.payloads());
        assertThat(check().findings()).isEmpty();
    }

    /** A pack that says that something was erased must not take the only copy of it along. */
    @Test
    void whatNobodyErasedIsNotRemovedBecauseAPackSaysSo() throws Exception {
        // given
        plantErased(bob);
        String payloads = scene.published().get(0).intent().payloads();

        // when
        grow("third", 300);
        publish();
        packAndLog("fourth");
        start();
        process.packer.round();

        // then
        assertThat(process.packer.problem()).contains("another payload");
        assertThat(scene.store.list("payloads/")).contains(payloads);
    }

    @Test
    void anErasureThatIsNotLoggedIsFound() throws Exception {
        // given
        plantErased(bob);

        // then
        assertThat(check().findings()).isNotEmpty().allSatisfy(finding -> {
            assertThat(finding.object()).startsWith(PackName.PAYLOAD_PACKS);
            assertThat(finding.actual()).contains("erased, and no leaf says so");
        });
    }

    /** The only thing a tenant can have the ledger say is about its own keys. */
    @Test
    void anErasureThatAnotherTenantsLeafTellsIsFound() throws Exception {
        // given
        plantErased(bob);
        int shard = Routing.shard("other", "urn:attestream:erasure", null, 2);
        scene.shards.get(shard).append(TestLedger.erasureValue("other", bob.id()));
        scene.shards.get(shard).seal();
        publish();

        // then
        assertThat(check().findings()).extracting(ArchiveCheck.Finding::actual).contains("erased, and no leaf says so");
    }

    /** What an event without a subject has was never encrypted, so no erasure of anybody took it. */
    @Test
    void whatIsAboutNobodyIsNotErasedWhoeverWasErased() throws Exception {
        // given
        erase(ann);

        // when
        plantErased(Payload.Plain.class::isInstance, ann);

        // then
        assertThat(check().findings())
                .isNotEmpty()
                .extracting(ArchiveCheck.Finding::expected)
                .anyMatch(expected -> expected.contains("the event has no subject"));
    }

    @Test
    void aPayloadThatItsEpochStoredInTheClearIsNotErased() throws Exception {
        // given what was accepted before payloads were encrypted
        TestShard shard = scene.shards.get(0);
        for (int i = 0; i < 300; i++) {
            shard.append(TestLedger.eventValue(
                    scene.ledger.sourceOf(0), "early-" + i, "payload " + i, Map.of("subject", "ann")));
        }
        shard.seal();
        publish();
        packAndLog("after");
        erase(ann);

        // when
        plantErased(Payload.Plain.class::isInstance, ann);

        // then
        assertThat(check().findings())
                .extracting(ArchiveCheck.Finding::expected)
                .anyMatch(expected -> expected.contains("as its epoch stored it"));
    }

    /** A restore to an earlier epoch reads packs that were rewritten since; the leaf that says why is behind that epoch. */
    @Test
    void aRestoreOfStateFindsAnErasureThatNoLeafTells() throws Exception {
        // given
        long epoch = scene.published().size() - 1L;
        plantErased(bob);

        // when
        ArchiveRestoreStates.Result result = new ArchiveRestoreStates(
                        scene.ledger.ledger.key(),
                        scene.store,
                        ArchiveRestoreStates.NOTHING,
                        ArchiveCheck.Listener.NONE)
                .run(epoch, Optional.empty());

        // then
        assertThat(result).isInstanceOf(ArchiveRestoreStates.Result.Refused.class);
        assertThat(((ArchiveRestoreStates.Result.Refused) result).findings())
                .extracting(ArchiveCheck.Finding::actual)
                .contains("erased, and no leaf says so");
    }

    /** A quiet shard keeps its last leaves out of packs for as long as nobody writes to it. */
    @Test
    void aKeyThatWaitsForAPackKeepsNoOtherWaiting() throws Exception {
        // given
        destroy(ann);
        log(ann);
        destroy(bob);
        log(bob);
        publish();

        // when one key is looked for at a time
        PayloadSweep sweep = sweep(1);
        for (int round = 0; round < 4; round++) {
            assertThat(sweep.round()).isTrue();
        }

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
        assertThat(packed(encryptedUnder(bob))).isZero();
        assertThat(erased.pending()).containsExactlyInAnyOrder(ann.id(), bob.id());
    }

    @Test
    void aPackThatCannotBeReadKeepsNoOtherFromBeingSwept() throws Exception {
        // given
        String first = scene.store.list(PackName.PAYLOAD_PACKS).get(0);
        byte[] good = scene.store.get(first).orElseThrow();
        scene.store.replace(first, utf8("rotted"));
        destroy(ann);
        log(ann);
        publish();
        PayloadSweep sweep = sweep(10);

        // when
        assertThatThrownBy(sweep::round).isInstanceOf(IOException.class);
        scene.store.replace(first, good);

        // then
        long left = packed(encryptedUnder(ann));
        assertThat(left).isPositive().isLessThan(packed(encryptedUnder(bob)));

        // when it is mended
        sweep.round();

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
    }

    private static final class TestClock extends Clock {
        private long millis;

        void advance(long byMillis) {
            millis += byMillis;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(millis);
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            throw new UnsupportedOperationException();
        }
    }

    private PayloadSweep sweep(int keysMax) {
        return sweep(keysMax, 0);
    }

    private PayloadSweep sweep(int keysMax, long graceMillis) {
        return sweep(scene.store, keysMax, graceMillis);
    }

    private PayloadSweep sweep(ObjectStore store, int keysMax, long graceMillis) {
        Unpacked unpacked = new Unpacked(scene.ledger.ledger, graceMillis);
        publishedTo(unpacked, 0);
        return new PayloadSweep(erased, store, unpacked, 2, clock, keysMax);
    }

    /** @return how many epochs it knows now */
    private int publishedTo(Unpacked unpacked, int known) {
        List<LogRecord.Published> published = scene.published();
        for (LogRecord.Published next : published.subList(known, published.size())) {
            unpacked.published(next.intent(), List.of(0L, 0L), 0, 0);
        }
        return published.size();
    }

    /** One shard is quiet, so that a key waits for what is in no pack of it; another one has packs between any two rounds. */
    @Test
    void packsThatKeepComingKeepNoKeyFromBeingBegun() throws Exception {
        // given
        scene.erased = Optional.empty();
        start();
        destroy(ann);
        log(ann);
        destroy(bob);
        log(bob);
        publish();
        Unpacked unpacked = new Unpacked(scene.ledger.ledger, 0);
        int known = publishedTo(unpacked, 0);

        // when one key is looked for at a time
        PayloadSweep sweep = new PayloadSweep(erased, scene.store, unpacked, 2, clock, 1);
        for (int round = 0; round < 6; round++) {
            sweep.round();
            grow(scene.shards.get(0), "busy-" + round, 300);
            publish();
            process.packer.round();
            grow(scene.shards.get(0), "logs-" + round, 3);
            publish();
            known = publishedTo(unpacked, known);
        }

        // then what was packed before is swept of both
        assertThat(packed(1, encryptedUnder(ann))).isZero();
        assertThat(packed(1, encryptedUnder(bob))).isZero();
        assertThat(erased.pending()).containsExactlyInAnyOrder(ann.id(), bob.id());
    }

    @Test
    void whoTakesOverInTheMiddleOfASweepEndsIt() throws Exception {
        // given more packs than one round looks at
        for (String tag : List.of("third", "fourth", "fifth")) {
            grow(tag, 300);
            publish();
            packAndLog(tag + "-logged");
        }
        long ofAnn = packed(encryptedUnder(ann));

        // when
        erase(ann);
        assertThat(packed(encryptedUnder(ann))).isPositive().isLessThan(ofAnn);
        start();
        for (int round = 0; round < 4; round++) {
            process.packer.round();
        }

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
        assertThat(packed(Payload.Erased.class::isInstance)).isEqualTo(ofAnn);
        assertThat(check().findings()).isEmpty();
    }

    /** Two who sweep: one is paused in a pack, its successor takes more out of it, and the first one goes on. */
    @Test
    void whoStoodStillPutsNothingBack() throws Exception {
        // given
        Map<String, byte[]> before = objects(PackName.PAYLOAD_PACKS);
        for (SubjectKey key : List.of(ann, bob)) {
            destroy(key);
            log(key);
        }
        publish();
        sweep(10).round();
        Map<String, byte[]> swept = objects(PackName.PAYLOAD_PACKS);
        for (Map.Entry<String, byte[]> each : before.entrySet()) {
            scene.store.replace(each.getKey(), each.getValue());
        }
        erased.done(bob.id());

        // when
        Map<String, Integer> seen = new HashMap<>();
        ObjectStore pausing = (ObjectStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ObjectStore.class}, (proxy, method, arguments) -> {
                    Object result;
                    try {
                        result = method.invoke(scene.store, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    boolean part = method.getName().equals("get") && arguments.length == 3;
                    // behind its header, which is read in two parts, and its first block
                    if (part && seen.merge((String) arguments[0], 1, Integer::sum) == 3) {
                        String name = (String) arguments[0];
                        scene.store.replace(name, swept.get(name));
                    }
                    return result;
                });
        PayloadSweep late = sweep(pausing, 10, 0);

        // then
        assertThatThrownBy(late::round).isInstanceOf(IOException.class);
        assertThat(seen).hasSameSizeAs(swept);
        assertThat(objects(PackName.PAYLOAD_PACKS)).containsExactlyEntriesOf(swept);
    }

    /** A copy of the archive elsewhere may have the pack before it has the epoch with the leaf, without which it is damaged. */
    @Test
    void rewritesNothingBeforeCopiesOfTheArchiveHaveTheLeafToo() throws Exception {
        // given
        Map<String, byte[]> before = objects(PackName.PAYLOAD_PACKS);
        destroy(ann);
        log(ann);
        publish();
        PayloadSweep sweep = sweep(10, 60_000);

        // when
        sweep.round();
        clock.advance(59_999);
        sweep.round();

        // then
        assertThat(objects(PackName.PAYLOAD_PACKS)).containsExactlyEntriesOf(before);
        clock.advance(1);
        sweep.round();
        assertThat(packed(encryptedUnder(ann))).isZero();
    }

    @Test
    void aDamagedReceiptKeepsNoOtherKeyFromBeingSwept() throws Exception {
        // given
        for (SubjectKey key : List.of(ann, bob)) {
            destroy(key);
            log(key);
        }
        publish();
        String first = erased.pending().get(0);
        keyStore.replace("receipts/" + first.substring(0, 2) + "/" + first, utf8("rotted"));
        PayloadSweep sweep = sweep(1);

        // when
        for (int round = 0; round < 4; round++) {
            assertThatThrownBy(sweep::round).hasMessageContaining("no receipt");
        }

        // then
        assertThat(packed(encryptedUnder(first.equals(ann.id()) ? bob : ann))).isZero();
        assertThat(packed(encryptedUnder(first.equals(ann.id()) ? ann : bob))).isPositive();
    }

    /** A shard whose processor lags publishes after the sweep what was accepted before the erasure. */
    @Test
    void whatIsPublishedLateIsSweptWhenItIsPacked() throws Exception {
        // given
        erase(ann);
        grow("third", 300);
        publish();
        packAndLog("fourth");
        process.packer.round();
        assertThat(erased.pending()).isEmpty();

        // when
        grow("late", 300);
        publish();
        packAndLog("fifth");
        assertThat(erased.pending()).containsExactly(ann.id());
        start();
        process.packer.round(); // which looks at some packs only
        process.packer.round();

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
        assertThat(check().findings()).isEmpty();
    }

    /** Segments would be kept, and the archive grow, for as long as the keys are away. */
    @Test
    void packsAreMadeAlsoWhileTheKeysDoNotAnswer() throws Exception {
        // given
        erase(ann);
        grow("third", 300);
        publish();
        packAndLog("fourth");
        process.packer.round();
        assertThat(erased.pending()).isEmpty();
        grow("late", 300);
        publish();
        int packs = scene.store.list(PackName.PACKS).size();

        // when
        Path keys = directory.resolve("keys/receipts");
        Path away = Files.move(keys, directory.resolve("away"));
        Files.createFile(keys); // listing and reading fail
        packAndLog("fifth");

        // then
        assertThat(scene.store.list(PackName.PACKS)).hasSizeGreaterThan(packs);
        assertThat(process.packer.problem()).isNotEmpty();

        // when they are there again
        Files.delete(keys);
        Files.move(away, keys);
        for (int round = 0; round < 3; round++) {
            process.packer.round();
        }

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
    }

    /** The offsets of another life of the topic say nothing about what a lost one had. */
    @Test
    void whatWasLostWithKafkaIsNotPublished() throws Exception {
        // given an erasure that was acknowledged and not published
        Map<String, byte[]> before = objects(PackName.PAYLOAD_PACKS);
        destroy(ann);
        keyStore.putIfAbsent("receipts/" + ann.id().substring(0, 2) + "/" + ann.id(), utf8("1/0/1000000"));

        // when
        scene.loseKafka(2);
        start();
        publish();
        process.packer.round();

        // then
        assertThat(objects(PackName.PAYLOAD_PACKS)).containsExactlyEntriesOf(before);
    }

    private void plantErased(SubjectKey key) throws Exception {
        plantErased(encryptedUnder(key), key);
    }

    /** Has packs say that some payloads were erased under a key. */
    private void plantErased(Predicate<Payload> which, SubjectKey key) throws Exception {
        for (String object : scene.store.list(PackName.PACKS)) {
            PackName name = PackName.parse(object);
            PayloadPack pack =
                    PayloadPack.open(scene.store, name, new ZstdBlocks()).orElseThrow();
            PayloadPack.Builder builder = PayloadPack.builder(new ZstdBlocks());
            for (long index = name.first(); index < name.end(); index++) {
                Payload payload = pack.block(index).payload(index);
                builder.add(which.test(payload) ? new Payload.Erased(Payload.contentTag(payload), key.id()) : payload);
            }
            scene.store.replace(name.payloads(), builder.build(name));
        }
    }

    /** A check of a large archive takes days. */
    @Test
    void anErasureThatIsPublishedWhileACheckRunsIsNoDamage() throws Exception {
        // given a check that knows of no epoch behind those now
        List<LogRecord> before = List.copyOf(scene.log.committed);
        erase(ann);
        AtomicInteger asked = new AtomicInteger();
        ArchiveCheck check = new ArchiveCheck(
                scene.store,
                scene.ledger.ledger,
                "topic checkpoints",
                reader -> (asked.getAndIncrement() < 2 ? before : List.copyOf(scene.log.committed)).forEach(reader),
                new ArchiveCheck.Pace(Long.MAX_VALUE),
                ArchiveCheck.Listener.NONE);

        // when
        ArchiveCheck.Report report = ((ArchiveCheck.Result.Checked) check.run()).report();

        // then
        assertThat(report.findings()).isEmpty();
        assertThat(report.erased()).isPositive();
        assertThat(report.erasures()).isEqualTo(1);
    }

    @Test
    void aPackThatIsRewrittenWhileACheckReadsItIsNoDamage() throws Exception {
        // given packs of which a check has read the header, and not yet the payloads
        Map<String, byte[]> old = objects(PackName.PAYLOAD_PACKS);
        erase(ann);
        Map<String, byte[]> rewritten = objects(PackName.PAYLOAD_PACKS);
        List<String> seen = new ArrayList<>();
        ObjectStore changing = (ObjectStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ObjectStore.class}, (proxy, method, arguments) -> {
                    boolean part = method.getName().equals("get") && arguments.length == 3;
                    if (part && old.containsKey((String) arguments[0])) {
                        String name = (String) arguments[0];
                        boolean header = seen.stream().filter(name::equals).count() < 2;
                        seen.add(name);
                        scene.store.replace(name, header ? old.get(name) : rewritten.get(name));
                    }
                    try {
                        return method.invoke(scene.store, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });

        // when
        ArchiveCheck.Report report = ((ArchiveCheck.Result.Checked)
                        check(changing, scene.log.committed).run())
                .report();

        // then
        assertThat(report.findings()).isEmpty();
        assertThat(seen).isNotEmpty();
    }

    @Test
    void aRestoreOfObjectsDoesNotBringBackWhatWasErased() throws Exception {
        // given
        erase(ann);
        Map<String, byte[]> swept = objects(PackName.PAYLOAD_PACKS);

        // then
        assertThat(restored().replaced()).isEmpty();
        assertThat(objects(PackName.PAYLOAD_PACKS)).containsExactlyEntriesOf(swept);

        // when they are lost
        for (String name : swept.keySet()) {
            scene.store.delete(name);
        }
        assertThat(restored().written()).isEqualTo(swept.size());

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
        assertThat(packed(encryptedUnder(bob))).isPositive();
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void aRestoreOfObjectsMakesAgainWhatAPackOnlySaysWasErased() throws Exception {
        // given
        plantErased(bob);

        // then
        assertThat(restored().replaced()).hasSameSizeAs(scene.store.list(PackName.PAYLOAD_PACKS));
        assertThat(packed(Payload.Erased.class::isInstance)).isZero();
        assertThat(check().findings()).isEmpty();
    }

    /** Kafka has it for ever: what made packs of it again would be the way back. */
    @Test
    void aRestoreOfObjectsDoesNotBringBackWhatIsErasedWhileItRuns() throws Exception {
        // given
        long ofAnn = packed(encryptedUnder(ann));

        // when it was swept before the restore comes to its pack
        AtomicInteger asked = new AtomicInteger();
        ArchiveRestore.Report report = restored(reader -> {
            if (asked.getAndIncrement() == 3) {
                eraseUnchecked(ann);
            }
            List.copyOf(scene.log.committed).forEach(reader);
        });

        // then
        assertThat(report.replaced()).isEmpty();
        assertThat(packed(encryptedUnder(ann))).isZero();
        assertThat(packed(Payload.Erased.class::isInstance)).isEqualTo(ofAnn);
        assertThat(check().findings()).isEmpty();
    }

    private void eraseUnchecked(SubjectKey key) {
        try {
            erase(key);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private ArchiveRestore.Report restored() {
        return restored(reader -> List.copyOf(scene.log.committed).forEach(reader));
    }

    private ArchiveRestore.Report restored(Consumer<Consumer<LogRecord>> checkpoints) {
        ArchiveRestore.Result result = new ArchiveRestore(
                        scene.store,
                        scene.ledger.ledger,
                        checkpoints,
                        scene::decisionSource,
                        ArchiveRestore.Listener.NONE)
                .run();
        assertThat(result).isInstanceOf(ArchiveRestore.Result.Restored.class);
        return ((ArchiveRestore.Result.Restored) result).report();
    }

    /** What decides about repeats has to be the same out of an archive in which payloads were erased. */
    @Test
    void stateOutOfTheArchiveIsTheSame() throws Exception {
        // given
        long epoch = scene.published().size() - 1L;
        List<ShardSnapshot> before = scene.readArchive(epoch).shards();

        // when
        erase(ann);

        // then
        List<ShardSnapshot> after = scene.readArchive(epoch).shards();
        assertThat(after).hasSameSizeAs(before);
        for (int shard = 0; shard < before.size(); shard++) {
            assertThat(after.get(shard).encode()).isEqualTo(before.get(shard).encode());
        }
    }

    /** What a shard weighs is taken from its last leaf, of which an erased row says no size. */
    @Test
    void stateIsTheSameAlsoWhereTheLastLeafWasErased() throws Exception {
        // given an epoch that ends with an event about ann in each shard, and is in packs only
        grow("third", 301);
        publish();
        int epoch = scene.published().size() - 1;
        List<ShardSnapshot> before = scene.readArchive(epoch).shards();
        packAndLog("fourth");
        grow("fifth", 300);
        publish();
        packAndLog("sixth");

        // when
        erase(ann);
        for (int round = 0; round < 4; round++) {
            process.packer.round();
        }

        // then
        assertThat(packed(encryptedUnder(ann))).isZero();
        assertThat(scene.store.list("payloads/"))
                .doesNotContain(scene.published().get(epoch).intent().payloads());
        List<ShardSnapshot> after = scene.readArchive(epoch).shards();
        for (int shard = 0; shard < before.size(); shard++) {
            assertThat(after.get(shard).encode()).isEqualTo(before.get(shard).encode());
        }
    }
}
