// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import java.util.List;

/**
 * What a cluster said of its consumer groups.
 *
 * @param groupsLeftOut groups the cluster has that are not among them: beyond a limit, or with neither members nor offsets
 */
public record LagLook(List<GroupLag> groups, int groupsLeftOut) {
    public LagLook {
        groups = List.copyOf(groups);
    }
}
