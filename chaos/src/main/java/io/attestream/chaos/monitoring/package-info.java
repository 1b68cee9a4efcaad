// SPDX-License-Identifier: Apache-2.0
/** The Prometheus and Alertmanager of this machine, with the configuration of the repository, on a local cluster. */
@NullMarked
package io.attestream.chaos.monitoring;

import org.jspecify.annotations.NullMarked;
