// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

/** What the publish path has done, in order. A process may die after any of them; its successor must then be right. */
enum PublishStep {
    /** The epoch's bytes exist in memory only. */
    ASSEMBLED,
    /** The segment is in the object store. */
    SEGMENT_WRITTEN,
    /** The payload object is in the object store. */
    PAYLOADS_WRITTEN,
    /** Both objects were read back and are equal to what was written. */
    ARCHIVE_READ_BACK,
    /** The intent is in an open transaction. */
    INTENT_SENT,
    /** The intent is committed: from here on this epoch has exactly one content for ever. */
    INTENT_COMMITTED,
    /** The guard copy is in the object store. */
    GUARDED,
    /** The signature exists in memory only. */
    SIGNED,
    /** The epoch object with the signed note is in the object store. */
    EPOCH_ARCHIVED,
    /** What proves the changes of keys that the epoch logs is in the object store. */
    KEY_STEPS_ARCHIVED,
    /** The published record is in an open transaction. */
    PUBLISH_SENT,
    /** The epoch is published. */
    PUBLISHED,
    /** The shard notes are in an open transaction. */
    SHARD_NOTES_SENT,
    /** The shard notes are committed. */
    SHARD_NOTES_PUBLISHED
}
