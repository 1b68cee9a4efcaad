// SPDX-License-Identifier: Apache-2.0
/** Whether this instance may take traffic. */
@NullMarked
package io.attestream.gateway.health;

import org.jspecify.annotations.NullMarked;
