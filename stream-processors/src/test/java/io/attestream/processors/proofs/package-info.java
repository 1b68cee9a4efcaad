// SPDX-License-Identifier: Apache-2.0
/** Tests of processors.proofs. */
@NullMarked
package io.attestream.processors.proofs;

import org.jspecify.annotations.NullMarked;
