// SPDX-License-Identifier: Apache-2.0
/** What the services agree on: topic names and schema texts. */
@NullMarked
package io.attestream.schemas;

import org.jspecify.annotations.NullMarked;
