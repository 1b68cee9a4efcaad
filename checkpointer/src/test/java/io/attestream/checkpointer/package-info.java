// SPDX-License-Identifier: Apache-2.0
/** Tests of the checkpointer, with an independent little sequencer as counterpart. */
@NullMarked
package io.attestream.checkpointer;

import org.jspecify.annotations.NullMarked;
