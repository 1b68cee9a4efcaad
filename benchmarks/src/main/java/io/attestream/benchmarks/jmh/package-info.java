// SPDX-License-Identifier: Apache-2.0
/** Trees, proofs and the steps of an event by themselves: {@code benchmarks/run jmh}. */
@NullMarked
package io.attestream.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
