// SPDX-License-Identifier: Apache-2.0
/** Runs inside every child process, so that none outlives its launcher. */
@NullMarked
package io.attestream.chaos.agent;

import org.jspecify.annotations.NullMarked;
