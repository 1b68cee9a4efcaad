// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import io.attestream.gateway.support.Surroundings;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.Set;

/** Tokens without roles: whoever has one is an ingester, whatever it says of roles. */
@QuarkusTest
@WithTestResource(value = Surroundings.class, initArgs = @ResourceArg(name = "AUTH_POLICY", value = "jwks_strict"))
class StrictRouteWalkTest extends RouteWalk {
    @Override
    Set<Access> grants(Who who) {
        return who == Who.NOBODY || who == Who.JUNK ? Set.of() : Set.of(Access.INGESTER, Access.READER);
    }
}
