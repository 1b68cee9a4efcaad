// SPDX-License-Identifier: Apache-2.0
/** Tests of the monitor against ledgers that lie. */
@NullMarked
package io.attestream.checkpointer.monitor;

import org.jspecify.annotations.NullMarked;
