// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import io.attestream.gateway.support.Surroundings;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.Set;

/** No tokens: everybody is everything. */
@QuarkusTest
@WithTestResource(value = Surroundings.class, initArgs = @ResourceArg(name = "AUTH_POLICY", value = "dev"))
class DevRouteWalkTest extends RouteWalk {
    @Override
    Set<Access> grants(Who who) {
        return Set.of(Access.values());
    }
}
