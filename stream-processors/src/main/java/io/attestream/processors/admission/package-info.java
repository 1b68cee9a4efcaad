// SPDX-License-Identifier: Apache-2.0
/** The Kafka door: from a tenant's inbox to the events topic. */
@NullMarked
package io.attestream.processors.admission;

import org.jspecify.annotations.NullMarked;
