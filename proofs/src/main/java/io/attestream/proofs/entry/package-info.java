// SPDX-License-Identifier: Apache-2.0
/** The canonical entry, its digests, the dedup window and the routing of records to shards. */
@NullMarked
package io.attestream.proofs.entry;

import org.jspecify.annotations.NullMarked;
