// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.StoredKeys;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims on later lives of topic {@code events}: one create-only object for each, {@code incarnations/<n>.claim}, signed by the
 * ledger's newest key under the name {@code <origin>/incarnation}. So no number is used twice, whatever became of the life it is of, and a
 * restore that was cut off finds what it had begun.
 */
final class Incarnations {
    private static final Logger LOG = LoggerFactory.getLogger(Incarnations.class);
    private static final String PURPOSE = "incarnation";
    private static final String CLAIMS = "incarnations/";
    private static final Pattern NAME = Pattern.compile("incarnations/([0-9]{2})\\.claim");

    private final ObjectStore store;
    private final NoteVerifier key;

    /**
     * Who began which life.
     *
     * @param generation of the processors it begins with
     * @param epoch published last before it
     * @param topicId Kafka's id of the topic it is the life of
     */
    record Claim(int incarnation, int generation, long epoch, String clusterId, String topicId) {}

    /** @param key the first of the ledger */
    Incarnations(ObjectStore store, NoteVerifier key) {
        this.store = store;
        this.key = key;
    }

    private static String name(int incarnation) {
        return CLAIMS + String.format(Locale.ROOT, "%02d", incarnation) + ".claim";
    }

    private NavigableSet<Integer> numbers() throws IOException {
        NavigableSet<Integer> numbers = new TreeSet<>();
        for (String name : store.list(CLAIMS)) {
            Matcher matcher = NAME.matcher(name);
            int number = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
            if (number > 1 && number <= LedgerOffset.INCARNATIONS_MAX) {
                numbers.add(number);
            } else {
                LOG.warn("object {} lies among the claims and is none", name);
            }
        }
        return numbers;
    }

    /** The newest claim on this topic. One that cannot be read is none, but its number is taken. */
    Optional<Claim> of(String topicId) throws IOException {
        for (int number : numbers().descendingSet()) {
            Optional<Claim> claim = read(number);
            if (claim.filter(found -> found.topicId().equals(topicId)).isPresent()) {
                return claim;
            }
        }
        return Optional.empty();
    }

    private Optional<Claim> read(int number) throws IOException {
        try {
            Optional<byte[]> object = store.get(name(number));
            return object.isEmpty() ? Optional.empty() : Optional.of(parse(number, object.get()));
        } catch (InvalidFormat e) {
            LOG.warn("object {} is of no use: {}", name(number), e.getMessage());
            return Optional.empty();
        }
    }

    /**
     * Takes the next number.
     *
     * @param newestKnown incarnation the archive has
     * @throws FatalDoubtException if there is none, or another run takes it at the same time
     */
    Claim claim(int newestKnown, int generation, long epoch, String clusterId, String topicId, SigningKeys signingKeys)
            throws IOException {
        NavigableSet<Integer> numbers = numbers();
        int newest = Math.max(newestKnown, numbers.isEmpty() ? 1 : numbers.last());
        if (newest >= LedgerOffset.INCARNATIONS_MAX) {
            throw new FatalDoubtException("this was incarnation " + newest + " of topic events, the last there can be");
        }
        Claim claim = new Claim(newest + 1, generation, epoch, clusterId, topicId);
        if (store.putIfAbsent(name(newest + 1), encode(claim, signingKeys.require(keyOf(claim))))
                instanceof ObjectStore.PutResult.DifferentBytes) {
            throw new FatalDoubtException("object " + name(newest + 1)
                    + " was made just now: another restore runs. Let one of them run, into one cluster");
        }
        return claim;
    }

    /**
     * Refuses a life of the topic that was given up: a later one was claimed, and its first epoch is published. A claim of which
     * nothing came is none to this one, which may go on.
     *
     * @throws FatalDoubtException if a later one goes on, or this one is that of another topic
     */
    void requireNewest(LedgerDefinition ledger, SeamEpoch seamEpoch) throws IOException {
        for (int number : numbers().tailSet(ledger.incarnation(), false)) {
            Optional<Claim> later = read(number);
            if (later.isPresent() && seamEpoch.isPublished(later.get())) {
                throw new FatalDoubtException("object " + name(number) + " says that incarnation " + number
                        + " of topic events was begun, and epoch "
                        + (later.get().epoch() + 1) + " is its first ("
                        + later.get() + "): the ledger goes on there, and this cluster, of incarnation "
                        + ledger.incarnation() + ", was given up");
            }
        }
        if (ledger.incarnation() == 1) {
            return;
        }
        Optional<Claim> own = read(ledger.incarnation());
        if (own.isEmpty()) {
            LOG.error("ALARM: object {} is missing or damaged; genesis says the same", name(ledger.incarnation()));
        } else if (!own.get().topicId().equals(ledger.topicId())) {
            throw new FatalDoubtException("object " + name(ledger.incarnation()) + " names topic id "
                    + own.get().topicId() + ", the topic has id " + ledger.topicId()
                    + ": is attestream.objects.location the store of this ledger?");
        }
    }

    private static byte[] encode(Claim claim, NoteSigner signer) {
        byte[] json = Jcs.encode(new JsonObject(Map.of(
                "clusterId", new JsonString(claim.clusterId()),
                "epoch", new JsonInteger(claim.epoch()),
                "generation", new JsonInteger(claim.generation()),
                "incarnation", new JsonInteger(claim.incarnation()),
                "topicId", new JsonString(claim.topicId()),
                "v", new JsonInteger(1))));
        return StoredSnapshots.encode(SignedJson.sign(PURPOSE, json, signer));
    }

    private KeyHistory keys() throws IOException, InvalidFormat {
        return StoredKeys.read(store, key).verify(key);
    }

    /** The one there is behind the epoch that was published last. */
    private NoteVerifier keyOf(Claim claim) throws IOException {
        try {
            return keys().newestAt(claim.epoch() + 1);
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("the object store's key history does not hold: " + e.getMessage(), e);
        }
    }

    /** Which key has to have signed it is told by what it says. */
    private Claim parse(int number, byte[] object) throws InvalidFormat, IOException {
        InvalidFormat refused = new InvalidFormat(name(number), "is signed by none of the ledger's keys");
        for (KeyHistory.Span span : keys().spans()) {
            try {
                Claim claim = parse(number, object, span.key());
                if (span.key().equals(keyOf(claim))) {
                    return claim;
                }
            } catch (InvalidFormat e) {
                refused = e;
            }
        }
        throw refused;
    }

    private static Claim parse(int number, byte[] object, NoteVerifier key) throws InvalidFormat {
        JsonObject json = Jcs.parseCanonicalObject(SignedJson.parse(PURPOSE, object, key));
        json.allowOnly("clusterId", "epoch", "generation", "incarnation", "topicId", "v");
        if (json.integer("v") != 1 || json.integer("incarnation") != number) {
            throw new InvalidFormat(name(number), "must be of version 1 and of this incarnation");
        }
        return new Claim(
                number,
                Math.toIntExact(json.integer("generation")),
                json.integer("epoch"),
                json.string("clusterId"),
                json.string("topicId"));
    }
}
