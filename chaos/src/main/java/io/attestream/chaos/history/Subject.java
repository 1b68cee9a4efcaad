// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.proofs.tree.Hash;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One identity, and what was sent under it. */
final class Subject {
    static final long NEVER = Long.MAX_VALUE;
    static final int NOWHERE = -1;

    final Identity identity;
    /** Mostly one. */
    private final List<Content> contents = new ArrayList<>(1);
    /** In which it was acknowledged first. */
    int shard = NOWHERE;
    /** In the tree, the newest as its leaves are gone through. */
    @Nullable Found lastEvent;

    /** A leaf of the tree. */
    record Found(
            int shard,
            long index,
            Leaf.Kind kind,
            @Nullable Content content,
            Hash hash,
            @Nullable Receipt receipt) {
        String place() {
            return "shard " + shard + " leaf " + index;
        }

        /** Of a leaf that somebody sent. */
        Content requireContent() {
            return Objects.requireNonNull(content);
        }
    }

    /** One content of an identity: what appends of it came to, and its leaves. */
    static final class Content {
        final Subject subject;
        final String digest;
        /** Appends that were not refused. */
        int attempts;

        int refusals;
        /** Somebody sent it who is not recorded. */
        boolean isOfOthers;
        /** Line at which the first of them began. */
        long firstInvokedLine = NEVER;
        /** Acknowledgements that have to be in the tree. */
        int acknowledgements;
        /** Line of the first of them. */
        long firstAcknowledgedLine = NEVER;

        int eventLeaves;
        int conflictLeaves;
        /** The last that was seen. */
        @Nullable Found leaf;
        /** Where it was said to be an event leaf first. */
        @Nullable Said said;

        private Content(Subject subject, String digest) {
            this.subject = subject;
            this.digest = digest;
        }

        void attempt(long line) {
            attempts++;
            firstInvokedLine = Math.min(firstInvokedLine, line);
        }

        void require(long line) {
            acknowledgements++;
            firstAcknowledgedLine = Math.min(firstAcknowledgedLine, line);
        }

        /** Of its last leaf. */
        String place() {
            return leaf == null ? "nowhere" : leaf.place();
        }

        @Override
        public String toString() {
            return subject.identity.toString();
        }
    }

    /** That a content is an event leaf. */
    record Said(int shard, long index, long operation) {}

    Subject(Identity identity) {
        this.identity = identity;
    }

    Content content(String digest) {
        return find(digest).orElseGet(() -> {
            Content made = new Content(this, digest);
            contents.add(made);
            return made;
        });
    }

    List<Content> contents() {
        return contents;
    }

    Optional<Content> find(String digest) {
        return contents.stream()
                .filter(content -> content.digest.equals(digest))
                .findFirst();
    }
}
