// SPDX-License-Identifier: Apache-2.0
/** What Kafka's clients tell about themselves. */
@NullMarked
package io.attestream.operations.kafka;

import org.jspecify.annotations.NullMarked;
