// SPDX-License-Identifier: Apache-2.0
/** Strict JSON (RFC 8259) in, canonical JSON (RFC 8785) out. */
@NullMarked
package io.attestream.proofs.json;

import org.jspecify.annotations.NullMarked;
