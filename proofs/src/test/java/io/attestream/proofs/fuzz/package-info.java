// SPDX-License-Identifier: Apache-2.0
/**
 * One class for each parser, as Jazzer wants it: {@code fuzzerTestOneInput(byte[])} throws nothing but for a broken
 * invariant. In the normal build they run over the golden files and seeded mutations of them, in the Maven profile
 * {@code fuzz} under Jazzer.
 */
@NullMarked
package io.attestream.proofs.fuzz;

import org.jspecify.annotations.NullMarked;
