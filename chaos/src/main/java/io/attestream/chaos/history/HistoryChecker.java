// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.chaos.history.HistoryEvent.Begun;
import io.attestream.chaos.history.HistoryEvent.Failed;
import io.attestream.chaos.history.HistoryEvent.Invoked;
import io.attestream.chaos.history.HistoryEvent.LeafRead;
import io.attestream.chaos.history.HistoryEvent.Ok;
import io.attestream.chaos.history.HistoryEvent.Unknown;
import io.attestream.chaos.history.Subject.Content;
import io.attestream.chaos.history.Subject.Found;
import io.attestream.chaos.history.Subject.Said;
import io.attestream.proofs.tree.Hash;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Judges what clients of a ledger did and were told: what each {@link AnomalyKind} means is the contract. Asks no service; the file is
 * all there is.
 *
 * <p>Goes through the file twice. Takes O(n log n) time, and some 800 bytes of memory for each append that has a leaf.
 */
public final class HistoryChecker {
    private final Findings findings = new Findings();
    private final Heads heads = new Heads(findings);
    private final FinalTree tree = new FinalTree(findings);
    private final Map<Identity, Subject> subjects = new HashMap<>();
    private final Map<Receipt, Acknowledgement> acknowledgements = new HashMap<>();
    private final Map<String, String> texts = new HashMap<>();
    private final List<Shown> shown = new ArrayList<>();
    /** Operations that have not ended. */
    private final Map<Long, Invoked> open = new HashMap<>();
    /** Of the whole tree, the last that ended well. */
    private final Optional<Ok> finalRead;

    private final Set<Tolerated> tolerated;
    private long windowLeaves;
    private Optional<Others> others = Optional.empty();
    private long operations;
    private long ok;
    private long fail;
    private long acknowledged;
    private long toldLost;
    private long unjudged;
    private OptionalLong worstPublicationNanos = OptionalLong.empty();
    /** Of the leaves of the tree, in their order. */
    private @Nullable Found lastOfRecord;

    /** An append that was acknowledged. */
    private static final class Acknowledgement {
        final Content content;
        final Receipt receipt;
        /** Numbers, because the events themselves would be all of the file. */
        final long operation;

        final long invokedLine;
        final long line;
        final long nanos;
        /** As the acknowledgement said, or else the first read of the receipt. */
        OptionalLong leafIndex;

        Result.Outcome outcome = Result.Outcome.PENDING;
        /** Line on which somebody asked last for what is answered. */
        long askedLine;

        boolean isPendingWhenAskedLast;

        Acknowledgement(Content content, Ok ok, Result.Appended appended) {
            this.content = content;
            this.receipt = appended.receipt();
            this.operation = ok.invoked().number();
            this.invokedLine = ok.invoked().line();
            this.line = ok.line();
            this.nanos = ok.nanos();
            this.leafIndex = appended.leafIndex();
        }

        void asked(long line, Result.Outcome told) {
            if (line > askedLine) {
                askedLine = line;
                isPendingWhenAskedLast = told == Result.Outcome.PENDING;
            }
        }

        /** Nobody was told anything else, or it is pending again though by then all was published. */
        boolean isUnresolved(long allPublishedLine) {
            return isPendingWhenAskedLast && (outcome == Result.Outcome.PENDING || askedLine > allPublishedLine);
        }

        @Override
        public String toString() {
            return content + ", acknowledged in operation " + operation + " with receipt " + receipt;
        }
    }

    /** A leaf that a receipt led to. */
    private record Shown(long line, long operation, int shard, long index, Hash hash) {}

    private HistoryChecker(Optional<Ok> finalRead, Set<Tolerated> tolerated) {
        this.finalRead = finalRead;
        this.tolerated = tolerated;
    }

    /**
     * Judges a history in which every acknowledged event has to be found.
     *
     * @throws IOException if the file cannot be read
     * @throws InvalidHistory if it is no history
     */
    public static Verdict check(Path file) throws IOException, InvalidHistory {
        return check(file, Set.of());
    }

    /**
     * Judges a history.
     *
     * @param tolerated what is known to have happened to it; the verdict counts it
     * @throws IOException if the file cannot be read
     * @throws InvalidHistory if it is no history
     */
    public static Verdict check(Path file, Set<Tolerated> tolerated) throws IOException, InvalidHistory {
        List<Ok> finalReads = new ArrayList<>(1);
        HistoryReader.read(file, event -> {
            if (event instanceof Ok ended
                    && ended.invoked().operation() instanceof Operation.ReadAll
                    && ended.result() instanceof Result.Heads read
                    && read.flaw().isEmpty()) {
                finalReads.clear();
                finalReads.add(ended);
            }
        });
        HistoryChecker checker = new HistoryChecker(finalReads.stream().findFirst(), tolerated);
        HistoryReader.End end = HistoryReader.read(file, checker::take);
        checker.judge();
        return checker.verdict(end.torn());
    }

    private Verdict verdict(boolean torn) {
        Verdict.Statistics statistics = new Verdict.Statistics(
                operations,
                ok,
                fail,
                operations - ok - fail,
                acknowledged,
                toldLost,
                unjudged,
                tree.leaves(),
                worstPublicationNanos.isPresent()
                        ? OptionalLong.of(TimeUnit.NANOSECONDS.toMillis(worstPublicationNanos.getAsLong()))
                        : OptionalLong.empty(),
                torn);
        return new Verdict(findings.all(), statistics);
    }

    // ---- what the file says, line by line

    private void take(HistoryEvent event) {
        if (event instanceof Begun begun) {
            windowLeaves = begun.windowLeaves();
            others = begun.others();
        } else if (event instanceof Invoked invoked) {
            begin(invoked);
        } else if (event instanceof Ok ended) {
            ok++;
            open.remove(ended.invoked().number());
            told(ended);
        } else if (event instanceof Failed failed) {
            fail++;
            refused(failed.invoked());
        } else if (event instanceof Unknown unknown) {
            heads.gone(unknown.invoked()); // an append stays open: it may happen yet
        } else if (event instanceof LeafRead leaf && isFinal(leaf.invoked())) {
            tree.add(found(leaf.leaf()));
        }
    }

    private boolean isFinal(Invoked invoked) {
        return finalRead.isPresent() && finalRead.get().invoked().number() == invoked.number();
    }

    private void begin(Invoked invoked) {
        operations++;
        if (invoked.operation() instanceof Operation.Append append) {
            open.put(invoked.number(), invoked);
            content(append);
        } else if (!(invoked.operation() instanceof Operation.ReadReceipt)) {
            heads.begun(invoked);
        }
    }

    private Content content(Operation.Append append) {
        return content(append.identity(), append.digest());
    }

    private Content content(Identity identity, String digest) {
        Subject subject = subjects.get(identity);
        if (subject == null) {
            Identity kept = new Identity(
                    kept(identity.tenant()),
                    kept(identity.source()),
                    identity.partitionKey().map(this::kept),
                    identity.id());
            subject = new Subject(kept);
            subjects.put(kept, subject);
        }
        return subject.content(digest);
    }

    /** One of the few sources and tenants, kept once. */
    private String kept(String text) {
        String before = texts.putIfAbsent(text, text);
        return before == null ? text : before;
    }

    private void refused(Invoked invoked) {
        if (invoked.operation() instanceof Operation.Append append) {
            open.remove(invoked.number());
            content(append).refusals++;
        } else {
            heads.gone(invoked);
        }
    }

    private void told(Ok ended) {
        if (ended.invoked().operation() instanceof Operation.Append append
                && ended.result() instanceof Result.Appended appended) {
            acknowledged(content(append), ended, appended);
        } else if (ended.invoked().operation() instanceof Operation.ReadReceipt read
                && ended.result() instanceof Result.Resolved resolved) {
            resolved(read.receipt(), ended, resolved);
        } else if (ended.result() instanceof Result.Heads read) {
            heads.read(ended, read);
        }
    }

    private void acknowledged(Content content, Ok ended, Result.Appended appended) {
        acknowledged++;
        Acknowledgement now = new Acknowledgement(content, ended, appended);
        acknowledgedIn(content.subject, now);
        Acknowledgement before = acknowledgements.putIfAbsent(appended.receipt(), now);
        if (before == null) {
            return;
        }
        content.attempt(ended.invoked().line()); // the same answer to the same event
        if (before.content != content) {
            findings.add(
                    AnomalyKind.ONE_RECEIPT_TWICE,
                    () -> before + ", and so was " + content + " in operation "
                            + ended.invoked().number());
        }
    }

    private void acknowledgedIn(Subject subject, Acknowledgement now) {
        int shard = now.receipt.shard();
        if (subject.shard == Subject.NOWHERE) {
            subject.shard = shard;
        } else if (subject.shard != shard) {
            findings.add(AnomalyKind.MISPLACED, () -> now + ", and one of its identity in shard " + subject.shard);
        }
    }

    private void resolved(Receipt receipt, Ok ended, Result.Resolved resolved) {
        long operation = ended.invoked().number();
        if (!resolved.flaw().isEmpty()) {
            findings.add(
                    AnomalyKind.UNVERIFIED,
                    () -> "operation " + operation + ", receipt " + receipt + ": " + resolved.flaw());
        }
        resolved.proven().ifPresent(proven -> heads.proven(ended, proven));
        Acknowledgement acknowledgement = acknowledgements.get(receipt);
        if (acknowledgement != null) {
            acknowledgement.asked(ended.invoked().line(), resolved.outcome());
            became(acknowledgement, ended, resolved.outcome());
        }
        resolved.leaf().ifPresent(leaf -> {
            shown.add(new Shown(ended.line(), operation, leaf.shard(), leaf.index(), leaf.hash()));
            if (acknowledgement != null) {
                led(acknowledgement, operation, resolved.outcome(), leaf);
            }
        });
    }

    /** A receipt that is not pending any more stays what it is. */
    private void became(Acknowledgement of, Ok ended, Result.Outcome outcome) {
        if (outcome == Result.Outcome.PENDING) {
            return;
        }
        if (of.outcome == Result.Outcome.PENDING) {
            of.outcome = outcome;
            if (outcome.hasLeaf()) {
                long nanos = ended.nanos() - of.nanos;
                worstPublicationNanos = OptionalLong.of(Math.max(worstPublicationNanos.orElse(0), nanos));
            }
        } else if (of.outcome != outcome) {
            findings.add(
                    AnomalyKind.MISRESOLVED,
                    () -> "in operation " + ended.invoked().number() + " it is " + outcome.word() + ", and it was "
                            + of.outcome.word() + " before (" + of + ")");
        }
    }

    /** A receipt led to this leaf. */
    private void led(Acknowledgement to, long operation, Result.Outcome outcome, Leaf leaf) {
        String wrong = wrong(to, outcome, leaf);
        if (!wrong.isEmpty()) {
            findings.add(
                    AnomalyKind.MISRESOLVED,
                    () -> "in operation " + operation + " " + to.receipt + " led to " + leaf.place() + " as "
                            + outcome.word() + ": " + wrong + " (" + to + ")");
            return;
        }
        to.leafIndex = OptionalLong.of(leaf.index());
        if (outcome != Result.Outcome.CONFLICT) {
            said(to.content, new Said(leaf.shard(), leaf.index(), operation));
        }
    }

    /** Why this cannot be the leaf of that event; empty if it can. */
    private String wrong(Acknowledgement of, Result.Outcome outcome, Leaf leaf) {
        if (leaf.shard() != of.receipt.shard()) {
            return "another shard";
        }
        if (find(leaf).filter(content -> content == of.content).isEmpty()) {
            return "another event, " + leaf.identity().map(Identity::toString).orElse("a control leaf");
        }
        if ((outcome == Result.Outcome.CONFLICT) != (leaf.kind() == Leaf.Kind.CONFLICT)) {
            return "the leaf's kind is " + leaf.kind().word();
        }
        if (of.leafIndex.isPresent() && of.leafIndex.getAsLong() != leaf.index()) {
            return "it was leaf " + of.leafIndex.getAsLong() + " before";
        }
        boolean isOwn = leaf.receipt().filter(of.receipt::equals).isPresent();
        if (leaf.receipt().isPresent() && isOwn == (outcome == Result.Outcome.DUPLICATE)) {
            return "the leaf is of the record " + leaf.receipt().get();
        }
        return "";
    }

    private void said(Content content, Said now) {
        Said before = content.said;
        if (before != null && before.shard() == now.shard() && before.index() == now.index()) {
            return;
        }
        if (before != null && isInWindow(before.shard(), before.index(), now.shard(), now.index())) {
            findings.add(
                    AnomalyKind.ANSWERED_TWICE,
                    () -> content + " is shard " + before.shard() + " leaf " + before.index() + " in operation "
                            + before.operation() + ", and shard " + now.shard() + " leaf " + now.index()
                            + " in operation " + now.operation());
        }
        content.said = now;
    }

    /** Whether one identity cannot have event leaves at both places. An identity belongs to one shard, for ever. */
    private boolean isInWindow(int shard, long index, int otherShard, long otherIndex) {
        return shard != otherShard || Math.abs(index - otherIndex) <= windowLeaves;
    }

    private Optional<Content> find(Leaf leaf) {
        return leaf.identity().map(subjects::get).flatMap(subject -> subject.find(leaf.digest()));
    }

    /** Of a leaf of somebody who is not recorded: only that it was sent is not known. */
    private Optional<Content> findOfOthers(Leaf leaf) {
        return leaf.identity()
                .filter(identity -> others.filter(of -> of.sent(identity)).isPresent())
                .map(identity -> {
                    Content content = content(identity, leaf.digest());
                    content.isOfOthers = true;
                    return content;
                });
    }

    private Found found(Leaf leaf) {
        Content content = find(leaf).or(() -> findOfOthers(leaf)).orElse(null);
        if (content == null && leaf.kind() != Leaf.Kind.CONTROL) {
            boolean isKnown = leaf.identity().filter(subjects::containsKey).isPresent();
            findings.add(
                    AnomalyKind.PHANTOM,
                    () -> leaf.place() + ", "
                            + leaf.identity().map(Identity::toString).orElse("")
                            + (isKnown ? ": sent with other content" : ""));
        }
        return new Found(
                leaf.shard(),
                leaf.index(),
                leaf.kind(),
                content,
                leaf.hash(),
                leaf.receipt().orElse(null));
    }

    // ---- what it comes to

    private void judge() {
        if (!tolerated.contains(Tolerated.CLOCK)) {
            heads.judgeTimes();
        }
        if (finalRead.isEmpty()) {
            findings.add(AnomalyKind.UNREAD, () -> "of " + operations + " operations none is a read of all leaves");
            return;
        }
        Ok last = finalRead.get();
        Result.Heads lastHeads = (Result.Heads) last.result();
        open.values()
                .forEach(unknown ->
                        content((Operation.Append) unknown.operation()).attempt(unknown.line()));
        acknowledgements.values().forEach(one -> account(one, last, lastHeads.incarnation()));
        tree.judgeIndexes(lastHeads);
        tree.judgeRoots(heads);
        tree.forEach(this::judge);
        subjects.values().forEach(subject -> subject.contents().forEach(this::judgeLeaves));
        acknowledgements.values().forEach(this::judgePlace);
        judgeOrder();
        judgeReads(last, lastHeads);
    }

    private void account(Acknowledgement of, Ok last, int incarnation) {
        of.content.attempt(of.invokedLine);
        boolean isLostWithItsTopic = of.outcome == Result.Outcome.LOST && of.receipt.incarnation() < incarnation;
        if (isLostWithItsTopic) {
            toldLost++;
        }
        boolean isTolerated = isLostWithItsTopic && tolerated.contains(Tolerated.LOSS);
        boolean isGone = of.outcome == Result.Outcome.LOST || of.outcome == Result.Outcome.REJECTED;
        long begun = last.invoked().line();
        if (isGone && !isTolerated) {
            findings.add(AnomalyKind.LOST, () -> of + ", which says now that it is " + of.outcome.word());
        } else if (!isGone && of.line < begun) {
            of.content.require(of.line);
            if (of.isUnresolved(begun)) {
                findings.add(AnomalyKind.UNRESOLVED, () -> of + ", asked for last on line " + of.askedLine);
            }
        } else if (!isGone) {
            late(of, begun);
        }
    }

    private void late(Acknowledgement of, long begun) {
        unjudged++;
        if (!tolerated.contains(Tolerated.LATE)) {
            findings.add(
                    AnomalyKind.UNJUDGED, () -> of + " on line " + of.line + ", the leaves are as of line " + begun);
        }
    }

    /** A leaf of the tree, in their order. */
    private void judge(Found leaf) {
        judgeRecord(leaf);
        Content content = leaf.content();
        if (content == null) {
            return;
        }
        content.leaf = leaf;
        if (content.attempts == 0 && !content.isOfOthers) {
            findings.add(
                    AnomalyKind.ABORTED_READ,
                    () -> leaf.place() + ", " + content + ": refused each of the " + content.refusals
                            + " times it was sent");
        }
        Found event = content.subject.lastEvent;
        boolean isAfterEvent = event != null && isInWindow(event.shard(), event.index(), leaf.shard(), leaf.index());
        if (leaf.kind() == Leaf.Kind.CONFLICT) {
            content.conflictLeaves++;
            if (!isAfterEvent || event == null || event.content() == content) {
                findings.add(AnomalyKind.FALSE_CONFLICT, () -> leaf.place() + ", " + content);
            }
            return;
        }
        content.eventLeaves++;
        if (isAfterEvent && event != null) {
            findings.add(AnomalyKind.DUPLICATED, () -> content + ": " + event.place() + " and " + leaf.place());
        }
        content.subject.lastEvent = leaf;
    }

    /** Whether it can be of the record it says it is of. */
    private void judgeRecord(Found leaf) {
        Receipt record = leaf.receipt();
        Content content = leaf.content();
        int acknowledged = content == null ? Subject.NOWHERE : content.subject.shard;
        if (acknowledged != Subject.NOWHERE && acknowledged != leaf.shard()) {
            findings.add(
                    AnomalyKind.MISPLACED,
                    () -> leaf.place() + ", " + content + ", was acknowledged in shard " + acknowledged);
        } else if (record != null && record.shard() != leaf.shard()) {
            findings.add(AnomalyKind.MISPLACED, () -> leaf.place() + " is of record " + record);
        }
        if (record == null) {
            return;
        }
        Acknowledgement of = acknowledgements.get(record);
        if (of != null && of.content != content) {
            findings.add(
                    AnomalyKind.MISRESOLVED,
                    () -> leaf.place() + ", " + (content == null ? "of nobody" : content) + ", is of the record of "
                            + of);
        } else if (of != null && of.outcome == Result.Outcome.LOST) {
            findings.add(
                    AnomalyKind.MISRESOLVED, () -> leaf.place() + " is of the record that is said to be lost: " + of);
        }
        Found before = lastOfRecord;
        lastOfRecord = leaf;
        if (before != null
                && before.shard() == leaf.shard()
                && before.receipt() != null
                && !record.isAfter(before.receipt())) {
            findings.add(
                    AnomalyKind.DISORDERED,
                    () -> leaf.place() + " is of record " + record + ", " + before.place() + " of " + before.receipt());
        }
    }

    private void judgeLeaves(Content content) {
        int leaves = content.eventLeaves + content.conflictLeaves;
        if (content.conflictLeaves > 0 && content.attempts > 0 && leaves > content.attempts) {
            findings.add(
                    AnomalyKind.DUPLICATED,
                    () -> content + ": " + leaves + " leaves, the last " + content.place() + ", and sent "
                            + content.attempts + " times");
        }
        if (content.eventLeaves == 0 && content.conflictLeaves < content.acknowledgements) {
            findings.add(
                    AnomalyKind.LOST,
                    () -> content + ": acknowledged " + content.acknowledgements + " times, first on line "
                            + content.firstAcknowledgedLine + ", and has " + content.conflictLeaves + " leaves");
        }
    }

    private void judgePlace(Acknowledgement of) {
        if (of.outcome.hasLeaf() || of.leafIndex.isEmpty() || of.outcome == Result.Outcome.LOST) {
            return; // that leaf was shown, and is judged by what was shown
        }
        long index = of.leafIndex.getAsLong();
        if (tree.at(of.receipt.shard(), index)
                .filter(leaf -> leaf.content() == of.content)
                .isEmpty()) {
            findings.add(AnomalyKind.MISRESOLVED, () -> of + " as leaf " + index + ", which is another event or none");
        }
    }

    /** By two sorted lists, gone through side by side. */
    private void judgeOrder() {
        Map<Integer, List<Found>> byShard = new TreeMap<>();
        tree.forEach(leaf -> {
            Content content = leaf.content();
            if (content != null && content.eventLeaves + content.conflictLeaves == 1) {
                byShard.computeIfAbsent(leaf.shard(), none -> new ArrayList<>()).add(leaf);
            }
        });
        byShard.values().forEach(this::judgeOrder);
    }

    private void judgeOrder(List<Found> leaves) {
        List<Found> acknowledgedFirst = sorted(leaves, content -> content.firstAcknowledgedLine);
        Found highest = null;
        int next = 0;
        for (Found leaf : sorted(leaves, content -> content.firstInvokedLine)) {
            long invokedLine = leaf.requireContent().firstInvokedLine;
            while (next < acknowledgedFirst.size()
                    && acknowledgedFirst.get(next).requireContent().firstAcknowledgedLine < invokedLine) {
                Found before = acknowledgedFirst.get(next++);
                highest = highest == null || before.index() > highest.index() ? before : highest;
            }
            if (highest != null && highest.index() > leaf.index() && invokedLine != Subject.NEVER) {
                Found before = highest;
                findings.add(
                        AnomalyKind.REORDERED,
                        () -> before.content() + " was acknowledged on line "
                                + before.requireContent().firstAcknowledgedLine + " and is " + before.place() + ", "
                                + leaf.content() + " was first sent on line " + invokedLine + " and is "
                                + leaf.place());
            }
        }
    }

    private interface LineOf {
        long line(Content content);
    }

    private static List<Found> sorted(List<Found> leaves, LineOf by) {
        return leaves.stream()
                .sorted(Comparator.comparingLong(leaf -> by.line(leaf.requireContent())))
                .collect(Collectors.toList());
    }

    /** What was read before the tree was is in it. */
    private void judgeReads(Ok last, Result.Heads lastHeads) {
        long begun = last.invoked().line();
        for (Shown leaf : shown) {
            boolean isThere = tree.at(leaf.shard(), leaf.index())
                    .filter(found -> found.hash().equals(leaf.hash()))
                    .isPresent();
            if (leaf.line() < begun && !isThere) {
                findings.add(
                        AnomalyKind.DIRTY_READ,
                        () -> "shard " + leaf.shard() + " leaf " + leaf.index() + " as it was shown in operation "
                                + leaf.operation());
            }
        }
        Map<Integer, Long> sizes = new HashMap<>();
        lastHeads.shards().forEach(head -> sizes.put(head.shard(), head.size()));
        lastHeads.log().ifPresent(head -> sizes.put(Heads.LOG, head.size()));
        for (int read : heads.trees()) {
            if (read == Heads.LOG && lastHeads.log().isEmpty()) {
                continue;
            }
            long size = sizes.getOrDefault(read, 0L);
            heads.of(read).tailMap(size, false).forEach((larger, seen) -> {
                if (seen.line() < begun) {
                    findings.add(
                            AnomalyKind.DIRTY_READ,
                            () -> Heads.name(read) + " of size " + larger + " in operation " + seen.operation()
                                    + "; it has size " + size + " at the end");
                }
            });
        }
    }
}
