// SPDX-License-Identifier: Apache-2.0
/** What the tests share: seeded cases, a brute-force tree as oracle, golden files and the values in them. */
@NullMarked
package io.attestream.proofs.support;

import org.jspecify.annotations.NullMarked;
