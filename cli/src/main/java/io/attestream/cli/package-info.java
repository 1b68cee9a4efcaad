// SPDX-License-Identifier: Apache-2.0
/** The command line: {@code attestream}. */
@NullMarked
package io.attestream.cli;

import org.jspecify.annotations.NullMarked;
