// SPDX-License-Identifier: Apache-2.0
/** CloudEvents 1.0 as both doors read them. */
@NullMarked
package io.attestream.schemas.cloudevents;

import org.jspecify.annotations.NullMarked;
