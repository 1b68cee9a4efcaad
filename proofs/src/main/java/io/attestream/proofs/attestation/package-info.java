// SPDX-License-Identifier: Apache-2.0
/** Signed statements about files: in-toto statements in DSSE envelopes, and the keys they are signed with. */
@NullMarked
package io.attestream.proofs.attestation;

import org.jspecify.annotations.NullMarked;
