// SPDX-License-Identifier: Apache-2.0
/** How far the consumer groups of a Kafka cluster are behind, in records and in seconds. */
@NullMarked
package io.attestream.operations.lag;

import org.jspecify.annotations.NullMarked;
