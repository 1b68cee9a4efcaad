// SPDX-License-Identifier: Apache-2.0
/** Tests of processors.admission. */
@NullMarked
package io.attestream.processors.admission;

import org.jspecify.annotations.NullMarked;
