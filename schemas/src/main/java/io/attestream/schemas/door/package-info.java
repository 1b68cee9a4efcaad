// SPDX-License-Identifier: Apache-2.0
/** What both doors add to an event before it is written. */
@NullMarked
package io.attestream.schemas.door;

import org.jspecify.annotations.NullMarked;
