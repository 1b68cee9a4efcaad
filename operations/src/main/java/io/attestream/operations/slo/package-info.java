// SPDX-License-Identifier: Apache-2.0
/** Service level objectives, read from OpenSLO v1, and the Prometheus rules that follow from them. */
@NullMarked
package io.attestream.operations.slo;

import org.jspecify.annotations.NullMarked;
