// SPDX-License-Identifier: Apache-2.0

/** What clients of a ledger did, recorded as one file, and the judge of it. */
@NullMarked
package io.attestream.chaos.history;

import org.jspecify.annotations.NullMarked;
