// SPDX-License-Identifier: Apache-2.0
/**
 * What the proof costs over plain Kafka: each figure beside a named baseline, in alternating rounds of one run on one broker.
 * Figures and the command that makes them are in docs/performance.md; none is a test.
 */
@NullMarked
package io.attestream.benchmarks;

import org.jspecify.annotations.NullMarked;
