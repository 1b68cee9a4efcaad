// SPDX-License-Identifier: Apache-2.0
/** Looking at what is stored before somebody needs it. */
@NullMarked
package io.attestream.objects.scrub;

import org.jspecify.annotations.NullMarked;
