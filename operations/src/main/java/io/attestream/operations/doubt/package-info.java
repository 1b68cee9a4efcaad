// SPDX-License-Identifier: Apache-2.0
/** What a process that may not go on tells before it ends. */
@NullMarked
package io.attestream.operations.doubt;

import org.jspecify.annotations.NullMarked;
