// SPDX-License-Identifier: Apache-2.0
/** A local cluster of real processes, and the faults one can do to them. */
@NullMarked
package io.attestream.chaos;

import org.jspecify.annotations.NullMarked;
