// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.runtime.QuarkusPrincipal;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Bearer tokens (RFC 6750) in the header {@code Authorization}, and nowhere else. */
@ApplicationScoped
public class BearerMechanism implements HttpAuthenticationMechanism {
    /** Where the decision waits for the error mapping; see {@link #decision(RoutingContext)}. */
    private static final String DECISION = "attestream.auth.decision";

    private static final String SCHEME = "Bearer ";

    private final Authentication authentication;

    BearerMechanism(Authentication authentication) {
        this.authentication = authentication;
    }

    @Override
    public Uni<SecurityIdentity> authenticate(RoutingContext context, IdentityProviderManager identityProviders) {
        Optional<Caller> fixed = authentication.fixedCaller();
        if (fixed.isPresent()) {
            return Uni.createFrom().item(identity(fixed.get()));
        }
        List<String> headers = context.request().headers().getAll("Authorization");
        if (headers.isEmpty()) {
            return Uni.createFrom().nullItem();
        }
        String header = headers.get(0);
        if (headers.size() > 1 || !header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return outcome(context, new AuthDecision.Denied("malformed"));
        }
        String token = header.substring(SCHEME.length()).strip();
        // A signature check takes up to a millisecond: not on the event loop. The decision may come on the thread that
        // fetched keys; what follows needs the request's own context.
        Context own = Objects.requireNonNull(Vertx.currentContext());
        return Uni.createFrom()
                .deferred(() -> Uni.createFrom().completionStage(authentication.decide(token)))
                .runSubscriptionOn(Infrastructure.getDefaultWorkerPool())
                .emitOn(next -> own.runOnContext(ignored -> next.run()))
                .flatMap(decision -> outcome(context, decision));
    }

    private static Uni<SecurityIdentity> outcome(RoutingContext context, AuthDecision decision) {
        if (decision instanceof AuthDecision.Granted granted) {
            return Uni.createFrom().item(identity(granted.caller()));
        }
        context.put(DECISION, decision);
        return Uni.createFrom().failure(new AuthenticationFailedException());
    }

    private static SecurityIdentity identity(Caller caller) {
        return QuarkusSecurityIdentity.builder()
                .setPrincipal(new QuarkusPrincipal(caller.actor()))
                .addRoles(caller.roles())
                .addAttribute(Caller.ATTRIBUTE, caller)
                .build();
    }

    /** What was decided about the token of this request, if it was not granted. */
    public static Optional<AuthDecision> decision(RoutingContext context) {
        return Optional.ofNullable(context.get(DECISION));
    }

    @Override
    public Uni<ChallengeData> getChallenge(RoutingContext context) {
        return Uni.createFrom().item(new ChallengeData(401, "WWW-Authenticate", "Bearer realm=\"attestream\""));
    }
}
