// SPDX-License-Identifier: Apache-2.0
/** What every request passes and what every error looks like: path guard, limits, problem details. */
@NullMarked
package io.attestream.gateway.http;

import org.jspecify.annotations.NullMarked;
