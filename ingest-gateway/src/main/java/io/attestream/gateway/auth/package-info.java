// SPDX-License-Identifier: Apache-2.0
/** Who calls: the start gate, keys, tokens, and the three outcomes granted, denied and cannot decide. */
@NullMarked
package io.attestream.gateway.auth;

import org.jspecify.annotations.NullMarked;
