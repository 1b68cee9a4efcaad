// SPDX-License-Identifier: Apache-2.0
/** Tests. */
@NullMarked
package io.attestream.gateway.support;

import org.jspecify.annotations.NullMarked;
