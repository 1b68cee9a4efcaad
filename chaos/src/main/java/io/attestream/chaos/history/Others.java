// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

/**
 * Somebody whose appends are not recorded: that they were sent is not asked of leaves of this source of this tenant. Nobody who is
 * recorded may use it.
 */
public record Others(String tenant, String source) {
    boolean sent(Identity identity) {
        return identity.tenant().equals(tenant) && identity.source().equals(source);
    }
}
