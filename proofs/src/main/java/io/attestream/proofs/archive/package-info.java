// SPDX-License-Identifier: Apache-2.0
/** The object store and the archive objects in it. */
@NullMarked
package io.attestream.proofs.archive;

import org.jspecify.annotations.NullMarked;
