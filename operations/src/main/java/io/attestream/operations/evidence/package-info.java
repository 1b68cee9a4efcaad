// SPDX-License-Identifier: Apache-2.0
/** What restore drills and game days left behind: when each was last carried out, and whether it passed. */
@NullMarked
package io.attestream.operations.evidence;

import org.jspecify.annotations.NullMarked;
