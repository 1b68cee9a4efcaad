// SPDX-License-Identifier: Apache-2.0
/** The process: settings, the life of the three topologies, internal HTTP. */
@NullMarked
package io.attestream.processors;

import org.jspecify.annotations.NullMarked;
