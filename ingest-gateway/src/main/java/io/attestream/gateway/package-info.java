// SPDX-License-Identifier: Apache-2.0
/** The one public API of a ledger: authentication, ingest, reads. */
@NullMarked
package io.attestream.gateway;

import org.jspecify.annotations.NullMarked;
