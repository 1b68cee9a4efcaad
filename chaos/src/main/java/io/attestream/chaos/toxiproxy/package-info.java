// SPDX-License-Identifier: Apache-2.0
/** Network faults by Toxiproxy's REST API: a server that has it, and a client of any such server. */
@NullMarked
package io.attestream.chaos.toxiproxy;

import org.jspecify.annotations.NullMarked;
