// SPDX-License-Identifier: Apache-2.0
/** Decides what becomes of each record, assigns leaf indexes, extends the tree: exactly once. */
@NullMarked
package io.attestream.processors.sequencer;

import org.jspecify.annotations.NullMarked;
