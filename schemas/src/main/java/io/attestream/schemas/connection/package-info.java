// SPDX-License-Identifier: Apache-2.0
/** How clients of Kafka connect, and what tells the brokers who they are. */
@NullMarked
package io.attestream.schemas.connection;

import org.jspecify.annotations.NullMarked;
