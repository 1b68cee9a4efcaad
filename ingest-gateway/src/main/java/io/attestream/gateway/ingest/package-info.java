// SPDX-License-Identifier: Apache-2.0
/** From a request to acknowledged records: admission, decoding, the log, results. */
@NullMarked
package io.attestream.gateway.ingest;

import org.jspecify.annotations.NullMarked;
