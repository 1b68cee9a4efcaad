// SPDX-License-Identifier: Apache-2.0
/** Tests of processors. */
@NullMarked
package io.attestream.processors;

import org.jspecify.annotations.NullMarked;
