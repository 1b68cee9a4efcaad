// SPDX-License-Identifier: Apache-2.0
/** Whether the clocks of the machines agree. */
@NullMarked
package io.attestream.operations.clock;

import org.jspecify.annotations.NullMarked;
