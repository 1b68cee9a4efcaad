// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import static io.attestream.proofs.support.Samples.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleReport.Check;
import io.attestream.proofs.ledger.BundleReport.Outcome;
import io.attestream.proofs.ledger.EpochLeaf.Logged;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSignature;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.TreeSize;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BundleVerifierTest {
    private static final BundleVerifier VERIFIER = new BundleVerifier(Samples.ledgerKey());

    /** A bundle taken apart, to be put together otherwise. */
    private static final class Parts {
        byte[] entry;
        LeafIndex leafIndex;
        List<Hash> leafPath;
        byte[] head;
        int shards;
        List<Hash> vectorPath;
        byte[] epochLeaf;
        List<Hash> ledgerPath;
        String note;
        byte[] payload;
        byte[] salt;

        Parts() throws InvalidFormat {
            ProofBundle golden = golden();
            entry = golden.entry();
            leafIndex = golden.leafIndex();
            leafPath = new ArrayList<>(golden.leafPath());
            head = golden.head();
            shards = golden.shards();
            vectorPath = new ArrayList<>(golden.vectorPath());
            epochLeaf = golden.epochLeaf();
            ledgerPath = new ArrayList<>(golden.ledgerPath());
            note = golden.note();
            payload = Objects.requireNonNull(golden.payload());
            salt = Objects.requireNonNull(golden.salt());
        }

        ProofBundle bundle() {
            return new ProofBundle(
                    entry, leafIndex, leafPath, head, shards, vectorPath, epochLeaf, ledgerPath, note, payload, salt);
        }
    }

    private static ProofBundle golden() throws InvalidFormat {
        return ProofBundle.parse(Golden.bytes("proof-bundle-v1.attest.json"));
    }

    @Test
    void makesEveryCheckOfTheGoldenBundle() throws Exception {
        // when verified with the ledger's key and a witness
        BundleReport report = new BundleVerifier(Samples.ledgerKey(), Samples.ORIGIN, List.of(Samples.witnessKey()))
                .verify(golden(), Samples.event());

        // then every check was made, and held
        assertThat(report.checks())
                .extracting(Check::name)
                .containsExactly(
                        "entry-parses",
                        "event-attributes",
                        "payload-digest",
                        "head-parses",
                        "leaf-inclusion",
                        "epoch-leaf-parses",
                        "vector-inclusion",
                        "note-signature",
                        "ledger-inclusion",
                        "witness-cosignatures");
        assertThat(report.checks()).extracting(Check::outcome).containsOnly(Outcome.PASSED);
        assertThat(report.ok()).isTrue();
        assertThat(report.firstFailure()).isEmpty();
    }

    @Test
    void saysThatNoWitnessWasAskedForAndIsOkWithoutOne() throws Exception {
        BundleReport report = VERIFIER.verify(golden(), Samples.event());
        assertThat(outcomes(report)).containsEntry("witness-cosignatures", Outcome.NOT_MADE);
        assertThat(report.ok()).isTrue();
    }

    @Test
    void isNotOkWithoutTheEvent() throws Exception {
        BundleReport report = VERIFIER.verify(golden(), null);
        assertThat(outcomes(report))
                .containsEntry("event-attributes", Outcome.NOT_MADE)
                .containsEntry("payload-digest", Outcome.PASSED);
        assertThat(report.ok()).isFalse();
        assertThat(report.firstFailure()).isEmpty();
    }

    @Test
    void saysWhichChecksItCannotMakeWithoutPayloadAndSalt() throws Exception {
        // given a bundle for someone who may not see the payload
        ProofBundle without = golden().withoutPayload();

        // then the digest cannot be checked, with the event or without it
        BundleReport withEvent = VERIFIER.verify(without, Samples.event());
        assertThat(check(withEvent, "payload-digest").outcome()).isEqualTo(Outcome.NOT_MADE);
        assertThat(check(withEvent, "payload-digest").detail()).contains("salt");
        assertThat(withEvent.ok()).isFalse();
        assertThat(check(VERIFIER.verify(without, null), "payload-digest").outcome())
                .isEqualTo(Outcome.NOT_MADE);

        // and who knows that it was erased is content without, but not with another one, nor without anything else
        EventToCheck erased = EventToCheck.withoutPayload(Samples.EVENT);
        assertThat(VERIFIER.verify(without, erased).ok()).isFalse();
        assertThat(VERIFIER.verify(without, erased).okWithoutPayload()).isTrue();
        assertThat(VERIFIER.verify(without, null).okWithoutPayload()).isFalse();
        assertThat(VERIFIER.verify(golden(), new EventToCheck(Samples.EVENT, new byte[1]))
                        .okWithoutPayload())
                .isFalse();
        EventToCheck other = EventToCheck.withoutPayload(Map.of("id", "other"));
        assertThat(VERIFIER.verify(without, other).okWithoutPayload()).isFalse();

        // but another size is seen without the salt
        BundleReport longer =
                VERIFIER.verify(without, new EventToCheck(Samples.EVENT, new byte[Samples.PAYLOAD.length + 1]));
        assertThat(check(longer, "payload-digest").outcome()).isEqualTo(Outcome.FAILED);
    }

    @Test
    void namesTheAttributeThatDiffers() throws Exception {
        for (String name : Samples.EVENT.keySet()) {
            Map<String, String> changed = new HashMap<>(Samples.EVENT);
            changed.put(name, "other");
            assertFails(
                    new Parts(),
                    new EventToCheck(changed, Samples.PAYLOAD),
                    "event-attributes",
                    name + " is \"other\"");
            changed.remove(name);
            assertFails(
                    new Parts(), new EventToCheck(changed, Samples.PAYLOAD), "event-attributes", name + " is absent");
        }
        Map<String, String> more = new HashMap<>(Samples.EVENT);
        more.put("extra", "1");
        assertFails(
                new Parts(),
                new EventToCheck(more, Samples.PAYLOAD),
                "event-attributes",
                "extra is \"1\", logged is absent");
    }

    @Test
    void noticesEveryChangedByteOfThePayload() throws Exception {
        for (int i = 0; i < Samples.PAYLOAD.length; i++) {
            byte[] changed = Samples.PAYLOAD.clone();
            changed[i] ^= 1;
            EventToCheck event = new EventToCheck(Samples.EVENT, changed);

            // the event's against the bundle's
            assertFails(new Parts(), event, "payload-digest", "from byte " + i + " on");
            // the event's against the entry's digest, when the bundle has none
            Parts without = new Parts();
            without.payload = null;
            assertFails(without, event, "payload-digest", "the entry commits to");
            // the bundle's against the entry's digest, and against the event's
            Parts spoilt = new Parts();
            spoilt.payload = changed;
            assertFails(spoilt, Samples.event(), "payload-digest", "from byte " + i + " on");
            assertThat(check(VERIFIER.verify(spoilt.bundle(), null), "payload-digest")
                            .outcome())
                    .isEqualTo(Outcome.FAILED);
        }
    }

    @Test
    void noticesAPayloadOfAnotherLength() throws Exception {
        byte[] longer = Arrays.copyOf(Samples.PAYLOAD, Samples.PAYLOAD.length + 1);
        assertFails(new Parts(), new EventToCheck(Samples.EVENT, longer), "payload-digest", "in length");
        Parts without = new Parts();
        without.payload = null;
        assertFails(without, new EventToCheck(Samples.EVENT, longer), "payload-digest", "the payload has 57 bytes");
    }

    @Test
    void noticesEveryChangedByteOfTheSalt() throws Exception {
        for (int i = 0; i < 16; i++) {
            Parts parts = new Parts();
            parts.salt[i] ^= 1;
            assertFails(parts, Samples.event(), "payload-digest", "digest");
        }
    }

    @Test
    void noticesEveryChangedByteOfEntryHeadAndEpochLeaf() throws Exception {
        for (int i = 0; i < new Parts().entry.length; i++) {
            Parts parts = new Parts();
            parts.entry[i] ^= 1;
            assertFailsSomewhere(parts, "leaf-inclusion");
        }
        for (int i = 0; i < new Parts().head.length; i++) {
            Parts parts = new Parts();
            parts.head[i] ^= 1;
            assertFailsSomewhere(parts, "head-parses", "vector-inclusion");
        }
        for (int i = 0; i < new Parts().epochLeaf.length; i++) {
            Parts parts = new Parts();
            parts.epochLeaf[i] ^= 1;
            assertFailsSomewhere(parts, "epoch-leaf-parses", "ledger-inclusion");
        }
    }

    @Test
    void noticesAnotherLeafIndex() throws Exception {
        for (long index : new long[] {0, 2, 3, 4, 5, 6, 1L << 32, -1}) {
            Parts parts = new Parts();
            parts.leafIndex = new LeafIndex(index);
            assertFails(parts, Samples.event(), "leaf-inclusion", "leaf " + parts.leafIndex + " of shard 2");
        }
    }

    @Test
    void noticesEveryHashChangedMissingOrAddedInEachPath() throws Exception {
        Map<String, Function<Parts, List<Hash>>> paths = Map.of(
                "leaf-inclusion", parts -> parts.leafPath,
                "vector-inclusion", parts -> parts.vectorPath,
                "ledger-inclusion", parts -> parts.ledgerPath);
        for (var path : paths.entrySet()) {
            int length = path.getValue().apply(new Parts()).size();
            for (int i = 0; i < length; i++) {
                Parts changed = new Parts();
                byte[] hash = path.getValue().apply(changed).get(i).bytes();
                hash[i] ^= 1;
                path.getValue().apply(changed).set(i, Hash.of(hash));
                assertFails(changed, Samples.event(), path.getKey(), "leads to root");
                Parts missing = new Parts();
                path.getValue().apply(missing).remove(i);
                assertFails(missing, Samples.event(), path.getKey(), "with a path of " + (length - 1));
            }
            Parts added = new Parts();
            path.getValue().apply(added).add(Hash.of(new byte[32]));
            assertFails(added, Samples.event(), path.getKey(), "with a path of " + (length + 1));
        }
    }

    @Test
    void noticesAnotherNumberOfShards() throws Exception {
        for (int shards : new int[] {1, 2, 3, 5, 8, Integer.MAX_VALUE}) {
            Parts parts = new Parts();
            parts.shards = shards;
            assertFails(parts, Samples.event(), "vector-inclusion", "index 2 of size " + shards);
        }
        BundleReport other = VERIFIER.expectingShards(8).verify(golden(), Samples.event());
        assertThat(check(other, "vector-inclusion").detail()).contains("4 shards, expected 8");
        assertThat(other.ok()).isFalse();
        assertThat(VERIFIER.expectingShards(4).verify(golden(), Samples.event()).ok())
                .isTrue();
    }

    @Test
    void noticesEveryChangedCharacterOfTheNoteButOfUnknownSignatures() throws Exception {
        String note = golden().note();
        int log = note.indexOf('\u2014');
        int witness = note.indexOf('\u2014', log + 1);
        BundleVerifier both = new BundleVerifier(Samples.ledgerKey(), Samples.ORIGIN, List.of(Samples.witnessKey()));
        for (int i = 0; i < note.length(); i++) {
            Parts parts = new Parts();
            parts.note = note.substring(0, i) + (char) (note.charAt(i) ^ 1) + note.substring(i + 1);
            BundleReport report = both.verify(parts.bundle(), Samples.event());
            assertThat(report.ok()).as("character %d", i).isFalse();
            List<String> failed = failed(report);
            if (i < witness) {
                assertThat(failed).as("character %d", i).contains("note-signature");
            } else {
                assertThat(failed).as("character %d", i).containsAnyOf("note-signature", "witness-cosignatures");
            }
        }
    }

    @Test
    void refusesACheckpointOfAnotherLogOrKey() throws Exception {
        // given the right tree head under another origin, signed by the ledger's key
        Checkpoint right = Checkpoint.parse(SignedNote.parse(golden().note()).text());
        Parts otherOrigin = new Parts();
        otherOrigin.note = SignedNote.sign(
                        new Checkpoint("other.example", right.size(), right.root()).text(), Samples.ledgerSigner())
                .encode();
        assertFails(otherOrigin, Samples.event(), "note-signature", "of other.example, expected " + Samples.ORIGIN);

        // given the right checkpoint signed by another key of the same name
        Parts otherKey = new Parts();
        otherKey.note = SignedNote.sign(right.text(), NoteSigner.generate(Samples.ORIGIN, new SecureRandom()))
                .encode();
        assertFails(otherKey, Samples.event(), "note-signature", "no signature by a known key");

        // given the shard's checkpoint, which the same key signs under the shard's name
        Parts shardNote = new Parts();
        shardNote.note = SignedNote.sign(right.text(), Samples.ledgerSigner().withName(Samples.ORIGIN + "/shard/2"))
                .encode();
        assertFails(shardNote, Samples.event(), "note-signature", "no signature by a known key");
    }

    @Test
    void believesNothingOfACheckpointThatFailed() throws Exception {
        Parts parts = new Parts();
        parts.note = "no note";
        BundleReport report = VERIFIER.verify(parts.bundle(), Samples.event());
        assertThat(check(report, "ledger-inclusion").outcome()).isEqualTo(Outcome.NOT_MADE);
        assertThat(report.ok()).isFalse();
    }

    @Test
    void refusesACheckpointThatIsNoneAlthoughSigned() throws Exception {
        for (String text : new String[] {"a\n", Samples.ORIGIN + "\n03\nAAAA\n", Samples.ORIGIN + "\n3\n\n"}) {
            Parts parts = new Parts();
            parts.note = SignedNote.sign(text, Samples.ledgerSigner()).encode();
            assertFails(parts, Samples.event(), "note-signature", "");
        }
    }

    @Test
    void refusesAnEpochPlacedWhereItIsNot() throws Exception {
        // given the ledger's key over a tree that has the epoch at another index
        List<byte[]> epochs = new ArrayList<>(Samples.epochs());
        epochs.add(0, utf8("one more"));
        ReferenceTree tree = new ReferenceTree(epochs);
        Parts parts = new Parts();
        parts.ledgerPath = new ArrayList<>(tree.path(3, 4));
        parts.note = SignedNote.sign(
                        new Checkpoint(Samples.ORIGIN, new TreeSize(4), tree.root(4)).text(), Samples.ledgerSigner())
                .encode();
        assertFails(parts, Samples.event(), "ledger-inclusion", "epoch 2");
    }

    @Test
    void asksForEveryWitnessNamed() throws Exception {
        NoteVerifier stranger =
                asWitness(NoteSigner.generate("stranger", new SecureRandom()).verifier(), "stranger");
        Check check = witnessCheck(Samples.ledgerKey(), Samples.witnessKey(), stranger);
        assertThat(check.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(check.detail()).contains("stranger").doesNotContain("w1");
    }

    /** What the operator can sign alone attests nothing about the operator. */
    @Test
    void takesNoSignatureOfTheLogForThatOfAWitness() throws Exception {
        NoteVerifier ledger = Samples.ledgerKey();

        // given the ledger's own key as a witness, under which the note has a good signature
        Check own = witnessCheck(ledger, ledger);
        assertThat(own.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(own.detail()).contains(ledger.keyName(), "0x04");

        // given the same key as one of type 0x04 under another name, and a cosignature made with it
        NoteVerifier disguised = asWitness(ledger, "witness.example/w9");
        Parts parts = new Parts();
        parts.note = SignedNote.parse(parts.note)
                .with(List.of(cosignature(parts.note, disguised)))
                .encode();
        BundleReport report =
                new BundleVerifier(ledger, Samples.ORIGIN, List.of(disguised)).verify(parts.bundle(), Samples.event());
        assertThat(report.ok()).isFalse();
        assertThat(check(report, "witness-cosignatures").outcome()).isEqualTo(Outcome.FAILED);
        assertThat(check(report, "witness-cosignatures").detail())
                .contains("witness.example/w9", "the ledger's own key");
    }

    @Test
    void takesNoCosignatureForTheSignatureOfTheLog() throws Exception {
        // given the ledger's key as one of type 0x04, which cosigned but did not sign
        NoteVerifier cosigner = asWitness(Samples.ledgerKey(), Samples.ORIGIN);
        Parts parts = new Parts();
        parts.note = new SignedNote(SignedNote.parse(parts.note).text(), List.of(cosignature(parts.note, cosigner)))
                .encode();
        BundleReport report = new BundleVerifier(cosigner).verify(parts.bundle(), Samples.event());
        assertThat(check(report, "note-signature").outcome()).isEqualTo(Outcome.FAILED);
        assertThat(check(report, "note-signature").detail()).contains("0x01");
        assertThat(report.ok()).isFalse();
    }

    private static Check witnessCheck(NoteVerifier ledger, NoteVerifier... witnesses) throws InvalidFormat {
        BundleReport report =
                new BundleVerifier(ledger, Samples.ORIGIN, List.of(witnesses)).verify(golden(), Samples.event());
        assertThat(report.ok()).isFalse();
        return check(report, "witness-cosignatures");
    }

    /** The same Ed25519 key as one of type 0x04. */
    private static NoteVerifier asWitness(NoteVerifier key, String name) throws Exception {
        byte[] typeAndKey = Base64.getDecoder().decode(key.vkey().split("\\+", 3)[2]);
        typeAndKey[0] = 4;
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        sha256.update(utf8(name + "\n"));
        String id = HexFormat.of().formatHex(sha256.digest(typeAndKey), 0, 4);
        return NoteVerifier.parse(name + "+" + id + "+" + Base64.getEncoder().encodeToString(typeAndKey));
    }

    /** A cosignature of the ledger's secret key under that name. */
    private static NoteSignature cosignature(String note, NoteVerifier as) throws InvalidFormat {
        byte[] signature = Samples.ledgerSigner()
                .signBytes(
                        utf8("cosignature/v1\ntime 7\n" + SignedNote.parse(note).text()));
        return new NoteSignature(
                as.keyName(),
                as.keyId(),
                ByteBuffer.allocate(72).putLong(7).put(signature).array());
    }

    /** A bundle comes from anybody: it must not be able to write over what a terminal shows. */
    @Test
    void printsNothingATerminalWouldObey() throws Exception {
        // given an epoch leaf that names an object after a command to the terminal, and far too much else
        EpochLeaf leaf = EpochLeaf.parse(new Parts().epochLeaf);
        Logged hostile = new Logged("\u001b[2J\u009b1mVERIFIED\u202e\n" + "x".repeat(10_000), leaf.vectorRoot());
        Parts parts = new Parts();
        parts.epochLeaf =
                new EpochLeaf(leaf.epoch(), leaf.time(), leaf.counts(), List.of(hostile), leaf.vectorRoot()).encode();
        Map<String, String> given = new HashMap<>(Samples.EVENT);
        given.put("id", "\u001b]0;title\u0007" + "y".repeat(10_000));

        // when it is verified
        BundleReport report = VERIFIER.verify(parts.bundle(), new EventToCheck(given, Samples.PAYLOAD));

        // then no detail has a control character, or goes on for pages
        assertThat(failed(report)).contains("ledger-inclusion", "event-attributes");
        assertThat(report.checks()).allSatisfy(check -> {
            assertThat(check.detail().codePoints())
                    .noneMatch(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT);
            assertThat(check.detail().length()).isLessThan(3000);
        });
    }

    @Test
    void saysForWhomTheEventWasLoggedAndWhatOnlyTheBundleSays() throws Exception {
        BundleReport report = VERIFIER.verify(golden(), Samples.event());
        assertThat(check(report, "entry-parses").detail())
                .isEqualTo("an entry of kind event, logged for acme by svc-7f3a at 2026-01-05T09:00:00.123Z");
        assertThat(check(report, "head-parses").detail()).isEqualTo("shard 2 with 5 leaves");
        assertThat(check(report, "epoch-leaf-parses").detail()).isEqualTo("epoch 2 of 2026-01-05T09:00:01.500Z");
        assertThat(check(report, "vector-inclusion").detail()).contains("of 4 by the bundle's own account");
        assertThat(check(VERIFIER.expectingShards(4).verify(golden(), Samples.event()), "vector-inclusion")
                        .detail())
                .doesNotContain("account");
    }

    @ParameterizedTest
    @ValueSource(strings = {"control-genesis-v1.json", "control-rules-v1.json"})
    void doesNotTakeAControlLeafForTheEvent(String name) throws Exception {
        Parts parts = new Parts();
        parts.entry = Golden.bytes(name);
        BundleReport report = VERIFIER.verify(parts.bundle(), Samples.event());
        assertThat(check(report, "event-attributes").outcome()).isEqualTo(Outcome.NOT_MADE);
        assertThat(report.ok()).isFalse();
    }

    @Test
    void verifiesAControlLeafAsFarAsItHasNoEvent() throws Exception {
        ReferenceTree shard = new ReferenceTree(Samples.entries());
        Parts parts = new Parts();
        parts.entry = shard.entry(0);
        parts.leafIndex = new LeafIndex(0);
        parts.leafPath = shard.path(0, 5);
        assertThat(failed(VERIFIER.verify(parts.bundle(), null))).isEmpty();
    }

    @Test
    void saysThatALeafIsAConflict() throws Exception {
        ReferenceTree shard = new ReferenceTree(Samples.entries());
        Parts parts = new Parts();
        parts.entry = shard.entry(3);
        parts.leafIndex = new LeafIndex(3);
        parts.leafPath = shard.path(3, 5);
        parts.payload = Samples.OTHER_PAYLOAD;
        parts.salt = Samples.OTHER_SALT;
        BundleReport report = VERIFIER.verify(parts.bundle(), new EventToCheck(Samples.EVENT, Samples.OTHER_PAYLOAD));
        assertThat(report.ok()).isTrue();
        assertThat(check(report, "entry-parses").detail()).contains("conflict");
    }

    @Test
    void needsAKeyNamedAsTheOrigin() {
        assertThatThrownBy(() -> new BundleVerifier(Samples.ledgerKey(), "other.example", List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("other.example");
    }

    private static void assertFails(Parts parts, EventToCheck event, String name, String detail) {
        BundleReport report = VERIFIER.verify(parts.bundle(), event);
        assertThat(report.ok()).isFalse();
        assertThat(check(report, name).outcome()).as(report.toString()).isEqualTo(Outcome.FAILED);
        assertThat(check(report, name).detail()).contains(detail);
    }

    private static void assertFailsSomewhere(Parts parts, String... names) {
        BundleReport report = VERIFIER.verify(parts.bundle(), Samples.event());
        assertThat(report.ok()).isFalse();
        assertThat(failed(report)).as(report.toString()).containsAnyOf(names);
    }

    private static List<String> failed(BundleReport report) {
        return report.checks().stream()
                .filter(check -> check.outcome() == Outcome.FAILED)
                .map(Check::name)
                .toList();
    }

    private static Check check(BundleReport report, String name) {
        return report.checks().stream()
                .filter(check -> check.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Map<String, Outcome> outcomes(BundleReport report) {
        Map<String, Outcome> outcomes = new TreeMap<>();
        report.checks().forEach(check -> outcomes.put(check.name(), check.outcome()));
        return outcomes;
    }
}
