// SPDX-License-Identifier: Apache-2.0
/** Tests of processors.sequencer. */
@NullMarked
package io.attestream.processors.sequencer;

import org.jspecify.annotations.NullMarked;
