// SPDX-License-Identifier: Apache-2.0
/** Faults by name, done to a running system on purpose, and undone again whatever happens. */
@NullMarked
package io.attestream.chaos.verbs;

import org.jspecify.annotations.NullMarked;
