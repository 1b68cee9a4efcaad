// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.auth.AuthDecision;
import io.attestream.gateway.auth.BearerMechanism;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.ForbiddenException;
import io.quarkus.security.UnauthorizedException;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every error as problem+json: those of resources, of authentication, and of Vert.x before and beside both. Never HTML,
 * never a stack trace, and 429, 503 and 504 always with {@code Retry-After}.
 */
@ApplicationScoped
public class ErrorMapping {
    private static final String CHALLENGE = "Bearer realm=\"attestream\"";
    private static final String RETRY_AFTER_SECONDS = "1";
    private static final Logger LOG = LoggerFactory.getLogger(ErrorMapping.class);

    private final ObjectMapper json;

    ErrorMapping(ObjectMapper json) {
        this.json = json;
    }

    @ServerExceptionMapper
    Response problem(ProblemException exception) {
        return answer(exception.problem()).build();
    }

    @ServerExceptionMapper(priority = 1)
    Response noToken(UnauthorizedException exception) {
        return unauthenticated("Send an access token: Authorization: Bearer …", CHALLENGE);
    }

    @ServerExceptionMapper(priority = 1)
    Response badToken(AuthenticationFailedException exception, RoutingContext context) {
        Optional<AuthDecision> decision = BearerMechanism.decision(context);
        if (decision.isPresent() && decision.get() instanceof AuthDecision.Undecidable) {
            return answer(Problem.of(
                            ProblemCode.AUTHENTICATION_UNAVAILABLE,
                            "The keys that sign tokens are not available; the token was neither accepted nor refused"))
                    .build();
        }
        String reason = decision.isPresent() && decision.get() instanceof AuthDecision.Denied denied
                ? denied.reason()
                : "invalid";
        return unauthenticated(
                "The access token is refused: " + reason,
                CHALLENGE + ", error=\"invalid_token\", error_description=\"" + reason + "\"");
    }

    private Response unauthenticated(String detail, String challenge) {
        return answer(Problem.of(ProblemCode.UNAUTHENTICATED, detail))
                .header("WWW-Authenticate", challenge)
                .build();
    }

    @ServerExceptionMapper(priority = 1)
    Response forbidden(ForbiddenException exception) {
        return answer(Problem.of(ProblemCode.FORBIDDEN, "The token lacks the role this call needs"))
                .build();
    }

    @ServerExceptionMapper(priority = 1)
    Response webApplication(WebApplicationException exception, RoutingContext context) {
        int status = exception.getResponse().getStatus();
        Response.ResponseBuilder answer = answer(ofStatus(status));
        return status == 405
                ? answer.header("Allow", allowed(context.request().path())).build()
                : answer.build();
    }

    /** Two paths take POST; all others are read. */
    private static String allowed(String path) {
        return path.matches("/v1/(events|erasures)/?") ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
    }

    @ServerExceptionMapper(priority = 1)
    Response bug(Throwable throwable) {
        LOG.error("request failed", throwable);
        return answer(ofStatus(500)).build();
    }

    void onRouter(@Observes Router router) {
        onFailures(router);
    }

    /** Last in the chain of each route, and for what no route takes. */
    void onFailures(Router router) {
        router.route().order(Integer.MIN_VALUE).failureHandler(this::vertxFailure);
        for (int status : new int[] {400, 401, 403, 404, 405, 406, 413, 414, 415, 500, 501, 503}) {
            router.errorHandler(status, this::vertxFailure);
        }
    }

    private void vertxFailure(RoutingContext context) {
        if (context.response().ended()) {
            return;
        }
        int status = context.statusCode() > 0 ? context.statusCode() : 500;
        if (status >= 500 && context.failure() != null) {
            LOG.error("request failed before it reached a resource", context.failure());
        }
        write(context.response(), ofStatus(status));
    }

    /** Answers from outside of a resource. */
    public void write(HttpServerResponse response, Problem problem) {
        if (response.headWritten()) {
            response.reset();
            return;
        }
        response.setStatusCode(problem.status())
                .putHeader("Content-Type", Problem.MEDIA_TYPE)
                .putHeader("Cache-Control", "no-store");
        retryAfter(problem).ifPresent(seconds -> response.putHeader("Retry-After", seconds));
        if (problem.status() == 401) {
            response.putHeader("WWW-Authenticate", CHALLENGE);
        }
        var unused = response.end(encode(problem));
    }

    /** A problem as an answer of a resource. */
    public static Response.ResponseBuilder answer(Problem problem) {
        Response.ResponseBuilder answer = Response.status(problem.status())
                .type(Problem.MEDIA_TYPE)
                .header("Cache-Control", "no-store")
                .entity(problem);
        retryAfter(problem).ifPresent(seconds -> answer.header("Retry-After", seconds));
        return answer;
    }

    private static Optional<String> retryAfter(Problem problem) {
        return problem.retryAfterSeconds() != null
                ? Optional.of(problem.retryAfterSeconds().toString())
                : problem.status() >= 503 ? Optional.of(RETRY_AFTER_SECONDS) : Optional.empty();
    }

    private String encode(Problem problem) {
        try {
            return json.writeValueAsString(problem);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a problem is always writable", e);
        }
    }

    private static Problem ofStatus(int status) {
        return switch (status) {
            case 401 -> Problem.of(ProblemCode.UNAUTHENTICATED, "Send an access token: Authorization: Bearer …");
            case 403 -> Problem.of(ProblemCode.FORBIDDEN, "The token does not allow this");
            case 404 -> Problem.of(ProblemCode.NOT_FOUND, "Nothing is at this path; the API is described at /openapi");
            case 405 -> Problem.of(ProblemCode.METHOD_NOT_ALLOWED, "See the header Allow for what this path takes");
            case 406 -> Problem.of(ProblemCode.NOT_ACCEPTABLE, "Accept another media type", "Accept");
            case 413 -> Problem.of(ProblemCode.TOO_LARGE, "The body is too large");
            case 414 -> Problem.of(ProblemCode.URI_TOO_LONG, "Send a shorter URI");
            case 415 ->
                Problem.of(ProblemCode.UNSUPPORTED_MEDIA_TYPE, "Send another media type; see /openapi", "Content-Type");
            case 503 -> Problem.of(ProblemCode.UNAVAILABLE, "Try again");
            default ->
                status >= 500
                        ? Problem.of(ProblemCode.INTERNAL, "The log of the gateway has the cause")
                        : Problem.of(ProblemCode.BAD_REQUEST, "The request could not be understood");
        };
    }
}
