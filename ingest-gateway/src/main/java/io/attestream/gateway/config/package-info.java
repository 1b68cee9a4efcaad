// SPDX-License-Identifier: Apache-2.0
/** What can be set, with defaults and limits. */
@NullMarked
package io.attestream.gateway.config;

import org.jspecify.annotations.NullMarked;
