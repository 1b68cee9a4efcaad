// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas;

import java.util.regex.Pattern;

/**
 * Names of the topics, groups and ids of one ledger.
 *
 * @param prefix letters, digits, {@code -} and {@code _}
 */
public record Topics(String prefix) {
    public static final String DEFAULT_PREFIX = "attestream";

    private static final String RESTORING = ".restoring";
    private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9_-]{1,64}");
    private static final Pattern TENANT = Pattern.compile("[A-Za-z0-9_-]{1,64}");

    public Topics {
        if (!PREFIX.matcher(prefix).matches()) {
            throw new IllegalArgumentException(
                    "attestream.topics.prefix must be 1 to 64 letters, digits, - and _, is \"" + prefix + "\"");
        }
    }

    /** Accepted events and control records. */
    public String events() {
        return prefix + ".events";
    }

    /** Deltas of leaves, each ending in a head. */
    public String sealed() {
        return prefix + ".sealed";
    }

    /** What became of records that are no leaves. */
    public String outcomes() {
        return prefix + ".outcomes";
    }

    /** Intents, epochs and notes. */
    public String checkpoints() {
        return prefix + ".checkpoints";
    }

    /** Where this tenant's producers write over Kafka. */
    public String inbox(String tenant) {
        if (!isTenant(tenant)) {
            throw new IllegalArgumentException(
                    "a tenant with an inbox is named with 1 to 64 letters, digits, - and _, not \"" + tenant + "\"");
        }
        return inboxPrefix() + tenant;
    }

    /** What all inboxes begin with; the tenant's name follows. */
    public String inboxPrefix() {
        return prefix + ".inbox.";
    }

    /** Whether this tenant can have an inbox. */
    public static boolean isTenant(String tenant) {
        return TENANT.matcher(tenant).matches();
    }

    /** What admission refused. */
    public String inboxOutcomes() {
        return prefix + ".inbox-outcomes";
    }

    /** What ids, groups and changelogs of the sequencer begin with, in every generation. */
    public String sequencerGroups() {
        return prefix + ".sequencer.";
    }

    /** Application id and group of the sequencer. */
    public String sequencerGroup(int generation) {
        return sequencerGroups() + "g" + generation;
    }

    /** Group that has offsets only while the state of a sequencer's group is being made. */
    public String restoringGroup(int generation) {
        return sequencerGroup(generation) + RESTORING;
    }

    /** Whether it is a {@link #restoringGroup} of any generation. */
    public boolean isRestoringGroup(String group) {
        return group.startsWith(sequencerGroups() + "g") && group.endsWith(RESTORING);
    }

    /** What ids, groups and changelogs of the proofs topology begin with, in every generation. */
    public String proofsGroups() {
        return prefix + ".proofs.";
    }

    /** Application id and group of the proofs topology. */
    public String proofsGroup(int generation) {
        return proofsGroups() + "g" + generation;
    }

    /** Application id and group of admission. */
    public String admissionGroup() {
        return prefix + ".admission";
    }

    /** Transactional id of the checkpointer. */
    public String checkpointerTransactionalId() {
        return prefix + ".checkpointer";
    }

    /** Group in which checkpointers that stand by for each other settle who works; no offsets are committed in it. */
    public String checkpointerGroup() {
        return prefix + ".checkpointer";
    }
}
