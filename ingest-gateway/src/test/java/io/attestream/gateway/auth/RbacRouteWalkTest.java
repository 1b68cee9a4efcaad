// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import io.attestream.gateway.support.Surroundings;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.Set;

/** Tokens with roles. */
@QuarkusTest
@WithTestResource(value = Surroundings.class, initArgs = @ResourceArg(name = "AUTH_POLICY", value = "jwks_rbac"))
class RbacRouteWalkTest extends RouteWalk {
    @Override
    Set<Access> grants(Who who) {
        return switch (who) {
            case NOBODY, JUNK, NO_ROLE -> Set.of();
            case INGESTER, STRANGER -> Set.of(Access.INGESTER, Access.READER);
            case AUDITOR -> Set.of(Access.READER, Access.LEDGER_WIDE);
            case ADMIN -> Set.of(Access.READER, Access.LEDGER_WIDE, Access.ADMIN);
        };
    }
}
