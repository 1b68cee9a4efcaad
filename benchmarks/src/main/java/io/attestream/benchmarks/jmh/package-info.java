// SPDX-License-Identifier: Apache-2.0
/** Trees and proofs by themselves: {@code benchmarks/run jmh}. */
@NullMarked
package io.attestream.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
