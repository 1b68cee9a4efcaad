// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.attestream.chaos.history.History;
import io.attestream.chaos.history.Identity;
import io.attestream.chaos.history.Leaf;
import io.attestream.chaos.history.Operation;
import io.attestream.chaos.history.Receipt;
import io.attestream.chaos.history.Result;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.ledger.Continuation;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.ledger.PublishedKeys;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Exit codes and messages of commands that need no cluster. */
class CommandsTest {
    private static final String EVENT =
            "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"n\":1}}";

    @TempDir
    private Path directory;

    private final NoteSigner key = NoteSigner.generate("ledger.example/test", new SecureRandom());
    private final StringWriter err = new StringWriter();
    private Path bundle;
    private Path event;

    @BeforeEach
    void writeBundleAndEvent() throws Exception {
        bundle = Files.write(directory.resolve("bundle.attest.json"), bundle().encode());
        event = Files.writeString(directory.resolve("event.json"), EVENT);
    }

    /** A ledger of one shard, one leaf and one epoch. */
    private ProofBundle bundle() {
        byte[] salt = new byte[16];
        byte[] payload = "{\"n\":1}".getBytes(StandardCharsets.UTF_8);
        Map<String, String> attributes = Map.of("specversion", "1.0", "id", "1", "source", "/s", "type", "t");
        byte[] entry = CanonicalEntry.event(
                attributes, "demo", "me", 1_767_603_600_000L, DataDigest.compute(salt, payload), payload.length);
        CompactRange shard = CompactRange.empty();
        shard.append(Rfc6962.leafHash(entry));
        ShardHead head = new ShardHead(0, shard.size(), shard.root(), 1);
        byte[] epochLeaf = new EpochLeaf(
                        0, "2026-01-05T09:00:00.000Z", Map.of(), List.of(), ShardHead.vectorRoot(List.of(head)))
                .encode();
        CompactRange ledger = CompactRange.empty();
        ledger.append(Rfc6962.leafHash(epochLeaf));
        String text = new Checkpoint(key.keyName(), ledger.size(), ledger.root()).text();
        String note = SignedNote.sign(text, key).encode();
        return new ProofBundle(
                entry,
                new LeafIndex(0),
                List.of(),
                head.encode(),
                1,
                List.of(),
                epochLeaf,
                List.of(),
                note,
                payload,
                salt);
    }

    private int run(String... arguments) {
        CommandLine commandLine = Main.commandLine();
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments);
    }

    private String vkey() {
        return key.verifier().vkey();
    }

    @Test
    void verifiesABundleOffline() {
        assertThat(run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey()))
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void answersThreeWhenAByteOfTheEventIsFlipped() throws Exception {
        Files.writeString(event, EVENT.replace("{\"n\":1}", "{\"n\":2}"));

        assertThat(run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey()))
                .isEqualTo(ExitCode.VERIFICATION_FAILED);
    }

    @Test
    void verifiesARawPayloadWithItsAttributes() throws Exception {
        Path payload = Files.writeString(directory.resolve("body.bin"), "{\"n\":1}");
        String[] command = {
            "verify",
            bundle.toString(),
            "--event",
            payload.toString(),
            "--ledger-key",
            vkey(),
            "--attribute",
            "specversion=1.0",
            "--attribute",
            "id=1",
            "--attribute",
            "source=/s",
            "--attribute",
            "type=t"
        };
        assertThat(run(command)).isEqualTo(ExitCode.OK);

        Files.writeString(payload, "{\"n\":1} ");
        assertThat(run(command)).isEqualTo(ExitCode.VERIFICATION_FAILED);
    }

    @Test
    void findsTheEventOfTheBundleAmongMany() throws Exception {
        String other = EVENT.replace("\"id\":\"1\"", "\"id\":\"2\"");
        Files.writeString(event, other + "\n" + EVENT + "\n");
        assertThat(run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey()))
                .isEqualTo(ExitCode.OK);

        Files.writeString(event, other + "\n" + other.replace("\"2\"", "\"3\"") + "\n");
        assertThat(run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey()))
                .isEqualTo(ExitCode.VERIFICATION_FAILED);
    }

    @Test
    void answersThreeForABundleOfAnotherNumberOfShards() {
        String[] command = {
            "verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey(), "--shards", "2"
        };
        assertThat(run(command)).isEqualTo(ExitCode.VERIFICATION_FAILED);
        command[command.length - 1] = "1";
        assertThat(run(command)).isEqualTo(ExitCode.OK);
    }

    @Test
    void namesAFileThatIsNotThere() {
        assertThat(run("verify", "/nowhere.json", "--event", event.toString(), "--ledger-key", vkey()))
                .isEqualTo(ExitCode.ERROR);
        assertThat(err.toString()).contains("/nowhere.json").contains("no such file");
    }

    @Test
    void aRebuildLooksAtAKeptCheckpointBeforeItAsksKafka() throws Exception {
        // given: one that is not there, one that is not signed by the ledger
        String[] command = {"rebuild", "--bootstrap-servers", "127.0.0.1:1", "--ledger-key", vkey(), "--checkpoint", ""
        };
        command[6] = "/nowhere.checkpoint";
        assertThat(run(command)).isEqualTo(ExitCode.ERROR);
        NoteSigner other = NoteSigner.generate(key.keyName(), new SecureRandom());
        String text = new Checkpoint(key.keyName(), TreeSize.ZERO, Rfc6962.EMPTY_ROOT).text();
        command[6] = Files.writeString(
                        directory.resolve("kept.checkpoint"),
                        SignedNote.sign(text, other).encode())
                .toString();

        // then: whether that is a later key of the ledger the object store would tell
        assertThat(run(command)).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(err.toString())
                .contains("/nowhere.checkpoint")
                .contains("kept.checkpoint: ")
                .contains("--objects");

        // and
        Files.writeString(
                Path.of(command[6]), SignedNote.sign(text, key).encode().replace("\n0\n", "\n1\n"));
        assertThat(run(command)).isEqualTo(ExitCode.VERIFICATION_FAILED);
    }

    @Test
    void fsckKeepsWhatItFoundWhenAnotherPartCannotBeLookedAt() throws Exception {
        // given a first epoch that is none, and a directory without any state
        Path objects = directory.resolve("objects");
        Path epoch = objects.resolve(ObjectNames.epoch(0));
        Files.createDirectories(objects.resolve(ObjectNames.EPOCHS));
        Files.writeString(epoch, "no epoch");
        Path state = Files.createDirectories(directory.resolve("state"));
        String[] command = {
            "fsck",
            "--alone",
            "--objects",
            objects.toString(),
            "--ledger-key",
            vkey(),
            "--state",
            state.toString(),
            "-o",
            "json"
        };

        // when
        String out = outputOf(command);

        // then
        assertThat(run(command)).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(out)
                .startsWith("{\"status\":\"damaged\"")
                .contains("object " + ObjectNames.epoch(0) + " is no epoch object")
                .contains("\"state\":{\"status\":\"undecided\"")
                .contains(state + " has no state store")
                .hasLineCount(1);
    }

    @Test
    void answersTwoForAnAddressThatIsNone() {
        assertThat(run("checkpoint", "--url", "ledger", "--ledger-key", vkey())).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void answersThreeForAnotherKey() {
        String other = NoteSigner.generate(key.keyName(), new SecureRandom())
                .verifier()
                .vkey();

        assertThat(run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", other))
                .isEqualTo(ExitCode.VERIFICATION_FAILED);
    }

    @Test
    void answersThreeForAFileThatIsNoBundle() throws Exception {
        Files.writeString(bundle, "{}");

        assertThat(run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey()))
                .isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(err.toString()).contains("is missing");
    }

    @Test
    void answersThreeForAnEventThatLostItsForm() throws Exception {
        Files.writeString(event, EVENT.replace("\"n\":1", "\"n\"1"));

        assertThat(run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey()))
                .isEqualTo(ExitCode.VERIFICATION_FAILED);
    }

    @Test
    void tellsProgramsThatAFileThatIsNoBundleDoesNotVerify() throws Exception {
        Files.writeString(bundle, "{}");

        String out = outputOf(
                "verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey(), "-o", "json");

        assertThat(out).startsWith("{\"verified\":false,").hasLineCount(1);
    }

    private String outputOf(String... arguments) {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            run(arguments);
        } finally {
            System.setOut(before);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "up --shards 0",
                "up --shards 65",
                "up --processors 0",
                "up --gateways -1",
                "up --dedup-window 3",
                "demo --shards 0",
                "monitor --interval 0",
                "receipt 1/0/0 --wait -1",
                "init --bootstrap-servers localhost:1 --key-file k --shards 0",
                "init --bootstrap-servers localhost:1 --key-file k --dedup-window 257"
            })
    void answersTwoForANumberOutsideItsLimitsBeforeAnythingIsDone(String command) {
        assertThat(run(command.split(" ", -1))).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).containsPattern("--[a-z-]+:? .*must be .*, is -?[0-9]+");
    }

    @Test
    void doesNotRepeatATokenThatIsNone() throws Exception {
        Path token = Files.writeString(directory.resolve("token"), "secret\nsecond");

        int code = run(
                "checkpoint", "--url", "http://127.0.0.1:1", "--ledger-key", vkey(), "--token-file", token.toString());

        assertThat(code).isEqualTo(ExitCode.AUTH);
        assertThat(err.toString()).contains(token.toString()).doesNotContain("secret");
    }

    @Test
    void makesTheRulesOfTheObjectivesThatAreThere() throws Exception {
        Path rules = directory.resolve("slo.yaml");
        Path objectives = Script.HOME.resolve("runbooks/slo");
        assertThat(run("slo", objectives.toString(), "--rules", rules.toString()))
                .as(err.toString())
                .isEqualTo(ExitCode.OK);
        assertThat(rules).hasSameTextualContentAs(Script.HOME.resolve("deploy/prometheus/rules/slo.yaml"));
    }

    @Test
    void anObjectiveThatIsNoneIsNamedAndNothingIsWritten() throws Exception {
        // given an indicator nobody knows
        String good = Files.readString(Script.HOME.resolve("runbooks/slo/canary.yaml"));
        Path objectives = Files.createDirectories(directory.resolve("slo"));
        Files.writeString(objectives.resolve("canary.yaml"), good.replace("ratioMetric:", "happinessMetric:"));
        Path rules = directory.resolve("rules.yaml");

        // then
        assertThat(run("slo", objectives.toString(), "--rules", rules.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("canary.yaml: spec.indicator.spec must have a ratioMetric");
        assertThat(rules).doesNotExist();
        assertThat(run("slo", directory.resolve("none").toString())).isEqualTo(ExitCode.USAGE);

        // and given a metric that nothing exports
        Files.writeString(
                objectives.resolve("canary.yaml"), good.replace("attestream_canary_", "attestream_canaries_"));
        assertThat(run("slo", objectives.toString(), "--rules", rules.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("names what no service exports: attestream_canaries_");
        assertThat(rules).doesNotExist();
    }

    private static final Identity SENT = new Identity("demo", "/s", "lost-1");

    /** A shard with a genesis, and an acknowledged event that is not in it if it is lost. */
    private Path history(boolean isLost) {
        Path file = directory.resolve("history.jsonl");
        try (History history = History.create(file)) {
            Leaf genesis = Leaf.control(0, 0, Rfc6962.leafHash(new byte[0]));
            Receipt receipt = new Receipt(1, 0, 7);
            Leaf leaf = Leaf.event(0, 1, SENT, "d", Rfc6962.leafHash(new byte[1]), receipt);
            history.invoke("client", new Operation.Append(SENT, "d")).ok(new Result.Appended(receipt));
            CompactRange range = CompactRange.empty();
            History.Call<Result.Heads> all = history.invoke("client", new Operation.ReadAll());
            for (Leaf one : isLost ? List.of(genesis) : List.of(genesis, leaf)) {
                range.append(one.hash());
                all.leaf(one);
            }
            all.ok(new Result.Heads(
                    1,
                    Optional.empty(),
                    OptionalLong.empty(),
                    List.of(new Result.ShardHead(0, range.size().value(), range.root())),
                    ""));
        }
        return file;
    }

    @Test
    void aHistoryIsJudged() {
        // given
        String good = history(false).toString();

        // when, then
        assertThat(run("history", "check", good)).isEqualTo(ExitCode.OK);
        assertThat(outputOf("history", "check", good))
                .isEqualTo("valid  2 operations: 2 ok, 0 fail, 0 info; 1 events acknowledged; 2 leaves"
                        + System.lineSeparator());
    }

    @Test
    void aHistoryThatLostAnEventIsInvalidAndNamesIt() throws Exception {
        // given
        String lost = history(true).toString();
        Files.writeString(Path.of(lost), "half a li", StandardOpenOption.APPEND);

        // when, then
        assertThat(run("history", "check", lost)).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(outputOf("history", "check", lost).lines())
                .contains(
                        "INVALID  2 operations: 2 ok, 0 fail, 0 info; 1 events acknowledged; 1 leaves",
                        "torn  the last line is incomplete and was left out",
                        "anomaly  found  what",
                        "lost         1  an acknowledged event has no leaf",
                        "lost:",
                        "  demo /s lost-1: acknowledged 1 times, first on line 3, and has 0 leaves");

        // and for programs
        assertThat(outputOf("history", "check", lost, "-o", "json"))
                .startsWith("{\"valid\":false,\"anomalies\":{\"lost\":{\"count\":1,\"examples\":[\"demo /s lost-1: ")
                .contains("\"torn\":true");
    }

    @Test
    void aHistoryThatWentOnIsToleratedOnlyIfToldTo() {
        // given: an event that was acknowledged when the leaves had been read
        Path file = directory.resolve("late.jsonl");
        try (History history = History.create(file)) {
            history.invoke("client", new Operation.ReadAll())
                    .ok(new Result.Heads(1, Optional.empty(), OptionalLong.empty(), List.of(), ""));
            history.invoke("client", new Operation.Append(SENT, "d")).ok(new Result.Appended(new Receipt(1, 0, 7)));
        }

        // when, then
        assertThat(outputOf("history", "check", file.toString()).lines())
                .contains("unjudged      1  an event was acknowledged too late to be looked for");
        assertThat(run("history", "check", file.toString())).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(run("history", "check", "--tolerate", "loss", file.toString()))
                .isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(run("history", "check", "--tolerate", "late,loss", file.toString()))
                .isEqualTo(ExitCode.OK);
        assertThat(run("history", "check", "--tolerate", "all", file.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("Give some of late, loss, clock, comma-separated.");
    }

    @Test
    void answersTwoForAFileThatIsNoHistory() {
        assertThat(run("history", "check", event.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("event.json is no history: line 1: ");
        assertThat(run("history", "check", directory.resolve("none").toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("cannot be read");
    }

    @ParameterizedTest
    @ValueSource(strings = {"up --from-archive", "up --checkpoint kept.checkpoint"})
    void answersTwoForAnOptionThatIsForAnother(String command) {
        assertThat(run(command.split(" ", -1))).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains(" is for --");
    }

    private Path keyFile(String name, NoteSigner signer) throws IOException {
        return Files.writeString(directory.resolve(name), signer.skey() + "\n");
    }

    private int announce(Path newest, Path next) {
        return run(
                "keys",
                "announce",
                "--changes",
                directory.resolve("changes.json").toString(),
                "--key-file",
                newest.toString(),
                "--new-key-file",
                next.toString());
    }

    private int retire(Path newest, NoteSigner old) {
        return run(
                "keys",
                "retire",
                "--changes",
                directory.resolve("changes.json").toString(),
                "--key-file",
                newest.toString(),
                "--retire",
                old.verifier().vkey());
    }

    @Test
    void writesKeyChangesBehindEachOther() throws Exception {
        // given
        NoteSigner next = NoteSigner.generate(key.keyName(), new SecureRandom());
        Path first = keyFile("first.skey", key);
        Path second = keyFile("second.skey", next);

        // when
        assertThat(announce(first, second)).isEqualTo(ExitCode.OK);
        assertThat(retire(second, key)).isEqualTo(ExitCode.OK);

        // then
        KeyChanges changes = KeyChanges.parse(Files.readAllBytes(directory.resolve("changes.json")));
        KeyHistory none = KeyHistory.of(key.verifier());
        KeyHistory history = KeyChanges.after(none, changes.pending(none));
        assertThat(history.active()).containsExactly(next.verifier());
        assertThat(Files.readString(directory.resolve("changes.json")))
                .doesNotContain(next.skey().substring(next.skey().lastIndexOf('+') + 1));
    }

    @Test
    void writesNoKeyChangeThatNobodyWouldFollow() throws Exception {
        // given
        NoteSigner next = NoteSigner.generate(key.keyName(), new SecureRandom());
        NoteSigner foreign = NoteSigner.generate("other.example", new SecureRandom());
        Path first = keyFile("first.skey", key);
        Path second = keyFile("second.skey", next);
        assertThat(announce(first, second)).isEqualTo(ExitCode.OK);
        byte[] before = Files.readAllBytes(directory.resolve("changes.json"));

        // then
        assertThat(announce(first, keyFile("third.skey", foreign))).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("named " + key.keyName());
        assertThat(announce(first, second)).isEqualTo(ExitCode.USAGE);
        assertThat(retire(first, next)).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("is not signed by the newest key");
        assertThat(retire(second, next)).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("announce another one before");
        assertThat(retire(second, foreign)).isEqualTo(ExitCode.USAGE);
        assertThat(directory.resolve("changes.json")).hasBinaryContent(before);

        Files.writeString(directory.resolve("changes.json"), "{}");
        assertThat(announce(first, second)).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("holds no key changes");
        assertThat(directory.resolve("changes.json")).hasContent("{}");
    }

    /** Its checkpoint is of the epoch that announces the next key, which the old one signs. */
    @Test
    void verifiesWithAHistoryOfKeysThatSomebodyKept() throws Exception {
        // given
        Path keys = Files.write(directory.resolve("keys.json"), new PublishedKeys(vkey(), List.of()).encode());
        String[] verify = {
            "verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey(), "--keys", keys.toString()
        };

        // then
        assertThat(run(verify)).isEqualTo(ExitCode.OK);

        // and with one of another ledger, or one that does not hold, nothing is verified
        NoteSigner other = NoteSigner.generate(key.keyName(), new SecureRandom());
        Files.write(keys, new PublishedKeys(other.verifier().vkey(), List.of()).encode());
        assertThat(run(verify)).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(err.toString()).contains("is of a ledger with first key");
        KeyChange unlogged = KeyHistory.of(key.verifier()).announce(key, other);
        ProofBundle parts = bundle();
        KeyStep step = new KeyStep(unlogged.encode(), parts.epochLeaf(), List.of(), parts.note());
        Files.write(keys, new PublishedKeys(vkey(), List.of(step)).encode());
        assertThat(run(verify)).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(err.toString()).contains("is not logged in epoch 0");
    }

    /** Who got hold of the old key can make such a bundle for ever. */
    @Test
    void aBundleUnderAKeyThatWasReplacedVerifiesWithACheckpointThatContinuesIt() throws Exception {
        // given: epoch 1 announces the next key, epoch 2 is signed by both
        NoteSigner next = NoteSigner.generate(key.keyName(), new SecureRandom());
        KeyChange change = KeyHistory.of(key.verifier()).announce(key, next);
        CompactRange log = CompactRange.empty();
        log.append(Rfc6962.leafHash(bundle().epochLeaf()));
        CompactRange before = log.copy();
        byte[] announced = emptyEpoch(1, List.of(change.logged()));
        log.append(Rfc6962.leafHash(announced));
        KeyStep step = KeyStep.of(change, announced, before, note(log, key));
        byte[] last = emptyEpoch(2, List.of());
        log.append(Rfc6962.leafHash(last));
        Continuation continuation =
                new Continuation(note(log, key, next), List.of(Rfc6962.leafHash(announced), Rfc6962.leafHash(last)));
        Path keys = Files.write(directory.resolve("keys.json"), new PublishedKeys(vkey(), List.of(step)).encode());
        Path newer = Files.write(directory.resolve("newer.json"), continuation.encode());
        String[] verify = {
            "verify", bundle.toString(), "--event", event.toString(), "--ledger-key", vkey(), "--keys", keys.toString()
        };
        String[] continued = Stream.concat(Stream.of(verify), Stream.of("--continued-by", newer.toString()))
                .toArray(String[]::new);

        // then
        assertThat(run(verify)).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(outputOf(verify))
                .contains("NOT VERIFIED: signed-by-a-current-key could not be made")
                .contains("attestream consistency <bundle> --save");
        assertThat(run(continued)).isEqualTo(ExitCode.OK);

        // and with what does not continue it, or cannot be read, nothing is verified
        Files.write(newer, new Continuation(continuation.note(), List.of()).encode());
        assertThat(run(continued)).isEqualTo(ExitCode.VERIFICATION_FAILED);
        Files.writeString(newer, "{}");
        assertThat(run(continued)).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(err.toString()).contains("newer.json is no continuation");
    }

    private static byte[] emptyEpoch(long epoch, List<EpochLeaf.Logged> logged) {
        return new EpochLeaf(epoch, "2026-01-05T09:00:00.000Z", Map.of(), logged, Rfc6962.EMPTY_ROOT).encode();
    }

    private String note(CompactRange log, NoteSigner... signers) {
        String text = new Checkpoint(key.keyName(), log.size(), log.root()).text();
        return new SignedNote(
                        text,
                        Stream.of(signers).map(signer -> signer.sign(text)).toList())
                .encode();
    }

    @Test
    void asksForNewTokensOnlyWhereAClusterRan() {
        assertThat(run("keys", "rotate-tokens", "--data-dir", directory.toString()))
                .isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(err.toString()).contains("there is no cluster in").contains("attestream up --data-dir");
    }

    @Test
    void saysWhyADataDirectoryCannotBeUsed() {
        assertThat(run("up", "--data-dir", event.toString())).isEqualTo(ExitCode.ERROR);
        assertThat(err.toString()).contains(event.toString()).contains("Not a directory");

        assertThat(run("up", "--data-dir", directory.resolve("a,b").toString())).isEqualTo(ExitCode.USAGE);
        assertThat(directory.resolve("a,b")).doesNotExist();
    }

    @Test
    void keepsTheReceiptsOfWhatWasTakenWhenSendingBreaksOff() throws Exception {
        // given a gateway that takes one request and then refuses the token
        HttpServer gateway = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        AtomicInteger requests = new AtomicInteger();
        gateway.createContext("/v1/events", exchange -> {
            long events = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .count();
            boolean first = requests.incrementAndGet() == 1;
            byte[] body = (first
                            ? "{\"status\":\"rejected\",\"problem\":{\"detail\":\"why\"}}\n".repeat((int) events)
                            : "{}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(first ? 207 : 401, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        gateway.start();
        try {
            Path events = Files.writeString(
                    directory.resolve("events.ndjson"), (EVENT + "\n").repeat(Sender.REQUEST_EVENTS_MAX + 1));
            String url = "http://127.0.0.1:" + gateway.getAddress().getPort();

            // when
            String json = outputOf("append", "--url", url, events.toString(), "-o", "json");
            requests.set(0);
            String text = outputOf("append", "--url", url, events.toString());

            // then
            assertThat(json)
                    .startsWith("{\"counts\":{\"rejected\":" + Sender.REQUEST_EVENTS_MAX + "}")
                    .hasLineCount(1);
            assertThat(text).contains("rejected  -  event 1: why").contains("event 250: why");
            assertThat(err.toString()).contains("401");
        } finally {
            gateway.stop(0);
        }
    }

    @ParameterizedTest
    @CsvSource({"401, 4", "403, 4", "503, 6"})
    void aMonitorTellsAMissingTokenFromAnOutage(int status, int exitCode) throws Exception {
        HttpServer gateway = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        gateway.createContext("/", exchange -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        gateway.start();
        try {
            String url = "http://127.0.0.1:" + gateway.getAddress().getPort();
            String state = directory.resolve("state.json").toString();

            assertThat(run("monitor", "--once", "--url", url, "--ledger-key", vkey(), "--state", state))
                    .isEqualTo(exitCode);
        } finally {
            gateway.stop(0);
        }
    }

    @Test
    void doctorSaysThatADirectoryHoldsNoClusterAmongTheRest() {
        String nowhere = directory.resolve("nowhere").toString();

        String out = outputOf("doctor", "--data-dir", nowhere, "-o", "json");

        assertThat(out).startsWith("{\"ok\":false,").contains("\"java\"").contains("holds no cluster");
        assertThat(out).doesNotContain(" 0 MiB");
    }

    @Test
    void answersSixWhileTheLedgerOfADataDirectoryIsNotMade() throws Exception {
        Files.writeString(directory.resolve("cluster.json"), """
                {"origin":"o","ledgerKey":"","shards":4,"url":"http://127.0.0.1:1","managementUrl":"","bootstrapServers":"",
                 "registryUrl":"","jwksUrl":"","ports":{},"processes":[]}
                """);

        assertThat(run("checkpoint", "--data-dir", directory.toString())).isEqualTo(ExitCode.UNAVAILABLE);
    }

    @Test
    void neverVerifiesWithoutTheEvent() {
        assertThat(run("verify", bundle.toString(), "--ledger-key", vkey())).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("--event");
    }

    @Test
    void generatesAKeyThatOnlyItsOwnerCanReadAndNeverOverwritesOne() throws Exception {
        Path file = directory.resolve("ledger.skey");

        assertThat(run("keys", "generate", "--origin", "ledger.example/x", "--key-file", file.toString()))
                .isEqualTo(ExitCode.OK);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        String written = Files.readString(file);

        assertThat(run("keys", "generate", "--origin", "ledger.example/x", "--key-file", file.toString()))
                .isEqualTo(ExitCode.ERROR);
        assertThat(Files.readString(file)).isEqualTo(written);
        assertThat(run("keys", "show", file.toString())).isEqualTo(ExitCode.OK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "has space", "has+plus"})
    void refusesAnOriginThatIsNoKeyName(String origin) {
        assertThat(run(
                        "keys",
                        "generate",
                        "--origin",
                        origin,
                        "--key-file",
                        directory.resolve("k").toString()))
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void answersSixWhenNothingListens() {
        int code = run("checkpoint", "--url", "http://127.0.0.1:1", "--ledger-key", vkey());

        assertThat(code).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(err.toString()).contains("attestream up");
    }

    @Test
    void answersTwoWhenNoGatewayIsNamed() {
        assertThat(run("append", event.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("--url");
    }

    @Test
    void answersTwoForAnUnknownCommand() {
        assertThat(run("prove")).isEqualTo(ExitCode.USAGE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "up",
                "init",
                "append",
                "receipt",
                "verify",
                "consistency",
                "checkpoint",
                "monitor",
                "rebuild",
                "fsck",
                "restore",
                "history",
                "doctor"
            })
    void teachesEveryCommandWithAnExample(String command) {
        StringWriter out = new StringWriter();
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));

        assertThat(commandLine.execute(command, "--help")).isEqualTo(ExitCode.OK);
        assertThat(out.toString()).contains("Example").contains("attestream " + command);
    }

    /** What is no ledger's would be noticed only after a broker was started. */
    @Test
    void aRestoreOfKafkaLooksAtWhatItIsGivenBeforeItStartsAnything() throws Exception {
        // given
        Path typo = directory.resolve("typo");
        Path data = directory.resolve("data");
        String skey = Files.createDirectories(data.resolve("keys"))
                .resolve("ledger.skey")
                .toString();
        assertThat(run("keys", "generate", "--origin", "ledger.example/test", "--key-file", skey))
                .isEqualTo(ExitCode.OK);

        // when, then
        assertThat(run("up", "--data-dir", typo.toString(), "--restore-kafka")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("has no ledger that could go on", "Check --data-dir");
        assertThat(typo).doesNotExist();

        String missing = directory.resolve("missing").toString();
        assertThat(run("up", "--data-dir", data.toString(), "--restore-kafka", "--checkpoint", missing))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("there is no file " + missing);

        // the missing file ends it if this does not
        assertThat(run(
                        "up",
                        "--data-dir",
                        data.toString(),
                        "--restore-kafka",
                        "--new-generation",
                        "--checkpoint",
                        missing))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("Leave --new-generation and --from-archive away");
        assertThat(data).isDirectoryContaining("glob:**/keys").isDirectoryNotContaining("glob:**/cluster.json");
        assertThat(data.resolve("kafka")).doesNotExist();
    }

    @Test
    void aStateDirectoryWithoutAStoreIsNotCalledGood() throws Exception {
        for (Path state : List.of(directory.resolve("typo"), Files.createDirectory(directory.resolve("empty")))) {
            assertThat(run("restore", "stores", "--state", state.toString())).isEqualTo(ExitCode.USAGE);
            assertThat(err.toString()).contains(state + " has no state store", "attestream.state.directory");
        }
    }

    @Test
    void aBrokerWithoutAPortIsAMistakeOfWhoAsksForLag() {
        assertThat(run("lag", "--bootstrap-servers", "kafka")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("kafka", "host:port");
    }

    @Test
    void aFaultThatIsNoneIsToldBesideAll() {
        // the moment ends it if the fault does not
        assertThat(run("drill", "faults", "--fault", "all,typo", "--moment", "none"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("there is no fault typo");
    }

    /** One that rots files of state does so at no snapshot; the file ends it before anything is done. */
    @Test
    void allMomentsAreAllWhateverIsNamedBesideAndAFileWithoutResultsIsKept() throws Exception {
        assertThat(run(
                        "drill",
                        "faults",
                        "--fault",
                        "lost-directory",
                        "--moment",
                        "all,snapshot",
                        "--result",
                        event.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains(event + " holds no results of faults", "--result");
        assertThat(Files.readString(event)).isEqualTo(EVENT);
    }

    @Test
    void aGatewayThatSawEventsVanishIsNotJustStartedAgain() throws Exception {
        // given a launcher of one
        List<String> restarted = new CopyOnWriteArrayList<>();
        HttpServer launcher = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        launcher.createContext("/", exchange -> {
            boolean list = exchange.getRequestURI().getPath().equals("/processes");
            if (!list) {
                restarted.add(exchange.getRequestURI().getPath());
            }
            byte[] body = (list ? """
                            [{"name":"gateway-0","alive":true,"ready":false,"fenced":"refused: events went back"},
                            {"name":"gateway-1","alive":false,"ready":false,"fenced":""}]
                            """ : "{}").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        launcher.start();
        Files.createDirectory(directory.resolve("keys"));
        Files.writeString(directory.resolve("keys/control.secret"), "secret");
        Files.writeString(directory.resolve("cluster.json"), """
                {"origin":"o","ledgerKey":"","shards":1,"url":"http://127.0.0.1:1","managementUrl":"","bootstrapServers":
                "127.0.0.1:1","ports":{"control":%d},"processes":[]}
                """.formatted(
                        launcher.getAddress().getPort()));
        try {
            // when
            int exit = run("restart", "--data-dir", directory.toString(), "--unready");

            // then
            assertThat(exit).isEqualTo(ExitCode.VERIFICATION_FAILED);
            assertThat(restarted).containsExactly("/processes/gateway-1/restart");
            assertThat(err.toString()).contains("gateway-0 was not started again", "refused: events went back");
        } finally {
            launcher.stop(0);
        }
    }
}
