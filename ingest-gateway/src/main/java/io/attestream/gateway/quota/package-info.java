// SPDX-License-Identifier: Apache-2.0
/** How much one tenant and one subject may append. */
@NullMarked
package io.attestream.gateway.quota;

import org.jspecify.annotations.NullMarked;
