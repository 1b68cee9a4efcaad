// SPDX-License-Identifier: Apache-2.0
/** Keys of subjects: payloads that can be read, and payloads that are erased. */
@NullMarked
package io.attestream.gateway.keys;

import org.jspecify.annotations.NullMarked;
