// SPDX-License-Identifier: Apache-2.0
/** Whether the brokers hold the ledger's topics as often as they are to. */
@NullMarked
package io.attestream.operations.replicas;

import org.jspecify.annotations.NullMarked;
