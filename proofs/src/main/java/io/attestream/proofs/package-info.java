// SPDX-License-Identifier: Apache-2.0
/** What an auditor embeds: trees, notes, entries and proofs in pure Java, without dependencies. */
@NullMarked
package io.attestream.proofs;

import org.jspecify.annotations.NullMarked;
