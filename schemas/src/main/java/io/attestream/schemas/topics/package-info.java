// SPDX-License-Identifier: Apache-2.0
/** The topic contract: what every topic must be like, created and checked in one place. */
@NullMarked
package io.attestream.schemas.topics;

import org.jspecify.annotations.NullMarked;
