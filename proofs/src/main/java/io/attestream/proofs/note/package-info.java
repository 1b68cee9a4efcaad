// SPDX-License-Identifier: Apache-2.0
/** C2SP signed notes, checkpoints and tlog-proof files. */
@NullMarked
package io.attestream.proofs.note;

import org.jspecify.annotations.NullMarked;
