// SPDX-License-Identifier: Apache-2.0
/** Where the keys of subjects are kept, apart from the ledger, so that they can be destroyed. */
@NullMarked
package io.attestream.objects.keys;

import org.jspecify.annotations.NullMarked;
