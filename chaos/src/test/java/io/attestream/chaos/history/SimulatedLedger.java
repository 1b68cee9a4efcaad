// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.chaos.history.Result.Outcome;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A ledger and its clients in one thread, driven by a seed: everything that begins, is written, is published or ends is a step of its
 * own, so that clients are interleaved in every way. Retries, conflicts, changes of the leader, unknown outcomes and the loss of a whole
 * topic are what a good ledger shows too; one {@link PlantedFlaw} is what it does not.
 */
final class SimulatedLedger {
    private static final String TENANT = "acme";
    /** Sends too, and records nothing. */
    static final Others OTHERS = new Others(TENANT, "/others");

    private static final int SOURCES = 7;
    private static final int PENDING_MAX = 12;

    private final Random random;
    private final History history;
    private final Optional<PlantedFlaw> flaw;
    private final long windowLeaves;
    private final boolean losesItsTopic;
    private final List<Shard> shards = new ArrayList<>();
    private final List<Epoch> epochs = new ArrayList<>();
    private final List<Event> events = new ArrayList<>();
    private final List<Pending> pending = new ArrayList<>();
    private final Deque<Event> late = new ArrayDeque<>();
    private final List<Given> given = new ArrayList<>();
    private final List<Reading> readings = new ArrayList<>();
    /** How often each content. */
    private final Map<String, Integer> sent = new HashMap<>();

    private final Set<String> notSentAgain = new HashSet<>();
    private final Set<Long> toldSizes = new HashSet<>();
    private final Set<Integer> toldLogSizes = new HashSet<>();
    /** Of which the last answer was that they are. */
    private final Set<Receipt> toldPending = new HashSet<>();

    private final Set<Receipt> pendingForEver = new HashSet<>();
    /** To which proofs led. */
    private final Set<Result.ShardHead> toldHeads = new HashSet<>();

    private final Set<Receipt> lost = new HashSet<>();
    /** What every receipt read so far led to. */
    private final Map<Receipt, Leaf> led = new HashMap<>();

    private int incarnation = 1;
    private int ids;
    private int now;
    private int delay;
    private Optional<String> planted = Optional.empty();
    /** The largest log size a client has been told. */
    private int toldEpochs;

    private static final class Event {
        final Identity identity;
        final String digest;
        final int shard;
        /** Sent once: not again, and nothing else with its identity. */
        boolean isLeftAlone;

        boolean isSpoilt;
        int firstSentAt = Integer.MAX_VALUE;
        int acknowledgedAt = Integer.MAX_VALUE;

        Event(Identity identity, String digest, int shard) {
            this.identity = identity;
            this.digest = digest;
            this.shard = shard;
        }

        String name() {
            return identity + " " + digest;
        }
    }

    /** On its topic. */
    private static final class Entry {
        final Receipt receipt;
        final Event event;
        boolean isForcedLeaf;
        boolean isForcedConflict;
        boolean isRejected;
        boolean isPublished;
        Outcome outcome = Outcome.PENDING;
        Optional<Leaf> leaf = Optional.empty();

        Entry(Receipt receipt, Event event) {
            this.receipt = receipt;
            this.event = event;
        }
    }

    private static final class Shard {
        final int number;
        final List<Entry> log = new ArrayList<>();
        final List<Leaf> leaves = new ArrayList<>();
        final Map<Receipt, Entry> byReceipt = new HashMap<>();
        final List<Hash> roots = new ArrayList<>(List.of(Rfc6962.EMPTY_ROOT));
        CompactRange range = CompactRange.empty();
        int sequenced;
        int publishedEntries;
        long nextOffset;

        Shard(int number) {
            this.number = number;
        }

        void add(Leaf leaf) {
            leaves.add(leaf);
            range.append(leaf.hash());
            roots.add(range.root());
        }

        void truncate(long size) {
            List<Leaf> kept = List.copyOf(leaves.subList(0, (int) size));
            leaves.clear();
            roots.subList(1, roots.size()).clear();
            range = CompactRange.empty();
            kept.forEach(this::add);
        }

        Hash root(long size) {
            return roots.get((int) size);
        }
    }

    private record Epoch(long timeMillis, List<Result.ShardHead> heads) {}

    private static final class Pending {
        final History.Call<Result.Appended> call;
        final Event event;
        final int fate;
        Optional<Receipt> receipt = Optional.empty();

        Pending(History.Call<Result.Appended> call, Event event, int fate) {
            this.call = call;
            this.event = event;
            this.fate = fate;
        }
    }

    private static final int OK = 0;
    private static final int REFUSED = 1;
    private static final int UNKNOWN_WRITTEN = 2;
    private static final int UNKNOWN_NEVER_WRITTEN = 3;
    private static final int UNKNOWN_WRITTEN_LATER = 4;

    private record Given(Receipt receipt, Event event) {}

    /** A read of a checkpoint that has begun, and what it has seen. */
    private record Reading(History.Call<Result.Heads> call, int epochs, int toldBefore) {}

    SimulatedLedger(long seed, Optional<PlantedFlaw> flaw, History history, long windowLeaves) {
        this.random = new Random(new SplittableRandom(seed).nextLong()); // neighbours begin alike otherwise
        this.flaw = flaw;
        this.history = history;
        this.windowLeaves = windowLeaves;
        this.losesItsTopic =
                flaw.isEmpty() ? random.nextInt(4) == 0 : isTimeForLast(PlantedFlaw.TOLD_LOST_THOUGH_IT_WAS_PUBLISHED);
        this.delay = random.nextInt(4);
        int count = 1 + random.nextInt(3);
        for (int number = 0; number < count; number++) {
            Shard shard = new Shard(number);
            shard.add(Leaf.control(number, 0, hash("genesis " + number)));
            shards.add(shard);
        }
        publish();
    }

    /** What was planted, as an example of it is to name it; empty if there was no occasion. */
    Optional<String> planted() {
        return planted;
    }

    private static Hash hash(String of) {
        try {
            return Hash.ofHex(History.sha256(of.getBytes(StandardCharsets.UTF_8)));
        } catch (InvalidFormat e) {
            throw new IllegalStateException(e);
        }
    }

    void run(int steps) {
        int losing = losesItsTopic ? random.nextInt(steps) : -1;
        for (int step = 0; step < steps; step++) {
            if (step == losing) {
                loseTopic();
            }
            now = step;
            step();
            if (step == steps / 2 && !isTimeForLast(PlantedFlaw.NO_FINAL_READ)) {
                readAllSoFar();
            }
        }
        now = steps;
        finish();
    }

    private void step() {
        int what = random.nextInt(100);
        if (what < 30) {
            send();
        } else if (what < 70) {
            goOn();
        } else if (what < 78) {
            sequence();
        } else if (what < 83) {
            publish();
        } else if (what < 91) {
            readReceipt();
        } else if (what < 95) {
            beginReading();
        } else if (what < 99) {
            endReading();
        } else {
            changeLeader();
        }
    }

    // ---- planting

    /** Whether to do it now. */
    private boolean isTimeFor(PlantedFlaw what) {
        return planted.isEmpty() && flaw.filter(what::equals).isPresent() && delay-- <= 0;
    }

    private void plant(Object named) {
        planted = Optional.of(named.toString());
    }

    // ---- appends

    private void send() {
        if (pending.size() >= PENDING_MAX) {
            return;
        }
        Event event = choose();
        sent.merge(event.name(), 1, Integer::sum);
        event.firstSentAt = Math.min(event.firstSentAt, now);
        int fate = fate(event);
        pending.add(new Pending(
                history.invoke("client-" + random.nextInt(4), new Operation.Append(event.identity, event.digest)),
                event,
                fate));
    }

    private Event choose() {
        if (!events.isEmpty() && random.nextInt(3) == 0) {
            Event before = events.get(events.size() - 1 - random.nextInt(Math.min(events.size(), 40)));
            Event again = random.nextInt(4) == 0
                    ? new Event(before.identity, "digest-" + random.nextInt(3), before.shard)
                    : before;
            if (!before.isLeftAlone && !notSentAgain.contains(again.name())) {
                return again;
            }
        }
        int source = random.nextInt(SOURCES);
        Event made = new Event(
                new Identity(TENANT, "/source/" + source, "event-" + ids++ + "."),
                "digest-" + random.nextInt(3),
                source % shards.size());
        made.isLeftAlone = random.nextInt(3) == 0;
        events.add(made);
        return made;
    }

    private int fate(Event event) {
        int fate = random.nextInt(20);
        if (fate < 14) {
            return OK;
        }
        if (fate == 14) {
            return event.isLeftAlone ? REFUSED : OK;
        }
        return UNKNOWN_WRITTEN + random.nextInt(3);
    }

    private void goOn() {
        if (pending.isEmpty()) {
            return;
        }
        int which = random.nextInt(pending.size());
        Pending append = pending.get(which);
        if (append.receipt.isEmpty() && (append.fate == OK || append.fate == UNKNOWN_WRITTEN)) {
            append.receipt = Optional.of(write(append.event, append.fate));
        } else {
            pending.remove(which);
            end(append);
        }
    }

    private void end(Pending append) {
        switch (append.fate) {
            case OK -> acknowledge(append, append.receipt.orElseThrow());
            case REFUSED -> {
                append.call.fail("400");
                if (isTimeFor(PlantedFlaw.REFUSED_IS_WRITTEN)) {
                    plant(append.event.identity);
                    append(append.event);
                }
            }
            default -> {
                append.call.info("no answer");
                if (append.fate == UNKNOWN_WRITTEN_LATER) {
                    late.add(append.event);
                }
            }
        }
    }

    private void acknowledge(Pending append, Receipt receipt) {
        append.event.acknowledgedAt = Math.min(append.event.acknowledgedAt, now);
        if (!given.isEmpty() && append.event.isLeftAlone && isTimeFor(PlantedFlaw.RECEIPT_IS_GIVEN_AGAIN)) {
            Given other = given.get(random.nextInt(given.size()));
            if (!other.event.identity.equals(append.event.identity)) {
                plant(append.event.identity);
                append.call.ok(new Result.Appended(other.receipt));
                return;
            }
        }
        given.add(new Given(receipt, append.event));
        if (shards.size() > 1 && append.event.isLeftAlone && isTimeFor(PlantedFlaw.ACKNOWLEDGED_IN_TWO_SHARDS)) {
            plant(append.event.identity);
            history.invoke("client-0", new Operation.Append(append.event.identity, append.event.digest))
                    .ok(new Result.Appended(
                            new Receipt(incarnation, (append.event.shard + 1) % shards.size(), 1_000_000)));
        }
        if (append.event.isLeftAlone && isTimeFor(PlantedFlaw.ACKNOWLEDGED_WITH_A_WRONG_INDEX)) {
            plant(append.event.identity);
            given.remove(given.size() - 1);
            append.call.ok(new Result.Appended(receipt, OptionalLong.of(0)));
            return;
        }
        append.call.ok(new Result.Appended(receipt));
    }

    /** To the topic, unless this is where it goes wrong. */
    private Receipt write(Event event, int fate) {
        if (shards.size() > 1
                && fate == OK
                && event.isLeftAlone
                && isTimeFor(PlantedFlaw.EVENT_IS_IN_ANOTHER_SHARD_THAN_ACKNOWLEDGED)) {
            plant(event.identity);
            append(new Event(event.identity, event.digest, (event.shard + 1) % shards.size()));
            event.isSpoilt = true;
            return new Receipt(incarnation, event.shard, shards.get(event.shard).nextOffset++);
        }
        if (fate == OK && event.isLeftAlone && isTimeFor(PlantedFlaw.ACKNOWLEDGED_IS_DROPPED)) {
            plant(event.identity);
            event.isSpoilt = true;
            return new Receipt(incarnation, event.shard, shards.get(event.shard).nextOffset++);
        }
        if (fate != OK && event.isLeftAlone && isTimeFor(PlantedFlaw.CONTENT_IS_ALTERED)) {
            plant(event.identity);
            return append(new Event(event.identity, "digest-altered", event.shard)).receipt;
        }
        Entry entry = append(event);
        if (fate == OK && event.isLeftAlone && isTimeFor(PlantedFlaw.ACKNOWLEDGED_IS_REJECTED)) {
            plant(entry.receipt);
            event.isSpoilt = true;
            entry.isRejected = true;
        }
        if (fate != OK && event.isLeftAlone && isTimeFor(PlantedFlaw.UNKNOWN_IS_THERE_TWICE)) {
            plant(event.identity);
            append(event).isForcedLeaf = true;
        }
        if (event.isLeftAlone && isTimeFor(PlantedFlaw.NEW_EVENT_BECOMES_A_CONFLICT)) {
            plant(event.identity);
            entry.isForcedConflict = true;
        }
        if (shards.size() > 1 && event.isLeftAlone && isTimeFor(PlantedFlaw.EVENT_IS_IN_TWO_SHARDS)) {
            plant(event.identity);
            append(new Event(event.identity, event.digest, (event.shard + 1) % shards.size()));
        }
        if (isTimeFor(PlantedFlaw.NOBODY_SENT_IT)) {
            Event nobodys = new Event(new Identity(TENANT, "/source/0", "nobody's"), "digest-0", 0);
            plant(nobodys.identity);
            append(nobodys);
        }
        return entry.receipt;
    }

    private Entry append(Event event) {
        Shard shard = shards.get(event.shard);
        shard.nextOffset += random.nextInt(3); // markers take offsets
        Entry entry = new Entry(new Receipt(incarnation, shard.number, shard.nextOffset++), event);
        shard.log.add(entry);
        shard.byReceipt.put(entry.receipt, entry);
        return entry;
    }

    /** Nobody knows what became of what was under way. */
    private void changeLeader() {
        for (Pending append : List.copyOf(pending)) {
            if (append.fate != REFUSED && !append.event.isSpoilt) {
                append.call.info("the leader changed");
                pending.remove(append);
                if (append.receipt.isEmpty() && random.nextBoolean()) {
                    late.add(append.event);
                }
            }
        }
    }

    /** What was not published is gone; the ledger goes on in a new topic. */
    private void loseTopic() {
        changeLeader();
        late.clear();
        for (Shard shard : shards) {
            List<Entry> gone = shard.log.subList(shard.publishedEntries, shard.log.size());
            gone.forEach(entry -> lost.add(entry.receipt));
            gone.clear();
            shard.sequenced = shard.publishedEntries;
            long published =
                    epochs.get(epochs.size() - 1).heads.get(shard.number).size();
            shard.truncate(published);
            shard.add(Leaf.control(shard.number, published, hash("prior " + shard.number)));
            shard.nextOffset = 0;
        }
        incarnation++;
    }

    // ---- the sequencer and the signer

    private void sequence() {
        if (!late.isEmpty()) {
            append(late.remove());
        }
        if (random.nextInt(8) == 0) {
            appendOfOthers();
        }
        Shard shard = shards.get(random.nextInt(shards.size()));
        swap(shard);
        int until = Math.min(shard.log.size(), shard.sequenced + 1 + random.nextInt(8));
        while (shard.sequenced < until) {
            decide(shard, shard.log.get(shard.sequenced++));
        }
    }

    private void appendOfOthers() {
        int shard = shards.size() - 1;
        Event event = new Event(
                new Identity(TENANT, OTHERS.source(), "other-" + ids++ + "."), "digest-" + random.nextInt(3), shard);
        append(event);
        if (isTimeFor(PlantedFlaw.OTHERS_ARE_THERE_TWICE)) {
            plant(event.identity);
            append(event).isForcedLeaf = true;
        }
        if (isTimeFor(PlantedFlaw.OTHERS_BECOME_A_CONFLICT)) {
            plant(event.identity);
            append(event).isForcedConflict = true;
        }
        if (isTimeFor(PlantedFlaw.NOBODY_OF_ANOTHER_TENANT_SENT_IT)) {
            Event nobodys = new Event(new Identity("other", OTHERS.source(), "nobody's"), "digest-0", shard);
            plant(nobodys.identity);
            append(nobodys);
        }
    }

    /** Two that nothing else depends on, of which the one was acknowledged before the other was sent. */
    private void swap(Shard shard) {
        if (shard.log.size() < shard.sequenced + 2) {
            return;
        }
        int last = shard.log.size() - 1;
        Entry first = shard.log.get(shard.sequenced);
        Entry second = shard.log.get(last);
        boolean isFree = first.event.isLeftAlone && second.event.isLeftAlone;
        boolean isBefore = first.event.acknowledgedAt < second.event.firstSentAt;
        if (isFree && isTimeFor(isBefore ? PlantedFlaw.ORDER_IS_SWAPPED : PlantedFlaw.ORDER_OF_RECORDS_IS_SWAPPED)) {
            plant(isBefore ? first.event.identity : first.receipt);
            shard.log.set(shard.sequenced, second);
            shard.log.set(last, first);
        }
    }

    private void decide(Shard shard, Entry entry) {
        if (entry.isRejected) {
            entry.outcome = Outcome.REJECTED;
            return;
        }
        Optional<Leaf> before = inWindow(shard, entry.event.identity);
        boolean isEqual =
                before.filter(leaf -> leaf.digest().equals(entry.event.digest)).isPresent();
        if (isEqual && isTimeFor(PlantedFlaw.RETRY_BECOMES_A_SECOND_LEAF)
                || before.isPresent() && !isEqual && isTimeFor(PlantedFlaw.OTHER_CONTENT_BECOMES_A_SECOND_LEAF)) {

            plant(entry.event.identity);
            entry.isForcedLeaf = true;
        }
        if (isEqual && !entry.isForcedLeaf && isTimeFor(PlantedFlaw.RETRY_BECOMES_A_CONFLICT)) {
            plant(entry.event.identity);
            entry.isForcedConflict = true;
        }
        if (isEqual && !entry.isForcedLeaf && !entry.isForcedConflict) {
            entry.outcome = Outcome.DUPLICATE;
            entry.leaf = before;
            return;
        }
        boolean isConflict = (before.isPresent() || entry.isForcedConflict) && !entry.isForcedLeaf;
        if (isConflict && before.isPresent() && isSentOnce(entry)) {
            if (isTimeFor(PlantedFlaw.ACKNOWLEDGED_CONFLICT_IS_DROPPED)) {
                plant(entry.event.identity);
                notSentAgain.add(entry.event.name());
                return;
            }
            boolean staysInWindow = before.get().index() > shard.leaves.size() - windowLeaves;
            if (staysInWindow && isTimeFor(PlantedFlaw.CONFLICT_IS_THERE_TWICE)) {
                plant(entry.event.identity);
                notSentAgain.add(entry.event.name());
                addLeaf(shard, entry, true);
            }
        }
        entry.outcome = isConflict ? Outcome.CONFLICT : Outcome.LEAF;
        entry.leaf = Optional.of(addLeaf(shard, entry, isConflict));
    }

    /** Whether this content was sent once, and acknowledged. */
    private boolean isSentOnce(Entry entry) {
        return entry.event.acknowledgedAt < now && sent.getOrDefault(entry.event.name(), 0) == 1;
    }

    private Leaf addLeaf(Shard shard, Entry entry, boolean isConflict) {
        long index = shard.leaves.size();
        Hash hash = hash(shard.number + " " + index + " " + entry.receipt + entry.event.identity + entry.event.digest);
        Leaf leaf = isConflict
                ? Leaf.conflict(shard.number, index, entry.event.identity, entry.event.digest, hash, entry.receipt)
                : Leaf.event(shard.number, index, entry.event.identity, entry.event.digest, hash, entry.receipt);
        shard.add(leaf);
        return leaf;
    }

    private Optional<Leaf> inWindow(Shard shard, Identity identity) {
        int first = (int) Math.max(0, shard.leaves.size() - windowLeaves);
        Optional<Leaf> newest = Optional.empty();
        for (Leaf leaf : shard.leaves.subList(first, shard.leaves.size())) {
            if (leaf.kind() == Leaf.Kind.EVENT
                    && leaf.identity().filter(identity::equals).isPresent()) {
                newest = Optional.of(leaf);
            }
        }
        return newest;
    }

    private void publish() {
        List<Result.ShardHead> heads = new ArrayList<>();
        for (Shard shard : shards) {
            shard.log.subList(shard.publishedEntries, shard.sequenced).forEach(entry -> entry.isPublished = true);
            shard.publishedEntries = shard.sequenced;
            heads.add(new Result.ShardHead(shard.number, shard.leaves.size(), shard.root(shard.leaves.size())));
        }
        epochs.add(new Epoch(1_700_000_000_000L + 1_000L * epochs.size(), heads));
    }

    // ---- reads

    private void readReceipt() {
        if (given.isEmpty()) {
            return;
        }
        Given one = given.get(random.nextInt(given.size()));
        readReceipt(one);
    }

    private void readReceipt(Given one) {
        Result.Resolved answer = new ReceiptAnswer(one).get();
        if (answer.outcome() == Outcome.PENDING) {
            toldPending.add(one.receipt);
        } else {
            toldPending.remove(one.receipt);
        }
        history.invoke("reader-" + random.nextInt(2), new Operation.ReadReceipt(one.receipt))
                .ok(answer);
    }

    /** What a receipt comes to now. */
    private final class ReceiptAnswer {
        private final Given one;
        private final Shard shard;
        private final Optional<Entry> entry;

        ReceiptAnswer(Given one) {
            this.one = one;
            this.shard = shards.get(one.receipt.shard());
            this.entry = Optional.ofNullable(shard.byReceipt.get(one.receipt));
        }

        Result.Resolved get() {
            if (lost.contains(one.receipt)) {
                return Result.Resolved.without(Outcome.LOST);
            }
            Optional<Entry> published = entry.filter(written -> written.isPublished);
            if (published.isEmpty()) {
                return Result.Resolved.without(Outcome.PENDING);
            }
            Entry written = published.get();
            if (written.leaf.isEmpty()) {
                return Result.Resolved.without(written.isRejected ? Outcome.REJECTED : Outcome.PENDING);
            }
            Leaf leaf = written.leaf.get();
            Result.Resolved good = verified(written.outcome, leaf);
            Result.Resolved answer = spoilt(written, leaf, good);
            if (answer.equals(good)) {
                led.put(one.receipt, leaf);
            }
            return answer;
        }

        private Result.Resolved verified(Outcome outcome, Leaf leaf) {
            return Result.Resolved.verified(
                    outcome, leaf, proven(entry.orElseThrow().leaf.orElseThrow()));
        }

        private Result.Resolved spoilt(Entry written, Leaf leaf, Result.Resolved good) {
            boolean wasRead = led.containsKey(one.receipt);
            if (isTimeFor(PlantedFlaw.PROOF_IS_BAD)) {
                plant(one.receipt);
                return Result.Resolved.flawed(good.outcome(), leaf, "inclusion: another root");
            }
            if (isTimeFor(PlantedFlaw.ANSWER_FOR_A_RECEIPT_CANNOT_BE_READ)) {
                plant(one.receipt);
                return Result.Resolved.unreadable("no JSON");
            }
            if (pendingForEver.contains(one.receipt) || !wasRead && isTimeFor(PlantedFlaw.RECEIPT_STAYS_PENDING)) {
                plant(one.receipt);
                pendingForEver.add(one.receipt);
                return Result.Resolved.without(Outcome.PENDING);
            }
            if (written.outcome == Outcome.LEAF
                    && !wasRead
                    && one.receipt.incarnation() < incarnation
                    && isTimeFor(PlantedFlaw.TOLD_LOST_THOUGH_IT_WAS_PUBLISHED)) {
                plant(one.receipt);
                given.remove(one);
                return Result.Resolved.without(Outcome.LOST);
            }
            if (isTimeFor(PlantedFlaw.TOLD_LOST_WITHOUT_A_LOSS) && !wasRead) {
                plant(one.receipt);
                given.remove(one);
                return Result.Resolved.without(
                        incarnation > one.receipt.incarnation() ? Outcome.REJECTED : Outcome.LOST);
            }
            if (wasRead && isTimeFor(PlantedFlaw.RECEIPT_IS_REJECTED_LATER)) {
                plant(one.receipt);
                return Result.Resolved.without(Outcome.REJECTED);
            }
            if (isTimeFor(PlantedFlaw.RECEIPT_SHOWS_WHAT_IS_NOT_THERE)) {
                plant(leaf.place());
                return verified(good.outcome(), with(leaf, leaf.index(), hash("not there"), leaf.receipt()));
            }
            if (!wasRead
                    && isTimeFor(PlantedFlaw.RECEIPT_SHOWS_A_LEAF_BEYOND_THE_END)
                    && good.outcome() == Outcome.LEAF) {
                plant("shard " + leaf.shard() + " leaf 1000000");
                given.remove(one);
                return verified(good.outcome(), with(leaf, 1_000_000, leaf.hash(), leaf.receipt()));
            }
            return misled(written, leaf, forked(leaf, good), wasRead);
        }

        private Result.Resolved forked(Leaf leaf, Result.Resolved good) {
            Result.ShardHead head = good.proven().orElseThrow().shard();
            Result.TreeHead log = good.proven().orElseThrow().log();
            if (toldLogSizes.contains((int) log.size()) && isTimeFor(PlantedFlaw.PROOF_LEADS_TO_A_FORKED_LOG)) {
                plant("the ledger log of size " + log.size());
                return Result.Resolved.verified(
                        good.outcome(),
                        leaf,
                        new Result.Proven(head, new Result.TreeHead(log.size(), hash("another"))));
            }
            if (!toldHeads.add(head) && isTimeFor(PlantedFlaw.PROOF_LEADS_TO_A_FORKED_SHARD)) {
                plant("shard " + head.shard() + " of size " + head.size());
                return Result.Resolved.verified(
                        good.outcome(),
                        leaf,
                        new Result.Proven(new Result.ShardHead(head.shard(), head.size(), hash("another")), log));
            }
            return good;
        }

        private Result.Resolved misled(Entry written, Leaf leaf, Result.Resolved good, boolean wasRead) {
            if (written.outcome == Outcome.DUPLICATE
                    && !wasRead
                    && isTimeFor(PlantedFlaw.RECEIPT_LEADS_TO_ANOTHER_EVENT)) {
                Optional<Leaf> other = shard.leaves.stream()
                        .filter(any ->
                                any.kind() == leaf.kind() && !any.identity().equals(leaf.identity()))
                        .findFirst();
                if (other.isPresent() && other.get().index() < headSize(shard)) {
                    plant(one.receipt);
                    return verified(good.outcome(), other.get());
                }
            }
            if (shards.size() > 1 && isTimeFor(PlantedFlaw.RECEIPT_LEADS_TO_ANOTHER_SHARD)) {
                plant(one.receipt);
                return verified(
                        good.outcome(),
                        new Leaf(
                                (shard.number + 1) % shards.size(),
                                leaf.index(),
                                leaf.kind(),
                                leaf.identity(),
                                leaf.digest(),
                                leaf.hash(),
                                leaf.receipt()));
            }
            if (written.outcome != Outcome.DUPLICATE
                    && !wasRead
                    && isTimeFor(PlantedFlaw.RECEIPT_LEADS_TO_ANOTHER_KIND)) {
                plant(one.receipt);
                given.remove(one);
                return verified(good.outcome() == Outcome.CONFLICT ? Outcome.LEAF : Outcome.CONFLICT, leaf);
            }
            if (written.outcome != Outcome.DUPLICATE
                    && isTimeFor(PlantedFlaw.RECEIPT_LEADS_TO_THE_LEAF_OF_ANOTHER_RECORD)) {
                plant(one.receipt);
                Receipt another = new Receipt(incarnation, shard.number, 1_000_000);
                return verified(good.outcome(), with(leaf, leaf.index(), leaf.hash(), Optional.of(another)));
            }
            if (written.outcome == Outcome.DUPLICATE
                    && !wasRead
                    && isTimeFor(PlantedFlaw.DUPLICATE_IS_SAID_TO_BE_THE_LEAF)) {
                plant(one.receipt);
                given.remove(one);
                return verified(Outcome.LEAF, leaf);
            }
            if (written.outcome == Outcome.LEAF && !wasRead && isTimeFor(PlantedFlaw.LEAF_IS_SAID_TO_BE_A_DUPLICATE)) {
                plant(one.receipt);
                given.remove(one);
                return verified(Outcome.DUPLICATE, leaf);
            }
            if (wasRead && isTimeFor(PlantedFlaw.RECEIPT_MOVES)) {
                plant(one.receipt);
                return verified(good.outcome(), with(leaf, leaf.index() + 1, leaf.hash(), leaf.receipt()));
            }
            if (written.outcome == Outcome.DUPLICATE
                    && !wasRead
                    && led.values().stream().anyMatch(leaf::equals)
                    && isTimeFor(PlantedFlaw.SAID_TO_BE_AT_TWO_PLACES)) {
                plant(one.event.identity);
                return verified(good.outcome(), with(leaf, leaf.index() + 1, leaf.hash(), leaf.receipt()));
            }
            return good;
        }

        private Leaf with(Leaf leaf, long index, Hash hash, Optional<Receipt> receipt) {
            return new Leaf(leaf.shard(), index, leaf.kind(), leaf.identity(), leaf.digest(), hash, receipt);
        }
    }

    /** The heads of the first epoch that has it. */
    private Result.Proven proven(Leaf leaf) {
        int first = 0;
        while (epochs.get(first).heads.get(leaf.shard()).size() <= leaf.index()) {
            first++;
        }
        return new Result.Proven(
                epochs.get(first).heads.get(leaf.shard()), new Result.TreeHead(first + 1, hash("log " + (first + 1))));
    }

    private long headSize(Shard shard) {
        return epochs.get(epochs.size() - 1).heads.get(shard.number).size();
    }

    private void beginReading() {
        History.Call<Result.Heads> call = history.invoke("auditor", new Operation.ReadCheckpoint());
        readings.add(new Reading(call, random.nextInt(3) == 0 ? -1 : epochs.size(), toldEpochs));
    }

    /** Any of those that have begun, with what was newest when it began or is now: they overtake each other. */
    private void endReading() {
        if (readings.isEmpty()) {
            return;
        }
        Reading reading = readings.remove(random.nextInt(readings.size()));
        if (random.nextInt(8) == 0) {
            reading.call.info("no answer");
            return;
        }
        int size = reading.epochs < 0 ? epochs.size() : reading.epochs;
        if (reading.toldBefore > 1 && isTimeFor(PlantedFlaw.OLD_CHECKPOINT_COMES_AGAIN)) {
            plant("the ledger log has size " + (reading.toldBefore - 1));
            size = reading.toldBefore - 1;
        }
        reading.call.ok(spoilt(size));
        toldEpochs = Math.max(toldEpochs, size);
        toldLogSizes.add(size);
    }

    private Result.Heads heads(int size) {
        Epoch epoch = epochs.get(size - 1);
        return new Result.Heads(
                incarnation,
                Optional.of(new Result.TreeHead(size, hash("log " + size))),
                OptionalLong.of(epoch.timeMillis),
                epoch.heads,
                "");
    }

    private Result.Heads spoilt(int size) {
        Result.Heads good = heads(size);
        boolean wasTold = size == toldEpochs;
        Result.ShardHead first = good.shards().get(0);
        if (isTimeFor(PlantedFlaw.ANSWER_FOR_A_CHECKPOINT_CANNOT_BE_READ)) {
            plant("no note");
            return Result.Heads.unreadable("no note");
        }
        if (isTimeFor(PlantedFlaw.CHECKPOINT_IS_BAD)) {
            plant("signature");
            return new Result.Heads(1, good.log(), good.timeMillis(), good.shards(), "bad signature");
        }
        if (wasTold && isTimeFor(PlantedFlaw.LOG_IS_FORKED)) {
            plant("the ledger log of size " + size);
            return withLog(good, new Result.TreeHead(size, hash("another")));
        }
        if (wasTold && isTimeFor(PlantedFlaw.SHARD_IS_FORKED)) {
            plant("shard 0 of size " + first.size());
            return withShard(good, new Result.ShardHead(0, first.size(), hash("another")));
        }
        if (toldSizes.add(first.size()) && !toldHeads.contains(first) && isTimeFor(PlantedFlaw.SHARD_ROOT_IS_WRONG)) {
            plant("shard 0 of size " + first.size());
            return withShard(good, new Result.ShardHead(0, first.size(), hash("another")));
        }
        if (isTimeFor(PlantedFlaw.LOG_SIZE_IS_BEYOND_THE_END)) {
            plant("the ledger log of size 1000000");
            return withLog(good, new Result.TreeHead(1_000_000, hash("beyond")));
        }
        if (isTimeFor(PlantedFlaw.SHARD_SIZE_IS_BEYOND_THE_END)) {
            plant("shard 0 of size 1000000");
            return withShard(good, new Result.ShardHead(0, 1_000_000, hash("beyond")));
        }
        return good;
    }

    private static Result.Heads withLog(Result.Heads heads, Result.TreeHead log) {
        return new Result.Heads(heads.incarnation(), Optional.of(log), OptionalLong.empty(), heads.shards(), "");
    }

    private static Result.Heads withShard(Result.Heads heads, Result.ShardHead head) {
        List<Result.ShardHead> shards = new ArrayList<>(heads.shards());
        shards.set(head.shard(), head);
        return new Result.Heads(heads.incarnation(), heads.log(), heads.timeMillis(), shards, "");
    }

    // ---- the end

    private void finish() {
        while (pending.size() > 1 || pending.stream().anyMatch(append -> append.event.isSpoilt)) {
            goOn(); // one that never ends may be left
        }
        while (shards.stream().anyMatch(shard -> shard.sequenced < shard.log.size()) || !late.isEmpty()) {
            sequence();
        }
        publish();
        for (Given one : List.copyOf(given)) {
            if (lost.contains(one.receipt)
                    || toldPending.contains(one.receipt)
                    || random.nextInt(3) == 0
                    || planted.isPresent()) {
                readReceipt(one);
            }
        }
        readAll();
    }

    /** One that is not the last. */
    private void readAllSoFar() {
        History.Call<Result.Heads> all = history.invoke("auditor", new Operation.ReadAll());
        Result.Heads heads = heads(epochs.size());
        heads.shards()
                .forEach(head -> shards.get(head.shard())
                        .leaves
                        .subList(0, (int) head.size())
                        .forEach(all::leaf));
        all.ok(heads);
        toldEpochs = epochs.size();
        toldLogSizes.add(toldEpochs);
        toldSizes.add(heads.shards().get(0).size());
    }

    private void readAll() {
        History.Call<Result.Heads> abandoned = history.invoke("auditor", new Operation.ReadAll());
        abandoned.leaf(shards.get(0).leaves.get(0));
        abandoned.info("broken off");
        History.Call<Result.Heads> all = history.invoke("auditor", new Operation.ReadAll());
        Result.Heads good = heads(epochs.size());
        List<Leaf> leaves =
                shards.stream().flatMap(shard -> shard.leaves.stream()).toList();
        goOnAfterwards();
        if (!led.isEmpty() && isTimeForLast(PlantedFlaw.RECEIPT_IS_PENDING_AGAIN_AT_THE_END)) {
            Receipt decided = led.keySet().iterator().next();
            plant(decided);
            history.invoke("reader-0", new Operation.ReadReceipt(decided)).ok(Result.Resolved.without(Outcome.PENDING));
        }
        leaves.forEach(leaf -> tell(all, leaf));
        if (isTimeForLast(PlantedFlaw.NO_FINAL_READ)) {
            plant("none is a read of all leaves");
            all.info("no answer");
            return;
        }
        all.ok(spoiltAtTheEnd(good));
    }

    /** What comes while the leaves are being read need not be among them. */
    private void goOnAfterwards() {
        Event event = new Event(new Identity(TENANT, "/source/0", "afterwards"), "digest-0", 0);
        History.Call<Result.Appended> call =
                history.invoke("client-0", new Operation.Append(event.identity, event.digest));
        Entry entry = append(event);
        call.ok(new Result.Appended(entry.receipt));
        Shard shard = shards.get(0);
        decide(shard, entry);
        shard.sequenced = shard.log.size();
        int published = epochs.size();
        publish();
        Leaf leaf = entry.leaf.orElseThrow();
        history.invoke("reader-0", new Operation.ReadReceipt(entry.receipt))
                .ok(Result.Resolved.verified(Outcome.LEAF, leaf, proven(leaf)));
        history.invoke("auditor", new Operation.ReadCheckpoint()).ok(heads(published + 1));
    }

    private boolean isTimeForLast(PlantedFlaw what) {
        return flaw.filter(what::equals).isPresent();
    }

    private void tell(History.Call<Result.Heads> all, Leaf leaf) {
        boolean isFirst = leaf.shard() == 0 && leaf.index() == 0;
        if (isFirst && isTimeForLast(PlantedFlaw.LEAF_IS_MISSING)) {
            plant("shard 0 has no leaf 0");
            return;
        }
        if (isFirst && isTimeForLast(PlantedFlaw.LEAF_SHARES_ITS_INDEX)) {
            plant("shard 0 leaf 0");
            all.leaf(Leaf.control(0, 0, hash("another")));
        }
        if (isFirst && isTimeForLast(PlantedFlaw.LEAF_IS_ALTERED_AFTERWARDS)) {
            plant("shard 0 of size");
            all.leaf(Leaf.control(0, 0, hash("another")));
            return;
        }
        if (leaf.kind() == Leaf.Kind.EVENT && tellOfAnotherRecord(all, leaf)) {
            return;
        }
        Optional<Given> other = given.stream()
                .filter(one -> !Optional.of(one.event.identity).equals(leaf.identity()))
                .findFirst();
        if (leaf.kind() == Leaf.Kind.EVENT
                && other.isPresent()
                && isTimeFor(PlantedFlaw.LEAF_NAMES_THE_RECEIPT_OF_ANOTHER)) {
            plant(leaf.place());
            all.leaf(ofRecord(leaf, other.get().receipt));
            return;
        }
        all.leaf(leaf);
    }

    private boolean tellOfAnotherRecord(History.Call<Result.Heads> all, Leaf leaf) {
        Receipt own = leaf.receipt().orElseThrow();
        if (shards.size() > 1 && isTimeFor(PlantedFlaw.LEAF_NAMES_A_RECORD_OF_ANOTHER_SHARD)) {
            plant(leaf.place());
            all.leaf(ofRecord(leaf, new Receipt(own.incarnation(), (own.shard() + 1) % shards.size(), 1_000_000)));
            return true;
        }
        Optional<Receipt> before = leaf.index() == 0
                ? Optional.empty()
                : shards.get(leaf.shard()).leaves.get((int) leaf.index() - 1).receipt();
        if (before.isPresent()
                && given.stream().noneMatch(one -> one.receipt.equals(before.get()))
                && isTimeFor(PlantedFlaw.RECORD_HAS_TWO_LEAVES)) {
            plant(leaf.place() + " is of record " + before.get());
            all.leaf(ofRecord(leaf, before.get()));
            return true;
        }
        return false;
    }

    private static Leaf ofRecord(Leaf leaf, Receipt record) {
        return new Leaf(
                leaf.shard(),
                leaf.index(),
                leaf.kind(),
                leaf.identity(),
                leaf.digest(),
                leaf.hash(),
                Optional.of(record));
    }

    private Result.Heads spoiltAtTheEnd(Result.Heads good) {
        Result.ShardHead first = good.shards().get(0);
        if (isTimeForLast(PlantedFlaw.LEAF_AT_THE_END_IS_MISSING)) {
            plant("shard 0 has no leaf " + first.size());
            return withShard(good, new Result.ShardHead(0, first.size() + 1, hash("longer")));
        }
        if (isTimeForLast(PlantedFlaw.LEAF_HAS_NO_HEAD)) {
            plant("shard 0 has leaves to " + (first.size() - 1));
            return withShard(
                    good,
                    new Result.ShardHead(0, first.size() - 1, shards.get(0).root(first.size() - 1)));
        }
        if (isTimeForLast(PlantedFlaw.FINAL_READ_DOES_NOT_VERIFY)) {
            plant("bad signature");
            return new Result.Heads(1, good.log(), good.timeMillis(), good.shards(), "bad signature");
        }
        long size = good.log().orElseThrow().size();
        if (toldEpochs > 0 && toldEpochs < size && isTimeForLast(PlantedFlaw.TIME_GOES_BACK)) {
            plant("the checkpoint of size " + size);
            return new Result.Heads(incarnation, good.log(), OptionalLong.of(1), good.shards(), "");
        }
        return good;
    }
}
