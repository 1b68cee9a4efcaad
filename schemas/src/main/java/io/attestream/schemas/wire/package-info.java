// SPDX-License-Identifier: Apache-2.0
/** Avro records in the Confluent wire format, decoded with the schemas the ledger itself carries. */
@NullMarked
package io.attestream.schemas.wire;

import org.jspecify.annotations.NullMarked;
