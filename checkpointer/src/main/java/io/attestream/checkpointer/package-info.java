// SPDX-License-Identifier: Apache-2.0
/**
 * The checkpointer: recomputes every shard from the committed events, refuses whatever differs, archives, signs and
 * publishes epochs. Nothing here trusts what the processors wrote; a doubt stops the process before anything is signed.
 *
 * <p>Data flows {@link io.attestream.checkpointer.LedgerFollower} → {@link io.attestream.checkpointer.ShardReplica} →
 * {@link io.attestream.checkpointer.Backlog} → {@link io.attestream.checkpointer.EpochAssembler} → {@link
 * io.attestream.checkpointer.PublishPath}.
 */
@NullMarked
package io.attestream.checkpointer;

import org.jspecify.annotations.NullMarked;
